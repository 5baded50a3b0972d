import { statfsSync } from 'node:fs'
import { open, type RootDatabase } from 'lmdb'
import type { Clock, Timer } from '#base/time/clock.ts'
import { changesOf, type Journal, type JournalEntry } from '../embedded/journal.ts'
import type { Change, Version } from '../embedded/state.ts'
import { CorruptError, DamagedStoreError, FatalStoreError, NoSpaceError } from '../store-errors.ts'
import { PAGE_BYTES } from './database-file.ts'
import { IDENTITY_BYTES, type Operation } from './log-append.ts'
import { type Entry, Overlay } from './overlay.ts'
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

/** What is noted of a log. */
export interface LogState {
  readonly identity: Buffer
  /** The last of its appends that is in LMDB as well. */
  readonly taken: number
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

/** Leases are counted from 1. */
const FIRST_LEASE_KEY = leaseKey(1)
/**
 * Which log belongs to this file, and how much of it is in here: while this is there, the file alone is not the store. A version that knew no
 * log takes it for the damaged record of a lease and does not open the store.
 */
const LOG_KEY = leaseKey(0)
/** Stands at the end of the record: how the log is written. */
const LOG_FORMAT = Buffer.from([2])
const LOG_RECORD_BYTES = IDENTITY_BYTES + writeNumber(0).length + LOG_FORMAT.length

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
  /** What is free and not spoken for, as far as known. */
  #roomBytes = -1
  #closed = false
  #lastTimeMs = 0
  #noting: number | undefined
  #scratch: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  /** Values that were read when the store was opened, until they are asked for or something is written. */
  #opened: Map<Version, Uint8Array> | undefined
  #overlay: Overlay | undefined

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
    const compacted = this.#get(COMPACTED_KEY)
    const leases = new Map<number, number>()
    for (const { key, value } of this.#range(FIRST_LEASE_KEY, recordKey(0, LEASE_SPACE + 1))) {
      leases.set(revisionOf(key.subarray(COMPACTED_KEY.length))[0], this.#number(value))
    }
    const times: [number, number][] = []
    for (const { key, value } of this.#range(timeKey(0), recordKey(0, TIME_SPACE + 1))) {
      times.push([revisionOf(key.subarray(COMPACTED_KEY.length))[0], this.#number(value)])
    }
    return {
      times,
      records: this.#range(FIRST_CHANGE_KEY),
      compactRevision: compacted ? this.#number(compacted) : 0,
      leases,
    }
  }

  /** Which log there is beside this file, and up to which of its appends is in here already; undefined if there is none. */
  log(): LogState | undefined {
    const record = this.#database.getBinary(LOG_KEY)
    if (!record) return undefined
    if (!record.subarray(-LOG_FORMAT.length).equals(LOG_FORMAT) || record.length !== LOG_RECORD_BYTES) {
      const what = 'its log was left by another version of this program (open it with that one and close it in good order)'
      throw new DamagedStoreError(this.#options.directory, what)
    }
    const taken = this.#number(record.subarray(IDENTITY_BYTES, -LOG_FORMAT.length))
    return { identity: Buffer.from(record.subarray(0, IDENTITY_BYTES)), taken }
  }

  /** From now on these are read as if they had been committed; none if they are. */
  lay(operations: readonly Operation[]): void {
    this.#overlay = operations.length > 0 ? new Overlay(operations) : undefined
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
    const changes = changesOf(entries)
    this.checkRoom(changes)
    await this.commit(this.operationsOf(entries))
    this.appended(changes)
  }

  /**
   * Throws NoSpaceError unless there is room for these beside `waitingBytes` of records that are to be committed before them. LMDB is not let run
   * into a full disk if that can be seen before. Deletes may go beyond the greatest size: they make room.
   */
  checkRoom(changes: readonly Change[], waitingBytes = 0): void {
    const { directory, maxSizeBytes } = this.#options
    const size = 2 * sizeOf(changes)
    this.#appendedBytes += size
    if (this.#measuredBytes + this.#appendedBytes > maxSizeBytes) {
      this.#measuredBytes = this.#pages().inUse
      this.#appendedBytes = size + 2 * waitingBytes
    }
    const beyond = this.#measuredBytes + this.#appendedBytes > maxSizeBytes && changes.some(change => change.type === 'put')
    if (beyond) this.#full = new NoSpaceError(`${directory} (its greatest size is ${maxSizeBytes} bytes)`)
    else this.#full = this.#hasRoom(size, 2 * waitingBytes) ? undefined : new NoSpaceError(directory)
    if (this.#full) throw this.#full
  }

  /** What LMDB is given for these, in its order, their changes first. The records are overwritten when this is called the next time. */
  operationsOf(entries: readonly JournalEntry[]): Operation[] {
    const operations: Operation[] = []
    const changes = changesOf(entries)
    const buffer = this.#scratchOf(sizeOf(changes))
    let offset = 0
    for (const change of changes) {
      const end = writeRecord(buffer, offset, change)
      operations.push({ key: recordKey(change.version.modRevision, change.version.sub), value: buffer.subarray(offset, end) })
      offset = end
    }
    for (const { granted = [], ended = [], compactRevision } of entries) {
      for (const [id, ttlSeconds] of granted) operations.push({ key: leaseKey(id), value: writeNumber(ttlSeconds) })
      for (const id of ended) operations.push({ key: leaseKey(id) })
      if (compactRevision) {
        operations.push({ key: COMPACTED_KEY, value: writeNumber(compactRevision) })
        for (const key of this.#timesPast(compactRevision)) operations.push({ key })
      }
    }
    const time = this.#timeOf(changes)
    if (time) operations.push({ key: timeKey(time.revision), value: writeNumber(time.atMs) })
    this.#noting = time?.atMs
    return operations
  }

  /** The operations that were made last are durable: they are of these changes. */
  appended(changes: readonly Change[]): void {
    this.#opened = undefined
    if (this.#noting !== undefined) this.#lastTimeMs = this.#noting
    if (this.#damaged.size > 0) for (const { version } of changes) this.#damaged.delete(version.key)
  }

  /**
   * Throws NoSpaceError if it can be seen that the disk has no room for these. LMDB recovers of a disk that is full, but lmdb 3.5.6 does not always
   * survive to say so: it writes a message of up to 112 bytes into 100 (`mdb_page_flush`).
   */
  checkDisk(operations: readonly Operation[]): void {
    let bytes = 0
    for (const { key, value } of operations) bytes += key.length + (value?.length ?? 0)
    if (this.#freeBytes() >= 2 * bytes) return
    this.#full = new NoSpaceError(this.#options.directory)
    throw this.#full
  }

  /** Writes in one transaction; resolves once that is durable. Some of what is to be forgotten goes with it. */
  async commit(operations: readonly Operation[]): Promise<void> {
    while (this.#appending) await this.#lastAppend
    const forgotten = this.#nextForgotten(FORGET_WITH_COMMIT + 2 * operations.length)
    await this.#transaction([...operations, ...forgotten.map(removing)])
    this.#forgetting.at += forgotten.length
  }

  refuses(changes: readonly Change[], waitingBytes = 0): NoSpaceError | undefined {
    if (!this.#full || !changes.some(change => change.type === 'put')) return undefined
    try {
      this.checkRoom(changes, waitingBytes)
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
    let record = this.#get(key)
    if (!record) {
      this.#database.resetReadTxn()
      record = this.#get(key)
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

  #get(key: Buffer): Buffer | undefined {
    const ahead = this.#overlay?.get(key)
    return ahead ? ahead.value : this.#database.getBinary(key)
  }

  #range(start: Buffer, end?: Buffer): Iterable<Entry> {
    const records = this.#database.getRange(end ? { start, end } : { start })
    return this.#overlay?.over(records, start, end) ?? records
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

  /** Looks at the disk when LMDB has written to it, and when what was there then is spoken for: not with each append. */
  #hasRoom(bytes: number, waitingBytes: number): boolean {
    if (this.#full || this.#roomBytes < bytes) {
      this.#roomBytes = this.#freeBytes() - waitingBytes
    }
    this.#roomBytes -= bytes
    return this.#roomBytes >= 0
  }

  /** What the disk has room for beyond what a commit may need in any case. */
  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#options.directory)
    return bavail * bsize - COMMIT_OVERHEAD_BYTES
  }

  #pages(): { all: number; inUse: number } {
    const { lastPageNumber, pageSize, root } = this.#database.getStats() as { lastPageNumber: number; pageSize: number; root: Pages }
    const inUse = root.treeBranchPageCount + root.treeLeafPageCount + root.overflowPages
    return { all: (lastPageNumber + 1) * pageSize, inUse: inUse * pageSize }
  }

  /**
   * Hot: bench/apiserver — a batch is carried out by LMDB's thread alone. A transaction with a function to call inside would have that thread
   * wait for this one, and wake it, once more: a third of what a lone commit costs.
   */
  async #transaction(operations: readonly Operation[]): Promise<void> {
    this.#appending = true
    const done = this.#database.batch(() => {
      for (const { key, value } of operations) void (value ? this.#database.put(key, value) : this.#database.remove(key))
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
    this.#roomBytes = -1
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
    if (this.#freeBytes() < 0) return // It goes with the next commit that there is room for.
    const forgotten = this.#nextForgotten(FORGET_WHEN_IDLE)
    this.#forgetting.at += forgotten.length
    try {
      await this.#transaction(forgotten.map(removing))
    } catch {
      // Nothing depends on it: the records are forgotten when the store is opened the next time.
    }
    this.#forgetWhenIdle()
  }
}

/** Notes which log there is, or (without a state) that there is none any more. */
export function notingLog(state?: LogState): Operation {
  return state ? { key: LOG_KEY, value: Buffer.concat([state.identity, writeNumber(state.taken), LOG_FORMAT]) } : { key: LOG_KEY }
}

function removing({ modRevision, sub }: Version): Operation {
  return { key: recordKey(modRevision, sub) }
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
