import type { Event as CoreEvent } from '../../core/v1/event.ts'
import type { Event } from './event.ts'

/** The event as the core group stores it. */
export function toCoreEvent(event: Event): CoreEvent {
  const {
    regarding,
    note,
    reportingController = '',
    reportingInstance = '',
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    series,
    ...same
  } = event
  return {
    ...same,
    involvedObject: regarding,
    ...(note !== undefined && { message: note }),
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    ...(deprecatedCount !== undefined && { count: deprecatedCount }),
    ...(series && { series: { ...(series.count && { count: series.count }), lastObservedTime: series.lastObservedTime } }),
    reportingComponent: reportingController,
    reportingInstance,
  }
}

/** What the events group shows of a stored event. */
export function fromCoreEvent(event: CoreEvent): Event {
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, series, reportingComponent, reportingInstance, ...same } =
    event
  return {
    ...same,
    regarding: involvedObject,
    ...(message !== undefined && { note: message }),
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    ...(count !== undefined && { deprecatedCount: count }),
    ...(series && { series: { count: series.count ?? 0, lastObservedTime: series.lastObservedTime } }),
    ...(reportingComponent && { reportingController: reportingComponent }),
    ...(reportingInstance && { reportingInstance }),
  }
}
