import { defineKind, defineVersionOf, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { embedded, int32, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { eventColumns } from '../../core/v1/event.columns.ts'
import { Event as CoreEvent, EventSource } from '../../core/v1/event.ts'
import { ObjectReference } from '../../core/v1/object-reference.ts'
import { microTimeOrNull, timeOrNull } from '../../meta/v1/time-or-null.ts'
import { fromCoreEvent, toCoreEvent } from './event.view.ts'

export const EventSeries = message('io.k8s.api.events.v1.EventSeries', {
  count: required(1, int32, 'How often it happened so far.'),
  lastObservedTime: required(2, microTimeOrNull, 'When it happened last.'),
})
export interface EventSeries extends StoredOf<typeof EventSeries> {}

const fields = {
  eventTime: required(2, microTimeOrNull, 'When it was noticed first.'),
  series: optional(3, EventSeries, 'How it goes on.'),
  reportingController: omitempty(4, string, 'The controller that reports it.'),
  reportingInstance: omitempty(5, string, 'Which instance of the controller.'),
  action: omitempty(6, string, 'What was done.'),
  reason: omitempty(7, string, 'What happened, in one word.'),
  regarding: embedded(8, ObjectReference, 'What the event is about.'),
  related: optional(9, ObjectReference, 'A second object that is involved.'),
  note: omitempty(10, string, 'What happened, for people.'),
  type: omitempty(11, string, '`Normal` or `Warning`.'),
  deprecatedSource: embedded(12, EventSource, 'Who reported it, as in the older API.'),
  deprecatedFirstTimestamp: embedded(13, timeOrNull, 'When it was first seen, as in the older API.'),
  deprecatedLastTimestamp: embedded(14, timeOrNull, 'When it was last seen, as in the older API.'),
  deprecatedCount: omitempty(15, int32, 'How often it was seen, as in the older API.'),
}

export interface Event extends ObjectOfFields<typeof fields> {}

const shownEvent = defineKind({
  documentation: 'Something that happened to an object.',
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.events.v1',
  shortNames: ['ev'],
  createOnUpdate: true,
  fields,
  columns: eventColumns.map(column => ({ ...column, of: (event: Event, context) => column.of(toCoreEvent(event), context) })),
  selectableFields: {
    'regarding.kind': ({ regarding }) => regarding.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding.name ?? '',
    'regarding.uid': ({ regarding }) => regarding.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
})

const fieldNames = {
  'regarding.kind': 'involvedObject.kind',
  'regarding.namespace': 'involvedObject.namespace',
  'regarding.name': 'involvedObject.name',
  'regarding.uid': 'involvedObject.uid',
  'regarding.apiVersion': 'involvedObject.apiVersion',
  'regarding.resourceVersion': 'involvedObject.resourceVersion',
  'regarding.fieldPath': 'involvedObject.fieldPath',
  reportingController: 'reportingComponent',
}

/** An event of the core group under the field names of the events group. */
export const Event = defineVersionOf(CoreEvent, shownEvent, { up: toCoreEvent, down: fromCoreEvent, fieldNames })
