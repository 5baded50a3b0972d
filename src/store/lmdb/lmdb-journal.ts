import { statfsSync } from 'node:fs'
import { open, type RootDatabase } from 'lmdb'
import type { Clock, Timer } from '#base/time/clock.ts'
import type { Journal, JournalEntry } from '../embedded/journal.ts'
import type { Change, Version } from '../embedded/state.ts'
import { CorruptError, DamagedStoreError, FatalStoreError, NoSpaceError } from '../store-errors.ts'
import { PAGE_BYTES } from './database-file.ts'
import { isRecordOf, readNumber, recordBytes, recordedValue, recordKey, revisionOf, writeNumber, writeRecord } from './record.ts'
import type { Found } from './recover.ts'

/** Where the journal writes, and how much it may. */
export interface LmdbJournalOptions {
  readonly directory: string
  /** As {@link databaseFile} answers it. */
  readonly path: string
  readonly maxSizeBytes: number
  readonly clock: Clock
}

/** The store's own records, below every revision: how far history is compacted, and the leases. */
const COMPACTED_KEY = recordKey(0, 1)
const LEASE_SPACE = 2
const TIME_SPACE = 3
const FIRST_CHANGE_KEY = recordKey(1, 0)

function leaseKey(id: number): Buffer {
  return Buffer.concat([recordKey(0, LEASE_SPACE), recordKey(id, 0)])
}

function timeKey(revision: number): Buffer {
  return Buffer.concat([recordKey(0, TIME_SPACE), recordKey(revision, 0)])
}

/** How exactly it is kept when a revision came. */
const TIME_EVERY_MS = 1000
/** How many forgotten records go with a commit that is made anyway, and with one made for them. */
const FORGET_WITH_COMMIT = 64
const FORGET_WHEN_IDLE = 512
const FORGET_AFTER_MS = 200
/** What a commit may need beyond its records: changed pages of the tree and of the list of free pages. */
const COMMIT_OVERHEAD_BYTES = 512 * 1024
const INPUT_OUTPUT_ERROR = 5
const NO_SPACE_ERROR = 28
const MAP_FULL_ERROR = -30792

/** What one transaction does. */
interface Writes {
  readonly puts: (readonly [key: Buffer, value: Buffer])[]
  readonly removes: Buffer[]
}

/**
 * The changes of a store as records of an LMDB file, in the order of their revisions. One `append` is one LMDB transaction; without
 * overlapping sync, LMDB says it is committed only after fdatasync of the pages and a synchronous write of the root.
 */
export class LmdbJournal implements Journal {
  readonly #options: LmdbJournalOptions
  readonly #database: RootDatabase<Buffer, Buffer>
  readonly #damaged = new Map<string, number>()
  #forgotten: Version[] = []
  #forgetting: { at: number; idle: Timer | undefined } = { at: 0, idle: undefined }
  #appending = false
  #lastAppend: Promise<void> = Promise.resolve()
  #full: NoSpaceError | undefined
  #measuredBytes = Number.MAX_SAFE_INTEGER
  #appendedBytes = 0
  #closed = false
  #lastTimeMs = 0
  #scratch: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  /** Values that were read when the store was opened, until they are asked for or something is written. */
  #opened: Map<Version, Uint8Array> | undefined

