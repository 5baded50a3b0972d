import { closeSync, constants, fsyncSync, openSync, rmSync, write, writeFileSync, writeSync } from 'node:fs'
import type { Clock } from '#base/time/clock.ts'
import { AtOnce, type LoopTime } from './at-once.ts'
import { appendBytes, type Operation, operationsIn, stamp, unstamp, valueAt, writeAppend } from './log-append.ts'

export interface WriteAheadLogOptions {
  readonly directory: string
  /** Of this log: no other one has it. */
  readonly identity: Buffer
  readonly clock: Clock
  /** Of the loop that this runs on. */
  readonly loopTime: () => LoopTime
}

export const PAGE_BYTES = 4096
const HALF_BYTES = 2 ** 20
/** The size of the file, for as long as it is there. */
export const LOG_BYTES = 2 * HALF_BYTES
const NO_PAGE = Buffer.alloc(PAGE_BYTES)

/**
 * What is decided and not in LMDB yet, in a file beside it. Its blocks are on disk before it is used, so that an append is one write and
 * nothing but the data has to get there. It has two halves: while LMDB takes in what one of them holds, the other one is written to.
 *
 * What one append writes begins on a page of its own: no write touches what was acknowledged before. Each process gives its log an identity of
 * its own, so that nothing that was in these blocks before is taken for a part of it.
 */
export class WriteAheadLog {
  readonly #path: string
  readonly #file: number
  readonly #identity: Buffer
  readonly #clock: Clock
  readonly #atOnce: AtOnce
  /** What is in the file, without stamps: LMDB is given what was written, and nothing is kept twice. */
  readonly #bytes: Buffer
  #half = 0
  #end = 0
  /** How much the last append writes or wrote. */
  #appending = 0

  private constructor(path: string, { file, bytes }: OpenLog, { identity, clock, loopTime }: WriteAheadLogOptions) {
    this.#path = path
    this.#file = file
    this.#bytes = bytes
    this.#identity = identity
    this.#clock = clock
    this.#atOnce = new AtOnce(loopTime)
  }

