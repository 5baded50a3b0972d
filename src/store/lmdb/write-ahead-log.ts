import { closeSync, constants, existsSync, fsyncSync, openSync, readFileSync, rmSync, write, writeFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Clock } from '#base/time/clock.ts'
import { DamagedStoreError } from '../store-errors.ts'
import { AtOnce, type LoopTime } from './at-once.ts'

/** What LMDB is to be given: a record, or (without a value) that there is none any more. */
export interface Operation {
  readonly key: Buffer
  readonly value?: Buffer
}

export interface WriteAheadLogOptions {
  readonly directory: string
  /** Of this log: no other one has it. */
  readonly identity: Buffer
  readonly clock: Clock
  /** Of the loop that this runs on. */
  readonly loopTime: () => LoopTime
}

const PAGE_BYTES = 4096
const HALF_BYTES = 2 ** 20
/** The size of the file, for as long as it is there. */
export const LOG_BYTES = 2 * HALF_BYTES
export const IDENTITY_BYTES = 16

const MAGIC = 0x4c533854
const HEADER_BYTES = 36
const OPERATION_BYTES = 6
const REMOVED = 0xffffffff
const NO_PAGE = Buffer.alloc(PAGE_BYTES)

/**
 * What is decided and not in LMDB yet, in a file beside it. Its blocks are on disk before it is used, so that an append is one write and
 * nothing but the data has to get there. It has two halves: while LMDB takes in what one of them holds, the other one is written to.
 *
 * What one append writes begins on a page of its own: no write touches what was acknowledged before. Numbers are little endian, the
 * sequence is a double:
 *
 *     0  "T8SL"                           8  identity of the log     32  length of the operations
 *     4  checksum of all that follows    24  sequence                36  operations
 *
 * An operation is the length of its key (2 bytes), that of its value (4 bytes; all bits set: the key is removed), the key and the value.
 * Each process gives its log an identity of its own, so that nothing that was in these blocks before is taken for a part of it.
 */
export class WriteAheadLog {
  readonly #path: string
  readonly #file: number
  readonly #identity: Buffer
  readonly #clock: Clock
  readonly #atOnce: AtOnce
  /** What is in the file: LMDB is given what was written, and nothing is kept twice. */
  readonly #bytes = Buffer.alloc(LOG_BYTES)
  #half = 0
  #end = 0

  private constructor(path: string, file: number, { identity, clock, loopTime }: WriteAheadLogOptions) {
    this.#path = path
    this.#file = file
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
      return new WriteAheadLog(path, openSync(path, constants.O_WRONLY | constants.O_DSYNC), options)
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
    return this.#end + pageBytes(HEADER_BYTES + sizeOf(operations)) <= HALF_BYTES
  }

