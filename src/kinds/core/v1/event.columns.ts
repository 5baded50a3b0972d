import type { Column } from '#machinery/kind/kind.ts'
import { NAME_DESCRIPTION, since } from '../../meta/v1/columns.ts'
import type { Event } from './event.ts'

/** Events in `kubectl get`, whichever group they are read from. */
export const eventColumns: readonly Column<Event>[] = [
  {
    name: 'Last Seen',
    description: 'The time at which the most recent occurrence of this event was recorded.',
    of: (event, { now }) => lastSeen(event, now),
  },
  {
    name: 'Type',
    description: 'Type of this event (Normal, Warning), new types could be added in the future',
    of: event => event.type ?? '',
  },
  {
    name: 'Reason',
    description:
      "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
    of: event => event.reason ?? '',
  },
  {
    name: 'Object',
    description: 'The object that this event is about.',
    of: ({ involvedObject: { kind = '', name = '' } }) => (name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()),
  },
  {
    name: 'Subobject',
    description:
      'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this would take on a value like: "spec.containers{name}" (where "name" refers to the name of the container that triggered the event) or if no container name is specified "spec.containers[2]" (container with index 2 in this pod). This syntax is chosen only to have some well-defined way of referencing a part of an object.',
    priority: 1,
    of: ({ involvedObject }) => involvedObject.fieldPath ?? '',
  },
  {
    name: 'Source',
    description: 'The component reporting this event. Should be a short machine understandable string.',
    priority: 1,
    of: sourceText,
  },
  {
    name: 'Message',
    description: 'A human-readable description of the status of this operation.',
    of: ({ message }) => (message ?? '').trim(),
  },
  {
    name: 'First Seen',
    description: 'The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)',
    priority: 1,
    of: (event, { now }) => since(event.firstTimestamp ?? event.eventTime, now),
  },
  {
    name: 'Count',
    description: 'The number of times this event has occurred.',
    priority: 1,
    of: ({ series, count }) => series?.count ?? (count || 1),
  },
  { name: 'Name', format: 'name', description: NAME_DESCRIPTION, priority: 1, of: ({ metadata }) => metadata.name ?? '' },
]

function lastSeen(event: Event, now: number): string {
  if (event.series) return since(event.series.lastObservedTime, now)
  return event.lastTimestamp ? since(event.lastTimestamp, now) : since(event.firstTimestamp ?? event.eventTime, now)
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source.component || reportingComponent
  const host = source.host || reportingInstance
  return host ? `${component}, ${host}` : component
}