  /** Makes the log of a directory, in the place of one that may have been there. Throws what the disk says. */
  static begin(options: WriteAheadLogOptions): WriteAheadLog {
    const { directory } = options
    const path = logPath(directory)
    try {
      const draft = openSync(path, 'w', 0o600)
      try {
        // Page by page: the kernel takes a file's pages together as they were written, and writes them together ever after.
        for (let at = 0; at < LOG_BYTES; at += PAGE_BYTES) writeFileSync(draft, NO_PAGE)
        fsyncSync(draft)
      } finally {
        closeSync(draft)
      }
      const folder = openSync(directory, 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
      return new WriteAheadLog(path, openLog(path), options)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    }
  }

  /** How much of the half that is written to is taken: 1 is all of it. */
  get taken(): number {
    return this.#end / HALF_BYTES
  }

  /** Whether these operations find room in the half that is written to. */
  hasRoomFor(operations: readonly Operation[]): boolean {
    return this.#end + wholePages(appendBytes(operations)) <= HALF_BYTES
  }

  /**
   * Writes operations down, for which there is room; resolves once they are durable, to the place of the first of them. One append is under way at
   * a time. If it rejects, they may be found again or not, until it is withdrawn. `isLone`: nobody else has something to write.
   *
   * Hot: bench/apiserver — one system call on one thread: the file was opened so that its writes are synced.
   */
  async append(sequence: number, operations: readonly Operation[], isLone: boolean): Promise<number> {
    const start = this.#half * HALF_BYTES + this.#end
    const length = appendBytes(operations)
    const place = writeAppend(this.#bytes, start, this.#identity, sequence, operations)
    // Whole pages: of a part of one, the kernel would have to know the rest.
    this.#appending = wholePages(length)
    this.#bytes.fill(0, start + length, start + this.#appending)
    stamp(this.#bytes, start)
    const beganMs = this.#clock.monotonic()
    if (isLone && this.#atOnce.isBest(beganMs)) writeAtOnce(this.#file, this.#bytes, start, start + this.#appending)
    else await writeWhole(this.#file, this.#bytes, start, start + this.#appending)
    this.#atOnce.took(this.#clock.monotonic() - beganMs)
    unstamp(this.#bytes, start)
    this.#end += this.#appending
    return place
  }

  /** The value of the operation at a place, as long as its half is not written to again: a copy. */
  valueAt(place: number): Buffer {
    return Buffer.from(valueAt(this.#bytes, place))
  }

  /** Makes sure that nothing is found again of an append that failed. Rejects if that fails too. */
  withdraw(): Promise<void> {
    const start = this.#half * HALF_BYTES + this.#end
    this.#bytes.fill(0, start, start + this.#appending)
    return writeWhole(this.#file, this.#bytes, start, start + this.#appending)
  }

  /** All operations of the half that was written to. From now on the other one is: what it holds must not be needed any more. */
  turn(): Operation[] {
    const start = this.#half * HALF_BYTES
    const operations: Operation[] = []
    for (let at = start; at < start + this.#end; ) {
      const append = operationsIn(this.#bytes, at)
      operations.push(...append.operations)
      at = start + wholePages(append.end - start)
    }
    this.#half = 1 - this.#half
    this.#end = 0
    return operations
  }

  close(): void {
    closeSync(this.#file)
  }

  /** Ends it for good: nothing that it holds is needed any more. */
  remove(): void {
    this.close()
    rmSync(this.#path, { force: true })
  }
}

/** Where the log of a directory is, if its process has begun one and did not end it. */
export function logPath(directory: string): string {
  return `${directory}/data.log`
}

/** Whether this system can sync a file with each write to it. */
export const canLog = constants.O_DSYNC !== undefined

/** Whether these operations find room in an empty half. */
export function fitsLog(operations: readonly Operation[]): boolean {
  return wholePages(appendBytes(operations)) <= HALF_BYTES
}

/** As many bytes as the pages have that these begin. */
export function wholePages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
}

/** The file of a log, and the memory from which it is written. */
interface OpenLog {
  readonly file: number
  readonly bytes: Buffer
}

/**
 * Opens a log that has nothing in it. Hot: bench/apiserver — past the page cache if that can be: nobody reads the file while its process lives, and
 * a lone write takes 15 µs of CPU less.
 */
function openLog(path: string): OpenLog {
  const synced = constants.O_WRONLY | constants.O_DSYNC
  return openDirect(path, synced) ?? { file: openSync(path, synced), bytes: Buffer.alloc(LOG_BYTES) }
}

/**
 * Undefined where the file system does not do that. What it takes has to begin at a multiple of the disk's blocks in memory, too; where in memory a buffer
 * lies cannot be asked, so the first page of nothing is offered from one place after the other.
 */
function openDirect(path: string, flags: number): OpenLog | undefined {
  let file: number | undefined
  try {
    file = openSync(path, flags | (constants.O_DIRECT ?? 0))
    const memory = Buffer.alloc(LOG_BYTES + PAGE_BYTES)
    // The first place is the one with glibc, whose large allocations have a head of that size.
    for (let at = PAGE_BYTES - ALLOCATED_AT; at >= 0; at -= ALLOCATED_AT)
      if (takesPage(file, memory, at)) return { file, bytes: memory.subarray(at, at + LOG_BYTES) }
  } catch (error) {
    if (!isInvalid(error)) throw error
  }
  if (file !== undefined) closeSync(file)
  return undefined
}

/** Every allocation begins at a multiple of this. */
const ALLOCATED_AT = 16

function takesPage(file: number, memory: Buffer, at: number): boolean {
  try {
    return writeSync(file, memory, at, PAGE_BYTES, 0) === PAGE_BYTES
  } catch (error) {
    if (isInvalid(error)) return false
    closeSync(file)
    throw error
  }
}

function isInvalid(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EINVAL'
}

/** Writes `bytes` from `start` to `end` to the same place of a file. */
function writeWhole(file: number, bytes: Buffer, start: number, end: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const writeFrom = (at: number) =>
      write(file, bytes, at, end - at, at, (error, written) => {
        if (error) reject(error)
        else if (at + written < end) writeFrom(at + written)
        else resolve()
      })
    writeFrom(start)
  })
}

/** The same on this thread, which waits for the disk. */
function writeAtOnce(file: number, bytes: Buffer, start: number, end: number): void {
  for (let at = start; at < end; ) at += writeSync(file, bytes, at, end - at, at)
}
