import { rmSync, statfsSync } from 'node:fs'
import type { Logger } from '#base/log/logger.ts'
import type { Timer } from '#base/time/clock.ts'
import { changesOf, type Journal, type JournalEntry } from '../embedded/journal.ts'
import type { Change, Version } from '../embedded/state.ts'
import { CorruptError, DamagedStoreError, FatalStoreError, NoSpaceError } from '../store-errors.ts'
import type { LoopTime } from './at-once.ts'
import { isOfSpace } from './is-of-space.ts'
import { LmdbJournal, type LmdbJournalOptions, type LogState, notingLog } from './lmdb-journal.ts'
import { type Operation, operationBytes } from './log-append.ts'
import { readLog } from './read-log.ts'
import { recordBytes, recordedValue } from './record.ts'
import { canLog, fitsLog, LOG_BYTES, logPath, WriteAheadLog } from './write-ahead-log.ts'

export interface LoggedJournalOptions extends LmdbJournalOptions {
  /** Of the log that is begun: no other one has it. */
  readonly identity: Buffer
  /** Of the loop that this runs on: while it is at leisure, it may wait for a prompt disk. */
  readonly loopTime: () => LoopTime
  readonly logger: Logger
  /** See LmdbStoreOptions. */
  readonly salvages?: boolean
}

/**
 * LMDB takes in what the log holds once the first of it is this old, so that the few writes of an idle cluster share commits as well, or once so
 * much of a half is taken.
 */
const TAKE_IN_AFTER_MS = 5000
const TAKE_IN_TAKEN = 0.5
/** With less room than this on the disk, everything goes to LMDB at once. */
const ROOM_FOR_LOG_BYTES = 4 * LOG_BYTES

/** What LMDB takes in, or could not take in yet. */
interface Batch {
  readonly operations: readonly Operation[]
  /** Where their values are in the log. */
  readonly places: ReadonlyMap<Version, number>
  /** Of the last append in it; undefined if another process left this in its log. */
  readonly sequence: number | undefined
  readonly bytes: number
  /** Their records are in LMDB once it is. */
  readonly forgotten: readonly Version[]
}

/**
 * An {@link LmdbJournal} with a {@link WriteAheadLog} before it: what is appended is durable in the log, and in LMDB a moment later, together
 * with all that came by then. A commit of LMDB costs a lone writer several times what a write to the log does. Until then values are read from
 * the log; what a process leaves in its log, the next one that opens the store has LMDB take in. Where there is no room for that, it stays in the
 * log, is read from memory, and nothing is appended before there is.
 */
export class LoggedJournal implements Journal {
  readonly #options: LoggedJournalOptions
  readonly #database: LmdbJournal
  #log: WriteAheadLog | undefined
  #sequence = 0
  #isAppending = false
  /** Where values are in the half of the log that is written to. */
  #places = new Map<Version, number>()
  #bytes = 0
  #forgotten: readonly Version[] = []
  #timer: Timer | undefined
  #isDue = false
  /** What is in the other half. */
  #batch: Batch | undefined
  #takingIn: Promise<void> | undefined
  #refusal: NoSpaceError | undefined
  #broken: FatalStoreError | undefined
  #onBroken: (error: FatalStoreError) => void = () => {}
  #closed = false
  /** What is left of a damaged log is read from memory, and nothing is ever written. */
  #isSalvaged = false

  private constructor(options: LoggedJournalOptions, database: LmdbJournal) {
    this.#options = options
    this.#database = database
  }

  /** Has LMDB take in what there is in a log. Rejects with DamagedStoreError or what the disk says. */
  static async open(options: LoggedJournalOptions): Promise<LoggedJournal> {
    const database = new LmdbJournal(options)
    try {
      const journal = new LoggedJournal(options, database)
      const log = database.log()
      if (log) await journal.#takeOver(log)
      else rmSync(logPath(options.directory), { force: true })
      return journal
    } catch (error) {
      await database.close()
      throw error
    }
  }

