import type { Clock, Timer } from '#base/time/clock.ts'
import type { Store, StoreMoment } from './store.ts'
import { StoreError } from './store-errors.ts'

/** Which revision a store was at when, as far back as its history is kept. */
export interface Timeline {
  /** The newest revision there was at a time (milliseconds since 1970); undefined if that is not kept any more. */
  at(atMs: number): Promise<StoreMoment | undefined>
  /** A revision that is kept, and when it came; undefined if it is not kept, or has not happened. */
  of(revision: number): Promise<StoreMoment | undefined>
  /** The newest one. */
  newest(): Promise<StoreMoment>
  /** Something was written: what is kept outside of the engine has to follow. */
  follow(revision: number): void
  stop(): void
}

/** The timeline of a store: embedded engines keep their own; beside etcd it is kept by {@link SampledTimeline}. */
export function timelineOf(store: Store, clock: Clock): Timeline {
  if (!store.momentAt || !store.revisionNow) return new SampledTimeline(store, clock)
  const { momentAt, revisionNow } = store
  const moment = (at: Parameters<typeof momentAt>[0]) => momentAt.call(store, at)
  return {
    at: async atMs => moment({ atMs }),
    of: async revision => moment({ revision }),
    newest: async () => moment({ revision: revisionNow.call(store) }) ?? { revision: revisionNow.call(store) },
    follow: () => undefined,
    stop: () => undefined,
  }
}

/** Where the samples are: outside of everything that upstream reads or compacts by. */
const KEY = 'typernetes.dev/timeline'
const SAMPLE_EVERY_MS = 5000
/** What is older than all that is kept is thinned out by etcd's compaction; this bounds the record if nobody compacts. */
const MAX_SAMPLES = 1000

/** A revision, and when it was the newest. */
type Sample = readonly [revision: number, atMs: number]

/**
 * The timeline of a store that does not know when it was written to: every few seconds in which something was, one of its servers notes the
 * revision in the store itself. A store that nobody writes to is left alone.
 */
export class SampledTimeline implements Timeline {
  readonly #store: Store
  readonly #clock: Clock
  #samples: readonly Sample[] = []
  /** Of the record of samples. */
  #modRevision = 0
  #revision = 0
  #timer: Timer | undefined
  #isStopped = false

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  async at(atMs: number): Promise<StoreMoment | undefined> {
    await this.#load()
    const found = lastOf(this.#samples, sample => sample[1] <= atMs)
    return found && (await this.#isKept(found[0])) ? { revision: found[0], atMs: found[1] } : undefined
  }

  async of(revision: number): Promise<StoreMoment | undefined> {
    const newest = await this.#load()
    if (revision > newest || revision < 1 || !(await this.#isKept(revision))) return undefined
    const found = lastOf(this.#samples, sample => sample[0] <= revision)
    return found ? { revision, atMs: found[1] } : { revision }
  }

  async newest(): Promise<StoreMoment> {
    const revision = await this.#load()
    return (await this.of(revision)) ?? { revision }
  }

  follow(revision: number): void {
    if (revision <= this.#revision) return
    this.#revision = revision
    if (this.#timer || this.#isStopped) return
    this.#timer = this.#clock.after(SAMPLE_EVERY_MS, () => {
      this.#timer = undefined
      this.#sample().catch(() => this.#revision--)
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  async #sample(): Promise<void> {
    const newest = await this.#load()
    if (newest <= this.#modRevision || this.#isStopped) return
    const samples = [...this.#samples, [newest, this.#clock.now()] as const].slice(-MAX_SAMPLES)
    const kept = await this.#oldestKept(samples)
    const value = new TextEncoder().encode(JSON.stringify(samples.slice(kept)))
    await this.#store.txn({ compare: [{ key: KEY, modRevision: this.#modRevision }], success: [{ type: 'put', key: KEY, value }] })
  }

  /** Where the samples begin that can still be read. */
  async #oldestKept(samples: readonly Sample[]): Promise<number> {
    let low = 0
    let high = samples.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (await this.#isKept(samples[middle]![0])) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Reads the record; answers the store's revision. */
  async #load(): Promise<number> {
    const { kvs, revision } = await this.#store.range({ key: KEY })
    const [kv] = kvs
    if (kv && kv.modRevision !== this.#modRevision) {
      this.#modRevision = kv.modRevision
      this.#samples = JSON.parse(new TextDecoder().decode(kv.value)) as Sample[]
    }
    return revision
  }

  async #isKept(revision: number): Promise<boolean> {
    try {
      await this.#store.range({ key: KEY, revision, countOnly: true })
      return true
    } catch (error) {
      if (error instanceof StoreError && (error.code === 'compacted' || error.code === 'futureRevision')) return false
      throw error
    }
  }
}

function lastOf(samples: readonly Sample[], is: (sample: Sample) => boolean): Sample | undefined {
  for (let index = samples.length - 1; index >= 0; index--) if (is(samples[index]!)) return samples[index]
  return undefined
}
