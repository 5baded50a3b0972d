import { existsSync, readFileSync } from 'node:fs'
import { type Append, type Operation, readAppend, SECTOR_BYTES, stampedBy } from './log-append.ts'
import { logPath, PAGE_BYTES, wholePages } from './write-ahead-log.ts'

/** What the log of a directory holds. */
export interface ReadLog {
  /** Beyond what LMDB has taken in, in order, up to the damage. */
  readonly operations: readonly Operation[]
  /** What is left out: this much of an append that was not written completely, and so was not acknowledged. */
  readonly leftOutBytes: number
  /** What is wrong: then something is missing that may have been acknowledged. */
  readonly damage?: string
}

/** Reads the log of a directory. The last append may be torn; if it is all there and wrong, or one is missing that others followed, that is damage. */
export function readLog(directory: string, identity: Buffer, taken: number): ReadLog {
  const path = logPath(directory)
  if (!existsSync(path)) return { operations: [], leftOutBytes: 0, damage: `${path} is missing, which was written to last` }
  const file = readFileSync(path)
  const appends = appendsIn(file, identity)
  const operations: Operation[] = []
  let next = taken + 1
  for (; appends.get(next)?.state === 'whole'; next++) operations.push(...appends.get(next)!.operations)
  if ([...appends.values()].some(({ sequence, state }) => sequence > next && state === 'whole'))
    return { operations, leftOutBytes: 0, damage: `${path} is damaged in what was written last but one or before` }
  let leftOutBytes = 0
  let isDamaged = appends.get(next)?.state === 'damaged'
  for (let at = 0; at + SECTOR_BYTES <= file.length; at += SECTOR_BYTES) {
    const stamped = stampedBy(file, at, next)
    // The sector with its header was written, and is none any more.
    if (stamped === 'first' && !appends.has(next)) isDamaged = true
    if (stamped) leftOutBytes += SECTOR_BYTES
  }
  return { operations, leftOutBytes, ...(isDamaged && { damage: `${path} is damaged in what was written last` }) }
}

/** By their sequence. */
function appendsIn(file: Buffer, identity: Buffer): Map<number, Append> {
  const appends = new Map<number, Append>()
  for (let at = 0; at + PAGE_BYTES <= file.length; ) {
    const append = readAppend(file, at, identity)
    if (append) appends.set(append.sequence, append)
    at += append?.state === 'whole' ? wholePages(append.end - at) : PAGE_BYTES
  }
  return appends
}
