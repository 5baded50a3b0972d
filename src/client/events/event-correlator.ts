import type { Clock } from '#base/time/clock.ts'
import type { EventSubject } from './event-recorder.ts'

/** What a component has to say about an object. */
export interface EventToTell {
  readonly about: EventSubject
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly component: string
  readonly host: string
}

/** What is to be written: a new event, or a higher count of the one that `series` names. */
export interface CorrelatedEvent extends EventToTell {
  readonly count: number
  readonly firstMs: number
  readonly lastMs: number
  /** Where the name of the written event is kept; '' before the first is written. */
  readonly series: { name: string }
}

/** How many different messages of one kind are told apart before they are combined, and for how long that is remembered. */
const AGGREGATE_AFTER = 10
const AGGREGATE_FOR_MS = 600_000
/** How many events about one object a component may send at once, and how long it takes to earn another. */
const SPAM_BURST = 25
const SPAM_REFILL_MS = 300_000
const REMEMBERED = 4096

interface Series {
  count: number
  firstMs: number
  readonly name: { name: string }
}

/** Keeps the API server from being flooded: equal events are counted, similar ones combined, and who talks too much is not heard. */
export class EventCorrelator {
  readonly #clock: Clock
  readonly #series = new Map<string, Series>()
  readonly #groups = new Map<string, { messages: Set<string>; lastMs: number }>()
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What to write of an event, or undefined if it is one too many. */
  correlate(event: EventToTell): CorrelatedEvent | undefined {
    const { about, component, host } = event
    const { kind, apiVersion, metadata, fieldPath = '' } = about
    const source = `${component} ${host}`
    const object = `${kind} ${metadata.namespace ?? ''} ${metadata.name} ${metadata.uid ?? ''} ${apiVersion}`
    if (!this.#hasToken(`${source} ${object}`)) return undefined
    const group = `${source} ${object} ${fieldPath} ${event.type} ${event.reason}`
    const isOneOfMany = this.#isOneOfMany(group, event.message)
    const message = isOneOfMany ? `(combined from similar events): ${event.message}` : event.message
    const series = this.#seriesOf(isOneOfMany ? group : `${group} ${message}`)
    series.count++
    return { ...event, message, count: series.count, firstMs: series.firstMs, lastMs: this.#clock.now(), series: series.name }
  }

  #hasToken(key: string): boolean {
    const now = this.#clock.monotonic()
    const bucket = this.#buckets.get(key) ?? { tokens: SPAM_BURST, atMs: now }
    bucket.tokens = Math.min(SPAM_BURST, bucket.tokens + (now - bucket.atMs) / SPAM_REFILL_MS)
    bucket.atMs = now
    remember(this.#buckets, key, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  #isOneOfMany(key: string, message: string): boolean {
    const now = this.#clock.monotonic()
    let group = this.#groups.get(key)
    if (!group || now - group.lastMs > AGGREGATE_FOR_MS) group = { messages: new Set(), lastMs: now }
    group.lastMs = now
    if (group.messages.size < AGGREGATE_AFTER) group.messages.add(message)
    remember(this.#groups, key, group)
    return group.messages.size >= AGGREGATE_AFTER
  }

  #seriesOf(key: string): Series {
    const series = this.#series.get(key) ?? { count: 0, firstMs: this.#clock.now(), name: { name: '' } }
    remember(this.#series, key, series)
    return series
  }
}

/** Keeps the latest {@link REMEMBERED} entries. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > REMEMBERED) map.delete(map.keys().next().value!)
}
