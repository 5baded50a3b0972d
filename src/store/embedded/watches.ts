import type { KeyValue, Watch, WatchEvent, WatchOptions, WatchSink } from '../store.ts'
import { CompactedError, InvalidRequestError, StoreError } from '../store-errors.ts'
import { checkRange, inRange, type Reader } from './evaluate.ts'
import type { History, Moment } from './history.ts'
import type { Change } from './state.ts'

/** How many changes a watch that catches up with the past is given per turn. */
const CATCH_UP_CHANGES = 1000

/** What the watches need of their store. */
export interface WatchSource extends Pick<Reader, 'toKeyValue'> {
  readonly history: History
  /** The newest revision that was handed to {@link Watches.publish}. */
  revision(): number
  /** Lets others have a turn, between two portions of the past. */
  readonly nextTurn: () => Promise<void>
}

/**
 * The watches of an embedded engine. One that is behind reads the history in portions; once it has seen everything it is live and is handed
 * what is published, synchronously. So nothing is queued for it, whatever its pace.
 */
export class Watches {
  readonly #source: WatchSource
  readonly #watchers = new Set<Watcher>()
  readonly #published: Array<readonly Moment[]> = []
  #delivering = false

  constructor(source: WatchSource) {
    this.#source = source
  }

  get size(): number {
    return this.#watchers.size
  }

  watch(options: WatchOptions, sink: WatchSink): Watch {
    checkRange(options)
    if (options.revision !== undefined && !(options.revision >= 0)) throw new InvalidRequestError(`${options.revision} is no revision`)
    const watcher: Watcher = {
      options,
      sink,
      next: options.revision || this.#source.revision() + 1,
      live: false,
      asked: false,
      ended: false,
    }
    this.#watchers.add(watcher)
    void Promise.resolve().then(() => this.#catchUp(watcher))
    return {
      requestProgress: () => {
        if (watcher.ended) return
        watcher.asked = true
        if (watcher.live) void Promise.resolve().then(() => this.#answerProgress(watcher))
      },
      [Symbol.dispose]: () => {
        watcher.ended = true
        this.#watchers.delete(watcher)
      },
    }
  }

  /** Hands new moments to the live watches. Called from within a sink, it is done after what is being delivered. */
  publish(moments: readonly Moment[]): void {
    this.#published.push(moments)
    if (this.#delivering) return
    this.#delivering = true
    try {
      for (let batch = this.#published.shift(); batch; batch = this.#published.shift()) {
        const translator = new Translator(this.#source)
        for (const watcher of this.#watchers) if (watcher.live) this.#deliver(watcher, batch, translator)
      }
    } finally {
      this.#delivering = false
    }
  }

  /** Ends every watch. */
  end(error: Error): void {
    for (const watcher of this.#watchers) this.#end(watcher, error)
  }

  async #catchUp(watcher: Watcher): Promise<void> {
    const { history } = this.#source
    while (!watcher.ended) {
      if (watcher.next < history.compactRevision) return this.#end(watcher, new CompactedError(watcher.next, history.compactRevision))
      const moments = watcher.next > this.#source.revision() ? [] : history.from(watcher.next, CATCH_UP_CHANGES)
      if (moments.length === 0) break
      this.#deliver(watcher, moments, new Translator(this.#source))
      if (watcher.next <= this.#source.revision()) await this.#source.nextTurn()
    }
    watcher.live = true
    this.#answerProgress(watcher)
  }

  #answerProgress(watcher: Watcher): void {
    if (watcher.ended || !watcher.asked) return
    watcher.asked = false
    try {
      watcher.sink.progress?.(this.#source.revision())
    } catch (error) {
      this.#end(watcher, asError(error))
    }
  }

  #deliver(watcher: Watcher, moments: readonly Moment[], translator: Translator): void {
    const { options } = watcher
    const events: WatchEvent[] = []
    try {
      for (const moment of moments) {
        if (moment.revision < watcher.next) continue
        for (const change of moment.changes) {
          if (inRange(options, change.version.key)) events.push(translator.eventOf(change, options.prevKv === true))
        }
      }
      const last = moments.at(-1)!.revision
      watcher.next = Math.max(watcher.next, last + 1)
      if (events.length > 0) watcher.sink.events(events, last)
    } catch (error) {
      this.#end(watcher, asError(error))
    }
  }

  #end(watcher: Watcher, error: Error): void {
    if (watcher.ended) return
    watcher.ended = true
    this.#watchers.delete(watcher)
    watcher.sink.end(error)
  }
}

interface Watcher {
  readonly options: WatchOptions
  readonly sink: WatchSink
  /** The next revision to deliver. */
  next: number
  live: boolean
  asked: boolean
  ended: boolean
}

/** Changes as events, each made once per delivery, however many watches see it. */
class Translator {
  readonly #source: WatchSource
  readonly #events = new Map<Change, WatchEvent>()
  readonly #withPrevious = new Map<Change, WatchEvent>()

  constructor(source: WatchSource) {
    this.#source = source
  }

  eventOf(change: Change, withPrevious: boolean): WatchEvent {
    const known = withPrevious ? this.#withPrevious : this.#events
    let event = known.get(change)
    if (event) return event
    event = { type: change.type, kv: this.#source.toKeyValue(change.version) }
    const prevKv = withPrevious && change.previous ? this.#previous(change) : undefined
    if (prevKv) event = { ...event, prevKv }
    known.set(change, event)
    return event
  }

  #previous({ version, previous }: Change): KeyValue | undefined {
    if (version.modRevision <= this.#source.history.compactRevision) return undefined
    try {
      return this.#source.toKeyValue(previous!)
    } catch (error) {
      if (error instanceof StoreError) return undefined
      throw error
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
