import type { Clock } from '#base/time/clock.ts'
import type {
  Decided,
  KeyValue,
  Lease,
  RangeOptions,
  RangeResult,
  Store,
  StoreMoment,
  StoreStatus,
  Txn,
  TxnResult,
  Watch,
  WatchOptions,
  WatchSink,
} from '../store.ts'
import {
  ClosedError,
  FatalStoreError,
  FutureRevisionError,
  InvalidRequestError,
  LeaseNotFoundError,
  NoSpaceError,
} from '../store-errors.ts'
import { evaluate, evaluateRevoke, type Reader, readRange } from './evaluate.ts'
import { History, type Moment } from './history.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { LeaseDeadlines } from './lease-deadlines.ts'
import { emptyState, type State, type Version } from './state.ts'
import { Watches } from './watches.ts'

/** How much of the past is kept: what is both older than `forMs` or beyond `revisions` newer ones goes. */
export interface Retention {
  readonly forMs: number
  readonly revisions: number
}

export interface EmbeddedStoreOptions {
  readonly engine: 'memory' | 'lmdb'
  readonly clock: Clock
  readonly retention: Retention
  /** Lets others have a turn. */
  readonly nextTurn: () => Promise<void>
  /** Without one, everything is in memory and nothing is waited for. */
  readonly journal?: Journal
  readonly state?: State
  readonly history?: History
  /** The disk failed: nothing works any more, the process should end. */
  readonly onFatal?: (error: FatalStoreError) => void
}

/** How many revisions are looked through in one turn for what is to be given back. */
const GIVEN_BACK_AT_ONCE = 5_000
/** The most that is put into one commit, so that the first of a crowd does not wait for the last. */
const MAX_BATCH = 1024
const MAX_BATCH_BYTES = 8 * 2 ** 20

/**
 * A store in this process. Transactions are decided at once, one after another, on `head`; with a journal they then wait in a queue, and all that came
 * while one commit was under way share the next. What is not durable is shown to nobody: reads and watches see `visible`, and every
 * answer waits for what it was decided on.
 */
export class EmbeddedStore implements Store {
  protected readonly options: EmbeddedStoreOptions
  protected readonly history: History
  #head: State
  #visible: State
  #queue: Waiting[] = []
  #committing: Promise<void> | undefined
  #failure: Error | undefined
  #closing: Promise<void> | undefined
  readonly #journal: Journal | undefined
  readonly #watches: Watches
  readonly #reader: Reader
  readonly #deadlines: LeaseDeadlines
  #lastLease = 0
  /** What was there when the store was opened: its own moment may not be known. */
  readonly #opened: Required<StoreMoment>

