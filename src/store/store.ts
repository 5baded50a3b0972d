/**
 * Where a cluster's state lives: etcd's contract, bytes only, nothing of Kubernetes. What every implementation must hold is in RULES.md and
 * proved by store.suite.ts.
 *
 * Keys are strings in the order of their UTF-8 bytes, not empty, without characters beyond U+FFFF. A new store is at revision 1; each
 * transaction that changes something takes the next revision. Values are read-only for both sides once handed over: nobody copies them.
 */
export interface Store {
  /** The keys in a range, as of one revision. Rejects with CompactedError, FutureRevisionError or CorruptError. */
  range(options: RangeOptions): Promise<RangeResult>
  /** Embedded engines only: {@link range} without waiting. Throws what `range` rejects with. */
  rangeNow?(options: RangeOptions): RangeResult
  /** Embedded engines only: the newest revision that reads and watches show. */
  revisionNow?(): number
  /**
   * Embedded engines only: what the newest revision was at a time (milliseconds since 1970), or when a revision came; to the second over
   * restarts. Undefined if that is not kept any more, or has not happened yet.
   */
  momentAt?(at: { readonly atMs: number } | { readonly revision: number }): StoreMoment | undefined
  /**
   * Compares, then runs `success` or `failure`, as one step. Resolves once everything the answer tells of is durable; on embedded engines
   * its events have reached the watches by then. Rejects with NoSpaceError or UnavailableError (see there whether it may have happened).
   */
  txn(txn: Txn): Promise<TxnResult>
  /**
   * Embedded engines only: {@link txn} whose result is there at once, so that the next can build on it without a wait for the disk in between. What
   * the result tells of is durable, and shown, only when `done` has resolved (undefined: it is already). Throws what `txn` rejects with.
   */
  decideNow?(txn: Txn): Decided
  /** Every change of a range from a revision on: each once, in order, until disposed or ended by an error. */
  watch(options: WatchOptions, sink: WatchSink): Watch
  /** Forgets what was superseded at or before `revision`: from then on reads below it and watches from below it are refused. */
  compact(revision: number): Promise<void>
  /** A promise to delete: the keys put with this lease go when it ends. */
  grantLease(ttlSeconds: number): Promise<Lease>
  /** Starts the lease's time anew. Rejects with LeaseNotFoundError once it has ended. */
  keepLeaseAlive(id: number): Promise<Lease>
  /** Ends the lease now and deletes its keys, in one revision. */
  revokeLease(id: number): Promise<void>
  status(): Promise<StoreStatus>
  /** The problems of {@link status} alone, where these can be had for less. Rejects if the store does not answer. */
  problems?(): Promise<readonly string[]>
  /** Ends every watch with ClosedError, finishes what was begun and lets go of the disk or the connection. */
  close(): Promise<void>
}

/** One version of one key. */
export interface KeyValue {
  readonly key: string
  readonly value: Uint8Array
  /** Revision in which the key came into being. */
  readonly createRevision: number
  /** Revision of this version. */
  readonly modRevision: number
  /** 1 for the first version since creation. */
  readonly version: number
  /** The lease the key ends with; 0 for none. */
  readonly lease: number
}

/** `[key, end)`; only `key` without `end`; everything from `key` on if `end` is {@link OPEN_END}. See {@link prefix}. */
export interface KeyRange {
  readonly key: string
  readonly end?: string
}

/** What to read. */
export interface RangeOptions extends KeyRange {
  /** As of this revision; the newest without. */
  readonly revision?: number
  /** At most this many keys; `more` then says whether there are others. */
  readonly limit?: number
  /** Leaves the values empty. */
  readonly keysOnly?: boolean
  /** Only `count`. */
  readonly countOnly?: boolean
  /** Leaves damaged values out and names their keys in `corruptKeys`, instead of refusing the whole range with CorruptError. */
  readonly withoutCorrupt?: boolean
}

/** What was read. */
export interface RangeResult {
  readonly kvs: readonly KeyValue[]
  /** How many keys the range holds, whatever the limit. */
  readonly count: number
  readonly more: boolean
  /** With `withoutCorrupt`: keys that exist but whose value is damaged. Missing if there are none. */
  readonly corruptKeys?: readonly string[]
  /** The store's revision when it answered: a watch from `revision + 1` (without `options.revision`) misses nothing. */
  readonly revision: number
}

/** Something that must hold: `exists` that the key has (or has no) value, `modRevision` that its last change is this one (0: absent). */
export type Compare =
  | { readonly key: string; readonly modRevision: number }
  | { readonly key: string; readonly exists: boolean }
  | { readonly key: string; readonly lease: number }

