import type { Column } from '#machinery/kind/kind.ts'
import { since } from '../../meta/v1/columns.ts'
import type { Event } from './event.ts'

/** Events in `kubectl get`, whichever group they are read from. */
export const eventColumns: readonly Column<Event>[] = [
  { name: 'Last Seen', of: (event, { now }) => lastSeen(event, now) },
  { name: 'Type', of: event => event.type ?? '' },
  { name: 'Reason', of: event => event.reason ?? '' },
  { name: 'Object', of: ({ involvedObject: { kind = '', name = '' } }) => (name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase()) },
  { name: 'Subobject', priority: 1, of: ({ involvedObject }) => involvedObject.fieldPath ?? '' },
  { name: 'Source', priority: 1, of: sourceText },
  { name: 'Message', of: ({ message }) => (message ?? '').trim() },
  { name: 'First Seen', priority: 1, of: (event, { now }) => since(event.firstTimestamp ?? event.eventTime, now) },
  { name: 'Count', priority: 1, of: ({ series, count }) => series?.count ?? (count || 1) },
  { name: 'Name', format: 'name', priority: 1, of: ({ metadata }) => metadata.name ?? '' },
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