  // Hot: bench/apiserver — what a lone write costs is one write to the log, and where that takes its time the way to another thread and back.
  async append(entries: readonly JournalEntry[]): Promise<void> {
    if (this.#broken) throw this.#broken
    if (this.#isSalvaged) throw new NoSpaceError(`${this.#options.directory}, whose log is damaged`)
    this.#isAppending = true
    try {
      // What LMDB had no room for goes first: nothing more is acknowledged before it is in.
      if (this.#batch && !(this.#takingIn && this.#log)) await this.#tookIn()
      const changes = changesOf(entries)
      this.#database.checkRoom(changes, this.#waitingBytes())
      const operations = this.#database.operationsOf(entries)
      const log = canLog && fitsLog(operations) ? (this.#log ?? (await this.#beginLog())) : undefined
      if (log) await this.#appendTo(log, operations, changes, entries.length === 1 && !this.#takingIn)
      else await this.#commit(operations)
      this.#database.appended(changes)
    } finally {
      this.#isAppending = false
    }
    this.#turnIfDue()
  }

  refuses(changes: readonly Change[]): NoSpaceError | undefined {
    return this.#database.refuses(changes, this.#waitingBytes())
  }

  read(version: Version): Uint8Array {
    const place = this.#places.get(version) ?? this.#batch?.places.get(version)
    if (place === undefined) return this.#database.read(version)
    const value = recordedValue(this.#log!.valueAt(place))
    if (!value) throw new CorruptError(version.key, version.modRevision)
    return value
  }

  forget(versions: readonly Version[]): void {
    if (this.#isSalvaged) return
    if (this.#batch || this.#log?.taken) this.#forgotten = this.#forgotten.concat(versions)
    else this.#database.forget(versions)
  }

  measure(): ReturnType<Journal['measure']> {
    return this.#database.measure()
  }

  onBroken(listener: (error: FatalStoreError) => void): void {
    this.#onBroken = listener
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    if (this.#batch && !this.#broken) await this.#takeIn()
    if (this.#log?.taken && !this.#batch) await this.#turn(this.#log)
    await this.#endLog()
    await this.#database.close()
  }

  /** Everything on disk. */
  find(): ReturnType<LmdbJournal['find']> {
    return this.#database.find()
  }

  handOut(values: Map<Version, Uint8Array>): void {
    this.#database.handOut(values)
  }

  reportDamaged(version: Version): void {
    this.#database.reportDamaged(version)
  }

  /** What the log holds of a process that ended without closing it goes first. */
  async #takeOver({ identity, taken }: LogState): Promise<void> {
    const { directory, logger, salvages } = this.#options
    const { operations, leftOutBytes, damage } = readLog(directory, identity, taken)
    if (damage) {
      const remedy = 'restore it from a backup, of which "t8s store backup --salvage" may make one of what came before'
      if (!salvages) throw new DamagedStoreError(directory, damage, { remedy })
      this.#isSalvaged = true
      return this.#database.lay(operations)
    }
    if (leftOutBytes > 0)
      logger.warn('Left out what was being written when the process before ended: it was not complete, so it had not been acknowledged', {
        directory,
        bytes: leftOutBytes,
      })
    const bytes = operations.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0)
    this.#batch = { operations, places: new Map(), sequence: undefined, bytes, forgotten: [] }
    await this.#takeIn()
    if (this.#broken) throw this.#broken
    if (!this.#batch) return
    this.#database.lay(operations)
    logger.error('The disk is full: writes are refused until there is room for what the process before has left in its log', { directory })
  }

  /** LMDB knows of the log before anything is in it. Without room for a log there is none. */
  async #beginLog(): Promise<WriteAheadLog | undefined> {
    const { directory, identity } = this.#options
    const { bavail, bsize } = statfsSync(directory)
    if (bavail * bsize < ROOM_FOR_LOG_BYTES) return undefined
    let log: WriteAheadLog
    try {
      log = WriteAheadLog.begin(this.#options)
    } catch (error) {
      if (isOfSpace(error)) return undefined
      throw new FatalStoreError(directory, error)
    }
    try {
      await this.#database.commit([notingLog({ identity, taken: this.#sequence })])
    } catch (error) {
      log.remove()
      throw error
    }
    this.#log = log
    return log
  }

  async #appendTo(log: WriteAheadLog, operations: readonly Operation[], changes: readonly Change[], isLone: boolean): Promise<void> {
    if (!log.hasRoomFor(operations)) {
      await this.#tookIn()
      void this.#turn(log)
    }
    let place: number
    try {
      place = await log.append(this.#sequence + 1, operations, isLone)
    } catch (error) {
      throw await this.#explain(error, log)
    }
    this.#sequence++
    // Where they are, not what they are: buffers that outlive a few collections are garbage until the whole heap is collected, and hurry that.
    for (const [index, { version }] of changes.entries()) {
      this.#places.set(version, place)
      place += operationBytes(operations[index]!)
    }
    this.#bytes += changes.reduce((bytes, change) => bytes + recordBytes(change), 0)
  }

  /** What the log cannot hold goes to LMDB, after all that the log does. */
  async #commit(operations: readonly Operation[]): Promise<void> {
    await this.#tookIn()
    if (this.#log?.taken) {
      void this.#turn(this.#log)
      await this.#tookIn()
    }
    await this.#database.commit(operations)
  }

  /** A write that found no room is withdrawn and did not happen; if that fails as well, or on anything else, the disk cannot be trusted. */
  async #explain(error: unknown, log: WriteAheadLog): Promise<Error> {
    const { directory } = this.#options
    if (!isOfSpace(error)) return new FatalStoreError(directory, error)
    return log.withdraw().then(
      () => new NoSpaceError(directory, error),
      (cause: unknown) => new FatalStoreError(directory, cause),
    )
  }

  #waitingBytes(): number {
    return this.#bytes + (this.#batch?.bytes ?? 0)
  }

  #turnIfDue(): void {
    const log = this.#log
    if (!log?.taken || this.#isAppending || this.#batch || this.#closed) return
    if (this.#isDue || log.taken >= TAKE_IN_TAKEN) void this.#turn(log)
    else
      this.#timer ??= this.#options.clock.after(TAKE_IN_AFTER_MS, () => {
        this.#isDue = true
        this.#turnIfDue()
      })
  }

  /** From now on the other half of the log is written to, and LMDB takes in this one. */
  #turn(log: WriteAheadLog): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isDue = false
    this.#batch = {
      operations: log.turn(),
      places: this.#places,
      sequence: this.#sequence,
      bytes: this.#bytes,
      forgotten: this.#forgotten,
    }
    this.#places = new Map()
    this.#bytes = 0
    this.#forgotten = []
    return this.#takeIn()
  }

  /** Waits until LMDB has taken in the half that is not written to. Rejects if it cannot. */
  async #tookIn(): Promise<void> {
    if (this.#batch) await this.#takeIn()
    if (this.#broken) throw this.#broken
    if (this.#batch) throw this.#refusal!
  }

  /** Never rejects: what LMDB could not take in stays the batch. */
  #takeIn(): Promise<void> {
    this.#takingIn ??= this.#tryTakingIn(this.#batch!).finally(() => {
      this.#takingIn = undefined
      this.#turnIfDue()
    })
    return this.#takingIn
  }

  async #tryTakingIn({ operations, sequence, forgotten }: Batch): Promise<void> {
    const { directory, identity } = this.#options
    try {
      this.#database.checkDisk(operations)
      await this.#database.commit([...operations, notingLog(sequence === undefined ? undefined : { identity, taken: sequence })])
      if (sequence === undefined) this.#endFormer()
    } catch (error) {
      if (error instanceof NoSpaceError) this.#refusal = error
      else this.#break(error instanceof FatalStoreError ? error : new FatalStoreError(directory, error))
      return
    }
    this.#batch = undefined
    this.#database.forget(forgotten)
    if (this.#log?.taken) return
    this.#database.forget(this.#forgotten)
    this.#forgotten = []
  }

  /** The log of the process before holds nothing any more that LMDB does not. */
  #endFormer(): void {
    rmSync(logPath(this.#options.directory), { force: true })
    this.#database.lay([])
  }

  #break(error: FatalStoreError): void {
    this.#broken = error
    this.#onBroken(error)
  }

  /** A store that was closed is the database file alone; what LMDB could not take in stays in the log. */
  async #endLog(): Promise<void> {
    const log = this.#log
    if (!log) return
    this.#log = undefined
    if (this.#broken || this.#batch) return log.close()
    try {
      this.#database.checkDisk([])
      await this.#database.commit([notingLog()])
    } catch {
      return log.close()
    }
    log.remove()
  }
}
