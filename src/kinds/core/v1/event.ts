import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { embedded, int32, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { microTimeOrNull, timeOrNull } from '../../meta/v1/time-or-null.ts'
import { eventColumns } from './event.columns.ts'
import { validateEvent } from './event.rules.ts'
import { ObjectReference } from './object-reference.ts'

export const EventSeries = message('io.k8s.api.core.v1.EventSeries', {
  count: omitempty(1, int32, 'How often it happened so far.'),
  lastObservedTime: embedded(2, microTimeOrNull, 'When it happened last.'),
})
export interface EventSeries extends StoredOf<typeof EventSeries> {}

export const EventSource = message('io.k8s.api.core.v1.EventSource', {
  component: omitempty(1, string, 'Which component.'),
  host: omitempty(2, string, 'On which node.'),
})
export interface EventSource extends StoredOf<typeof EventSource> {}

const fields = {
  involvedObject: required(2, ObjectReference, 'What the event is about.'),
  reason: omitempty(3, string, 'What happened, in one word.'),
  message: omitempty(4, string, 'What happened, for people.'),
  source: embedded(5, EventSource, 'Who reported it.'),
  firstTimestamp: embedded(6, timeOrNull, 'When it happened first.'),
  lastTimestamp: embedded(7, timeOrNull, 'When it happened last.'),
  count: omitempty(8, int32, 'How often it happened.'),
  type: omitempty(9, string, '`Normal` or `Warning`.'),
  eventTime: embedded(10, microTimeOrNull, 'When it was noticed first.'),
  series: optional(11, EventSeries, 'How it goes on.'),
  action: omitempty(12, string, 'What was done.'),
  related: optional(13, ObjectReference, 'A second object that is involved.'),
  reportingComponent: embedded(14, string, 'The controller that reports it.'),
  reportingInstance: embedded(15, string, 'Which instance of the controller.'),
}

export interface Event extends ObjectOfFields<typeof fields> {}

export const Event = defineKind({
  documentation: 'Something that happened to an object.',
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['ev'],
  createOnUpdate: true,
  fields,
  columns: eventColumns,
  validate: validateEvent,
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent,
    source: ({ source, reportingComponent }) => source.component || reportingComponent,
    type: ({ type }) => type ?? '',
  },
})
