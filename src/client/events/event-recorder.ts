import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import { Event } from '#kinds/core/v1/event.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { reasonOf } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { Client } from '../client.ts'
import { type CorrelatedEvent, EventCorrelator } from './event-correlator.ts'

/** Tells users what happened to an object, as `kubectl describe` shows it. Returns at once; the event is written later, or dropped. */
export interface EventRecorder {
  record(about: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** The object that an event is about. */
export interface EventSubject extends Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'> {
  /** The part of the object that is meant: `spec.containers{web}`. */
  readonly fieldPath?: string
}

export interface EventRecorderOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** Who tells: `deployment-controller`. */
  readonly component: string
  /** The node on which it runs, if that matters. */
  readonly host?: string
}

/** How many events may wait to be written; further ones are dropped. */
const QUEUE_LIMIT = 1000

/** An {@link EventRecorder} that repeats itself by counting up and not by writing more events. Disposing it drops what waits. */
export function eventRecorder(options: EventRecorderOptions): EventRecorder & Disposable {
  const { client, clock, log } = options
  const correlator = new EventCorrelator(clock)
  const waiting: CorrelatedEvent[] = []
  let isWriting = false
  let ended = false
  let sequence = 0

  const write = async () => {
    isWriting = true
    for (let next = waiting.shift(); next && !ended; next = waiting.shift()) {
      try {
        await writeEvent(client, next, eventName(next, clock, sequence++))
      } catch (error) {
        log.verbose('an event could not be written', { reason: next.reason, object: next.about.metadata.name, error })
      }
    }
    isWriting = false
  }

  return {
    record(about, type, reason, message) {
      if (ended || waiting.length >= QUEUE_LIMIT) return
      const event = correlator.correlate({ about, type, reason, message, component: options.component, host: options.host ?? '' })
      if (!event) return
      waiting.push(event)
      if (!isWriting) void write()
    },
    [Symbol.dispose]() {
      ended = true
      waiting.length = 0
    },
  }
}

async function writeEvent(client: Client, event: CorrelatedEvent, name: string): Promise<void> {
  const known = event.series
  if (known.name !== '') {
    try {
      const body = { count: event.count, lastTimestamp: timeOf(event.lastMs), message: event.message }
      await client.patch(Event, { namespace: namespaceOf(event), name: known.name }, { type: 'merge', body })
      return
    } catch (error) {
      if (reasonOf(error) !== 'NotFound') throw error
    }
  }
  known.name = name
  await client.create(Event, eventOf(event, name))
}

function eventOf(event: CorrelatedEvent, name: string) {
  const { about, component, host } = event
  const namespace = namespaceOf(event)
  const { apiVersion, kind, metadata, fieldPath } = about
  return {
    metadata: { name, namespace },
    involvedObject: {
      kind,
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
      apiVersion,
      resourceVersion: metadata.resourceVersion,
      fieldPath,
    },
    reason: event.reason,
    message: event.message,
    source: { component, host },
    firstTimestamp: timeOf(event.firstMs),
    lastTimestamp: timeOf(event.lastMs),
    count: event.count,
    type: event.type,
    reportingComponent: component,
    reportingInstance: host,
  }
}

const namespaceOf = (event: CorrelatedEvent) => event.about.metadata.namespace || 'default'

/** The object's name and the nanoseconds of the moment, in hexadecimal; the sequence tells events of one millisecond apart. */
function eventName(event: CorrelatedEvent, clock: Clock, sequence: number): string {
  const nanos = BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(sequence % 1_000_000)
  return `${event.about.metadata.name}.${nanos.toString(16)}`
}