/** One step of a transaction. All steps see the steps before them and share one revision; no key is put twice. */
export type Operation = PutOperation | DeleteOperation | RangeOperation

export interface PutOperation {
  readonly type: 'put'
  readonly key: string
  readonly value: Uint8Array
  readonly lease?: number
  /** Answers the version before. */
  readonly prevKv?: boolean
}

export interface DeleteOperation extends KeyRange {
  readonly type: 'delete'
  /** Answers what was deleted. */
  readonly prevKv?: boolean
}

export interface RangeOperation extends RangeOptions {
  readonly type: 'range'
}

/** `success` runs if every comparison holds, else `failure`. */
export interface Txn {
  readonly compare?: readonly Compare[]
  readonly success: readonly Operation[]
  readonly failure?: readonly Operation[]
}

export interface TxnResult {
  readonly succeeded: boolean
  /** The revision of this transaction's changes, or the store's if it changed nothing. */
  readonly revision: number
  /** One per operation that ran, in order. */
  readonly results: readonly OperationResult[]
}

/** A transaction that was decided, and when it is durable. If `done` rejects, it did not happen, and nothing that was decided after it. */
export interface Decided {
  readonly result: TxnResult
  readonly done: Promise<void> | undefined
}

export type OperationResult =
  | { readonly type: 'put'; readonly prevKv?: KeyValue }
  | { readonly type: 'delete'; readonly deleted: number; readonly prevKvs?: readonly KeyValue[] }
  | ({ readonly type: 'range' } & RangeResult)

/** What to watch. */
export interface WatchOptions extends KeyRange {
  /** The first revision to deliver; without it, everything after the current one. A future one is waited for. */
  readonly revision?: number
  /** Adds the version before to each event, as far as it is kept. */
  readonly prevKv?: boolean
}

/** A change of one key. A delete's `kv` has the key and, as modRevision, the revision of the delete. */
export interface WatchEvent {
  readonly type: 'put' | 'delete'
  readonly kv: KeyValue
  readonly prevKv?: KeyValue
}

/**
 * Where a watch delivers. Its functions are called one at a time, never from within {@link Store.watch} itself, and must not block; there is
 * no queue behind them on an embedded engine, so who serves slow readers keeps bounded queues of its own. If one throws, the watch ends with that error.
 */
export interface WatchSink {
  /** All events of one or more whole revisions, in order; `revision` is the last of them. */
  events(events: readonly WatchEvent[], revision: number): void
  /** Everything up to `revision` has been delivered. Sent when {@link Watch.requestProgress} asked. */
  progress?(revision: number): void
  /** The last call: CompactedError (list again), ClosedError, UnavailableError, … Not called after the watch was disposed. */
  end(error: Error): void
}

/** A running watch; dispose to end it: nothing is delivered after that. */
export interface Watch extends Disposable {
  /** Asks for {@link WatchSink.progress} with a revision not older than the store's when asked. */
  requestProgress(): void
}

/** A lease and the time it has when nobody keeps it alive. */
export interface Lease {
  readonly id: number
  readonly ttlSeconds: number
}

/** A revision, and since when it was the newest; without `atMs` that is not known. */
export interface StoreMoment {
  readonly revision: number
  readonly atMs?: number
}

export interface StoreStatus {
  readonly engine: 'memory' | 'lmdb' | 'etcd'
  readonly revision: number
  /** Reads and watches below this revision are refused. */
  readonly compactRevision: number
  readonly keys: number
  /** On disk (or in memory), with what could be given back. */
  readonly sizeBytes: number
  readonly sizeInUseBytes: number
  /** Sentences about what is wrong: no space, damaged keys, a lost member. Empty when all is well. */
  readonly problems: readonly string[]
  /** Keys whose current value is damaged and not served. */
  readonly corruptKeys: readonly string[]
}

/** As `end` of a range: no end. As `key`: from the first key. */
export const OPEN_END = '\0'

/** Every key. */
export const everyKey: KeyRange = { key: OPEN_END, end: OPEN_END }

/** The range of all keys that start with `start`. */
export function prefix(start: string): { readonly key: string; readonly end: string } {
  for (let length = start.length; length > 0; length--) {
    const last = start.charCodeAt(length - 1)
    if (last < 0xffff) return { key: start, end: start.slice(0, length - 1) + String.fromCharCode(last === 0xd7ff ? 0xe000 : last + 1) }
  }
  return { key: start || OPEN_END, end: OPEN_END }
}