  constructor(options: LmdbJournalOptions) {
    this.#options = options
    this.#database = open<Buffer, Buffer>({
      path: options.path,
      noSubdir: true,
      keyEncoding: 'binary',
      encoding: 'binary',
      cache: false,
      overlappingSync: false,
      eventTurnBatching: false,
      pageSize: PAGE_BYTES,
      mapSize: 2 * options.maxSizeBytes,
    })
  }

  /** Everything on disk. */
  find(): Pick<Found, 'records' | 'compactRevision' | 'leases' | 'times'> {
    const compacted = this.#database.getBinary(COMPACTED_KEY)
    const leases = new Map<number, number>()
    for (const { key, value } of this.#database.getRange({ start: leaseKey(0), end: recordKey(0, LEASE_SPACE + 1) })) {
      leases.set(revisionOf(key.subarray(COMPACTED_KEY.length))[0], this.#number(value))
    }
    const times: [number, number][] = []
    for (const { key, value } of this.#database.getRange({ start: timeKey(0), end: recordKey(0, TIME_SPACE + 1) })) {
      times.push([revisionOf(key.subarray(COMPACTED_KEY.length))[0], this.#number(value)])
    }
    return {
      times,
      records: this.#database.getRange({ start: FIRST_CHANGE_KEY }),
      compactRevision: compacted ? this.#number(compacted) : 0,
      leases,
    }
  }

  /**
   * These were read and checked already. Who opens a store reads all of it next: each of them is handed out once and not read a second time.
   */
  handOut(values: Map<Version, Uint8Array>): void {
    this.#opened = values
  }

  /** A damaged value was found: it is told of until the key is written or deleted. */
  reportDamaged(version: Version): void {
    this.#damaged.set(version.key, version.modRevision)
  }

  // Hot: bench/store.bench.ts
  async append(entries: readonly JournalEntry[]): Promise<void> {
    const changes = entries.flatMap(entry => entry.changes)
    const size = sizeOf(changes)
    this.#opened = undefined
    this.#refuseIfFull(changes, size)
    const forgotten = this.#nextForgotten(FORGET_WITH_COMMIT + 2 * entries.length)
    const time = this.#timeOf(changes)
    await this.#transaction(() => {
      const puts: [Buffer, Buffer][] = []
      const removes: Buffer[] = []
      const buffer = this.#scratchOf(size)
      let offset = 0
      for (const change of changes) {
        const end = writeRecord(buffer, offset, change)
        puts.push([recordKey(change.version.modRevision, change.version.sub), buffer.subarray(offset, end)])
        offset = end
      }
      for (const { granted = [], ended = [], compactRevision } of entries) {
        for (const [id, ttlSeconds] of granted) puts.push([leaseKey(id), writeNumber(ttlSeconds)])
        for (const id of ended) removes.push(leaseKey(id))
        if (compactRevision) {
          puts.push([COMPACTED_KEY, writeNumber(compactRevision)])
          removes.push(...this.#timesPast(compactRevision))
        }
      }
      if (time) puts.push([timeKey(time.revision), writeNumber(time.atMs)])
      for (const { modRevision, sub } of forgotten) removes.push(recordKey(modRevision, sub))
      return { puts, removes }
    })
    this.#forgetting.at += forgotten.length
    if (time) this.#lastTimeMs = time.atMs
    if (this.#damaged.size > 0) for (const { version } of changes) this.#damaged.delete(version.key)
  }

  refuses(changes: readonly Change[]): NoSpaceError | undefined {
    if (!this.#full || !changes.some(change => change.type === 'put')) return undefined
    try {
      this.#refuseIfFull(changes, sizeOf(changes))
    } catch (error) {
      if (error instanceof NoSpaceError) return error
      throw error
    }
    return undefined
  }

  read(version: Version): Uint8Array {
    const opened = this.#opened?.get(version)
    if (opened) {
      this.#opened!.delete(version)
      return opened
    }
    const key = recordKey(version.modRevision, version.sub)
    let record = this.#database.getBinary(key)
    if (!record) {
      this.#database.resetReadTxn()
      record = this.#database.getBinary(key)
    }
    const value = record && isRecordOf(record, version) ? recordedValue(record) : undefined
    if (value) return value
    throw new CorruptError(version.key, version.modRevision)
  }

  forget(versions: readonly Version[]): void {
    if (versions.length === 0) return
    this.#forgotten = this.#forgotten.slice(this.#forgetting.at).concat(versions)
    this.#forgetting.at = 0
    this.#forgetWhenIdle()
  }

  measure(): ReturnType<Journal['measure']> {
    const { all, inUse } = this.#pages()
    const damaged = [...this.#damaged].map(([key, revision]) => new CorruptError(key, revision).message)
    return {
      sizeBytes: all,
      sizeInUseBytes: inUse,
      problems: this.#full ? [this.#full.message, ...damaged] : damaged,
      corruptKeys: [...this.#damaged.keys()],
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#forgetting.idle?.cancel()
    await this.#lastAppend
    await this.#database.close()
  }

  /** What is noted of when these changes came: nothing, if something was a moment ago. */
  #timeOf(changes: readonly Change[]): { revision: number; atMs: number } | undefined {
    const atMs = this.#options.clock.now()
    const isSoon = atMs >= this.#lastTimeMs && atMs < this.#lastTimeMs + TIME_EVERY_MS
    return changes.length === 0 || isSoon ? undefined : { revision: changes[0]!.version.modRevision, atMs }
  }

  /** What need not be known any more once history is compacted: of the times before, the last still says when that revision came. */
  #timesPast(revision: number): Buffer[] {
    return [...this.#database.getKeys({ start: timeKey(0), end: timeKey(revision + 1) })].slice(0, -1)
  }

  /** LMDB is not let run into a full disk if that can be seen before. Deletes may go beyond the greatest size: they make room. */
  #refuseIfFull(changes: readonly Change[], size: number): void {
    const { directory, maxSizeBytes } = this.#options
    const { bavail, bsize } = statfsSync(directory)
    this.#appendedBytes += 2 * size
    if (this.#measuredBytes + this.#appendedBytes > maxSizeBytes) {
      this.#measuredBytes = this.#pages().inUse
      this.#appendedBytes = 2 * size
    }
    const beyond = this.#measuredBytes + this.#appendedBytes > maxSizeBytes && changes.some(change => change.type === 'put')
    if (beyond) this.#full = new NoSpaceError(`${directory} (its greatest size is ${maxSizeBytes} bytes)`)
    else this.#full = bavail * bsize < 2 * size + COMMIT_OVERHEAD_BYTES ? new NoSpaceError(directory) : undefined
    if (this.#full) throw this.#full
  }

  #pages(): { all: number; inUse: number } {
    const { lastPageNumber, pageSize, root } = this.#database.getStats() as { lastPageNumber: number; pageSize: number; root: Pages }
    const inUse = root.treeBranchPageCount + root.treeLeafPageCount + root.overflowPages
    return { all: (lastPageNumber + 1) * pageSize, inUse: inUse * pageSize }
  }

  /**
   * Writes what `prepare` answers in one LMDB transaction of its own; resolves once it is durable. `prepare` is called when it is its turn,
   * and finishes before anything is handed on: nothing is half written if it throws.
   *
   * Hot: bench/apiserver — a batch is carried out by LMDB's thread alone. A transaction with a function to call inside would have that thread
   * wait for this one, and wake it, once more: a third of what a lone commit costs.
   */
  async #transaction(prepare: () => Writes): Promise<void> {
    while (this.#appending) await this.#lastAppend
    const { puts, removes } = prepare()
    this.#appending = true
    const done = this.#database.batch(() => {
      for (const [key, value] of puts) void this.#database.put(key, value)
      for (const key of removes) void this.#database.remove(key)
    })
    this.#lastAppend = done.then(
      () => this.#ended(),
      () => this.#ended(),
    )
    try {
      await done
    } catch (error) {
      throw await this.#explain(error)
    }
  }

  #ended(): void {
    this.#appending = false
  }

  /** Tells a full disk, of which LMDB recovers, from a broken one. A short write because of a full disk is an input/output error to LMDB. */
  async #explain(error: unknown): Promise<Error> {
    const cause: unknown = await Promise.resolve((error as { commitError?: unknown }).commitError).catch((reason: unknown) => reason)
    const origin = cause ?? error
    const { code } = origin as { code?: unknown }
    const { bavail, bsize } = statfsSync(this.#options.directory)
    const nearlyFull = bavail * bsize < 4 * COMMIT_OVERHEAD_BYTES
    if (code === NO_SPACE_ERROR || code === MAP_FULL_ERROR || (code === INPUT_OUTPUT_ERROR && nearlyFull)) {
      this.#full = new NoSpaceError(this.#options.directory, origin)
      return this.#full
    }
    return new FatalStoreError(this.#options.directory, origin)
  }

  #number(record: Buffer): number {
    const value = readNumber(record)
    if (value === undefined) throw new DamagedStoreError(this.#options.directory, 'its own records are damaged')
    return value
  }

  /** Room to write records in; LMDB has copied them when a put returns. */
  #scratchOf(size: number): Buffer {
    if (this.#scratch.length < size) this.#scratch = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#scratch.length))
    return this.#scratch
  }

  #nextForgotten(count: number): readonly Version[] {
    return this.#forgotten.slice(this.#forgetting.at, this.#forgetting.at + count)
  }

  #forgetWhenIdle(): void {
    if (this.#forgetting.idle || this.#closed || this.#forgetting.at >= this.#forgotten.length) return
    this.#forgetting.idle = this.#options.clock.after(FORGET_AFTER_MS, () => void this.#forgetSome())
  }

  async #forgetSome(): Promise<void> {
    this.#forgetting.idle = undefined
    if (this.#closed || this.#appending) return this.#forgetWhenIdle()
    const forgotten = this.#nextForgotten(FORGET_WHEN_IDLE)
    this.#forgetting.at += forgotten.length
    try {
      await this.#transaction(() => ({ puts: [], removes: forgotten.map(({ modRevision, sub }) => recordKey(modRevision, sub)) }))
    } catch {
      // Nothing depends on it: the records are forgotten when the store is opened the next time.
    }
    this.#forgetWhenIdle()
  }
}

interface Pages {
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

function sizeOf(changes: readonly Change[]): number {
  let size = 0
  for (const change of changes) size += recordBytes(change)
  return size
}