  /**
   * Writes operations down, for which there is room; resolves once they are durable, to the place of the first of them. One append is under way at
   * a time. If it rejects, they may be found again or not, until it is withdrawn. `isLone`: nobody else has something to write.
   *
   * Hot: bench/apiserver — one system call on one thread: the file was opened so that its writes are synced.
   */
  async append(sequence: number, operations: readonly Operation[], isLone: boolean): Promise<number> {
    const start = this.#half * HALF_BYTES + this.#end
    const end = this.#encode(start, sequence, operations)
    // Whole pages: of a part of one, the kernel would have to know the rest.
    const length = pageBytes(end - start)
    const beganMs = this.#clock.monotonic()
    if (isLone && this.#atOnce.isBest()) writeAtOnce(this.#file, this.#bytes, start, start + length)
    else await writeWhole(this.#file, this.#bytes, start, start + length)
    this.#atOnce.took(this.#clock.monotonic() - beganMs)
    this.#end += length
    return start + HEADER_BYTES
  }

  /** The value of the operation at a place, as long as its half is not written to again: a copy. */
  valueAt(place: number): Buffer {
    const start = place + OPERATION_BYTES + this.#bytes.readUInt16LE(place)
    return Buffer.from(this.#bytes.subarray(start, start + this.#bytes.readUInt32LE(place + 2)))
  }

  /** Makes sure that an append that failed is not found again. Rejects if that fails too. */
  withdraw(): Promise<void> {
    const start = this.#half * HALF_BYTES + this.#end
    this.#bytes.set(NO_PAGE, start)
    return writeWhole(this.#file, this.#bytes, start, start + PAGE_BYTES)
  }

  /** All operations of the half that was written to. From now on the other one is: what it holds must not be needed any more. */
  turn(): Operation[] {
    const start = this.#half * HALF_BYTES
    const operations: Operation[] = []
    for (let at = start; at < start + this.#end; ) {
      const end = at + HEADER_BYTES + this.#bytes.readUInt32LE(at + 32)
      operations.push(...decode(this.#bytes.subarray(at + HEADER_BYTES, end)))
      at += pageBytes(end - at)
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
    rmSync(this.#path)
  }

  #encode(start: number, sequence: number, operations: readonly Operation[]): number {
    const bytes = this.#bytes
    let at = start + HEADER_BYTES
    for (const { key, value } of operations) {
      bytes.writeUInt16LE(key.length, at)
      bytes.writeUInt32LE(value?.length ?? REMOVED, at + 2)
      bytes.set(key, at + OPERATION_BYTES)
      if (value) bytes.set(value, at + OPERATION_BYTES + key.length)
      at += OPERATION_BYTES + key.length + (value?.length ?? 0)
    }
    bytes.writeUInt32LE(MAGIC, start)
    bytes.set(this.#identity, start + 8)
    bytes.writeDoubleLE(sequence, start + 24)
    bytes.writeUInt32LE(at - start - HEADER_BYTES, start + 32)
    bytes.writeUInt32LE(crc32(bytes.subarray(start + 8, at)), start + 4)
    return at
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
  return pageBytes(HEADER_BYTES + sizeOf(operations)) <= HALF_BYTES
}

/**
 * What the log of a directory holds beyond what LMDB has taken in, in order. The last append may be torn, it was not acknowledged then;
 * throws DamagedStoreError if one is missing that others followed, or the whole log is.
 */
export function readLog(directory: string, identity: Buffer, taken: number): Operation[] {
  const path = logPath(directory)
  if (!existsSync(path)) throw new DamagedStoreError(directory, `${path} is missing, which was written to last`)
  const file = readFileSync(path)
  const appended = new Map<number, Buffer>()
  for (let at = 0; at + PAGE_BYTES <= file.length; ) {
    const found = appendAt(file, at, identity)
    if (found && found.sequence > taken) appended.set(found.sequence, found.operations)
    at += found ? pageBytes(HEADER_BYTES + found.operations.length) : PAGE_BYTES
  }
  const operations: Operation[] = []
  let sequence = taken + 1
  for (; appended.has(sequence); sequence++) operations.push(...decode(appended.get(sequence)!))
  if (sequence - taken - 1 < appended.size)
    throw new DamagedStoreError(directory, `${path} is damaged in what was written last but one or before`)
  return operations
}

function appendAt(file: Buffer, at: number, identity: Buffer): { sequence: number; operations: Buffer } | undefined {
  if (file.readUInt32LE(at) !== MAGIC || !file.subarray(at + 8, at + 24).equals(identity)) return undefined
  const end = at + HEADER_BYTES + file.readUInt32LE(at + 32)
  if (end > file.length || crc32(file.subarray(at + 8, end)) !== file.readUInt32LE(at + 4)) return undefined
  return { sequence: file.readDoubleLE(at + 24), operations: file.subarray(at + HEADER_BYTES, end) }
}

/** How far behind the place of an operation the next one's is. */
export function operationBytes({ key, value }: Operation): number {
  return OPERATION_BYTES + key.length + (value?.length ?? 0)
}

function decode(bytes: Buffer): Operation[] {
  const operations: Operation[] = []
  for (let at = 0; at < bytes.length; ) {
    const keyEnd = at + OPERATION_BYTES + bytes.readUInt16LE(at)
    const length = bytes.readUInt32LE(at + 2)
    const key = bytes.subarray(at + OPERATION_BYTES, keyEnd)
    at = length === REMOVED ? keyEnd : keyEnd + length
    operations.push(length === REMOVED ? { key } : { key, value: bytes.subarray(keyEnd, at) })
  }
  return operations
}

function sizeOf(operations: readonly Operation[]): number {
  let size = 0
  for (const operation of operations) size += operationBytes(operation)
  return size
}

function pageBytes(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
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