  constructor(options: EmbeddedStoreOptions) {
    this.options = options
    this.history = options.history ?? new History()
    this.#journal = options.journal
    this.#head = this.#visible = options.state ?? emptyState
    this.#opened = { revision: this.#visible.revision, atMs: options.clock.now() }
    this.#reader = {
      toKeyValue: this.#journal ? version => this.#load(version) : inMemory,
      stateAt: revision => this.history.stateAt(revision),
    }
    this.#watches = new Watches({
      history: this.history,
      toKeyValue: version => this.#reader.toKeyValue(version),
      revision: () => this.#visible.revision,
      nextTurn: options.nextTurn,
    })
    this.#deadlines = new LeaseDeadlines(options.clock, id => this.revokeLease(id))
    this.#journal?.onBroken?.(error => this.#undo([], error))
    this.#head.leases.visit((ttlSeconds, id) => {
      this.#lastLease = Math.max(this.#lastLease, Number(id))
      this.#deadlines.start(Number(id), ttlSeconds)
    })
  }

  /** What reads and watches show. */
  protected get state(): State {
    return this.#visible
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    return this.rangeNow(options)
  }

  rangeNow(options: RangeOptions): RangeResult {
    if (this.#failure) throw this.#failure
    return readRange(this.#visible, options, this.#reader)
  }

  revisionNow(): number {
    return this.#visible.revision
  }

  momentAt(at: { readonly atMs: number } | { readonly revision: number }): StoreMoment | undefined {
    const { history } = this
    if ('revision' in at) {
      const { revision } = at
      if (revision < Math.max(1, history.compactRevision) || revision > this.#visible.revision) return undefined
      const atMs = history.timeOf(revision) ?? (revision === this.#opened.revision ? this.#opened.atMs : undefined)
      return atMs === undefined ? { revision } : { revision, atMs }
    }
    const revision = history.revisionAt(at.atMs)
    if (revision > 0) return { revision, atMs: history.timeOf(revision)! }
    return at.atMs >= this.#opened.atMs && this.#opened.revision >= history.compactRevision ? this.#opened : undefined
  }

  async txn(txn: Txn): Promise<TxnResult> {
    const { result, done } = this.decideNow(txn)
    if (done) await done
    return result
  }

  decideNow(txn: Txn): Decided {
    if (this.#failure) throw this.#failure
    const { state, changes, result } = evaluate(this.#head, txn, this.#reader)
    const refusal = this.#journal?.refuses(changes)
    if (refusal) throw refusal
    return { result, done: this.#commit({ changes }, state) }
  }

  watch(options: WatchOptions, sink: WatchSink): Watch {
    if (this.#failure) throw this.#failure
    return this.#watches.watch(options, sink)
  }

  async compact(revision: number): Promise<void> {
    if (this.#failure) throw this.#failure
    if (revision > this.#visible.revision) throw new FutureRevisionError(revision, this.#visible.revision)
    if (revision <= this.history.compactRevision) return
    await this.#commit({ changes: [], compactRevision: revision }, this.#head)
  }

  async grantLease(ttlSeconds: number): Promise<Lease> {
    if (this.#failure) throw this.#failure
    if (!(ttlSeconds > 0)) throw new InvalidRequestError(`a lease cannot live ${ttlSeconds} seconds`)
    const id = ++this.#lastLease
    const leases = this.#head.leases.set(String(id), ttlSeconds)
    await this.#commit({ changes: [], granted: [[id, ttlSeconds]] }, { ...this.#head, leases })
    this.#deadlines.start(id, ttlSeconds)
    return { id, ttlSeconds }
  }

  async keepLeaseAlive(id: number): Promise<Lease> {
    if (this.#failure) throw this.#failure
    const ttlSeconds = this.#head.leases.get(String(id))
    if (ttlSeconds === undefined || !this.#deadlines.has(id)) throw new LeaseNotFoundError(id)
    this.#deadlines.start(id, ttlSeconds)
    return { id, ttlSeconds }
  }

  async revokeLease(id: number): Promise<void> {
    if (this.#failure) throw this.#failure
    const { state, changes } = evaluateRevoke(this.#head, id)
    await this.#commit({ changes, ended: [id] }, state)
    this.#deadlines.end(id)
  }

  async status(): Promise<StoreStatus> {
    const measured = this.#journal?.measure() ?? { sizeBytes: 0, sizeInUseBytes: 0, problems: [], corruptKeys: [] }
    const { revision, keys } = this.#visible
    const problems = this.#failure ? [this.#failure.message, ...measured.problems] : measured.problems
    return { engine: this.options.engine, revision, compactRevision: this.history.compactRevision, keys: keys.size, ...measured, problems }
  }

  close(): Promise<void> {
    this.#closing ??= this.finish()
    return this.#closing
  }

  /** What closing does, once. */
  protected async finish(): Promise<void> {
    this.#failure = new ClosedError()
    this.#deadlines.stop()
    while (this.#committing) await this.#committing
    this.#watches.end(new ClosedError())
    await this.#journal?.close()
  }

  /** Makes `state` the head and keeps `entry`. With a journal, answers when that is durable and shown. */
  #commit(entry: JournalEntry, state: State): Promise<void> | undefined {
    this.#head = state
    if (!this.#journal) {
      this.#show([{ entry, state }])
      return undefined
    }
    const empty = entry.changes.length === 0 && !entry.granted && !entry.ended && !entry.compactRevision
    if (empty && !this.#committing) return undefined
    const done = new Promise<void>((resolve, reject) => this.#queue.push({ entry, state, empty, resolve, reject }))
    this.#committing ??= this.#commitAll(this.#journal).finally(() => {
      this.#committing = undefined
    })
    return done
  }

  // Hot: bench/store.bench.ts
  async #commitAll(journal: Journal): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather()
      const batch = this.#queue.splice(0, batchLength(this.#queue))
      try {
        const entries = batch.filter(each => !each.empty).map(each => each.entry)
        if (entries.length > 0) await journal.append(entries)
      } catch (error) {
        this.#undo(batch, error)
        continue
      }
      this.#show(batch)
      for (const waiting of batch) waiting.resolve()
    }
  }

  /** Waits for those who write at the same time: as long as each turn brings more of them, and not for long. */
  async #gather(): Promise<void> {
    for (let turn = 0, before = 0; turn < GATHERING_TURNS && this.#queue.length > before; turn++) {
      before = this.#queue.length
      await this.options.nextTurn()
    }
  }

  /** What failed never happened, nor did what was decided on top of it. */
  #undo(batch: readonly Waiting[], error: unknown): void {
    const failed = [...batch, ...this.#queue]
    this.#queue = []
    this.#head = this.#visible
    let reason = error
    if (!(error instanceof NoSpaceError)) {
      const fatal = error instanceof FatalStoreError ? error : new FatalStoreError(this.options.engine, error)
      reason = this.#failure = fatal
      this.#deadlines.stop()
      this.#watches.end(fatal)
      this.options.onFatal?.(fatal)
    }
    for (const waiting of failed) waiting.reject(reason)
  }

  #show(batch: readonly Pick<Waiting, 'entry' | 'state'>[]): void {
    const atMs = this.options.clock.now()
    const moments: Moment[] = []
    for (const { entry, state } of batch) {
      if (entry.changes.length > 0) {
        const moment = { revision: state.revision, atMs, changes: entry.changes }
        moments.push(moment)
        this.history.append(moment, state)
      }
      this.#visible = state
    }
    if (moments.length > 0) this.#watches.publish(moments)
    if (this.#journal) for (const { changes } of moments) for (const change of changes) change.version.value = undefined
    for (const { entry } of batch) if (entry.compactRevision) this.#forget(entry.compactRevision)
    if (moments.length > 0) this.#forgetOld(atMs)
  }

  /** Compacts once a little more than wanted is kept: often enough that each time is short for those who wait, and not with each write. */
  #forgetOld(nowMs: number): void {
    const { forMs, revisions } = this.options.retention
    const old =
      this.history.length > revisions * KEPT_BEYOND
        ? this.history.revisionBefore(revisions)
        : this.history.revisionAt(nowMs - forMs * KEPT_BEYOND)
    if (old <= this.history.compactRevision) return
    const upTo = Math.max(old, this.history.revisionAt(nowMs - forMs))
    void this.#commit({ changes: [], compactRevision: upTo }, this.#head)?.catch(() => {})
  }

  #forget(revision: number): void {
    if (revision <= this.history.compactRevision) return
    const compacted = this.history.compact(revision)
    if (this.#journal) void this.#giveBack(this.#journal, compacted)
  }

  /**
   * Tells the journal what nobody can read any more. With the compaction that is decided for everyone at once; looking it up again is not, and
   * takes turns with the rest: of half a million revisions it keeps a core busy for 0.2 seconds. Where it ends early, opening the store finishes it.
   */
  async #giveBack(journal: Journal, { superseding, ended }: ReturnType<History['compact']>): Promise<void> {
    const portions = [...inPortions(superseding, replacedIn), ...inPortions(ended, deletedIn)]
    for (const [index, portion] of portions.entries()) {
      if (index > 0) await this.options.nextTurn()
      if (this.#failure) return
      journal.forget(portion())
    }
  }

  #load(version: Version): KeyValue {
    const { key, createRevision, modRevision, version: number, lease } = version
    return { key, value: version.value ?? this.#journal!.read(version), createRevision, modRevision, version: number, lease }
  }
}

const KEPT_BEYOND = 1.02

/** A commit costs about as much as ten writes, and a turn of the event loop hardly anything. */
const GATHERING_TURNS = 8

/** How many of those waiting go into the next commit. */
function batchLength(queue: readonly Waiting[]): number {
  let bytes = 0
  let length = 0
  while (length < queue.length && length < MAX_BATCH && bytes < MAX_BATCH_BYTES) {
    for (const { version } of queue[length++]!.entry.changes) bytes += version.value!.length
  }
  return length
}

interface Waiting {
  readonly entry: JournalEntry
  readonly state: State
  /** Nothing to write: it only waits for those before it. */
  readonly empty: boolean
  resolve(): void
  reject(error: unknown): void
}

/** Hot: without a journal an index entry is the answer. */
function inMemory(version: Version): KeyValue {
  return version as KeyValue
}

/** What `of` finds in the moments, some of them at a time, each looked for when it is called. */
function* inPortions(moments: readonly Moment[], of: (portion: readonly Moment[]) => Version[]): Generator<() => Version[]> {
  for (let start = 0; start < moments.length; start += GIVEN_BACK_AT_ONCE) yield () => of(moments.slice(start, start + GIVEN_BACK_AT_ONCE))
}

const replacedIn = (moments: readonly Moment[]) =>
  moments.flatMap(({ changes }) => changes.flatMap(({ previous }) => (previous ? [previous] : [])))

const deletedIn = (moments: readonly Moment[]) =>
  moments.flatMap(({ changes }) => changes.flatMap(({ type, version }) => (type === 'delete' ? [version] : [])))
