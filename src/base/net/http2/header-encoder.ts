import { STATIC_FIELDS } from './header-fields.ts'

/** The headers of an answer, names in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | number | readonly string[]>>

/**
 * The header block of an answer; good until the next one is made. Fields are written out, and the peer is not asked to remember any (HPACK,
 * RFC 7541, section 6.2.2): so a block depends on nothing that was sent before. `shrinks` tells a peer so that has asked for it. `more` comes
 * behind `headers`, and counts where both have a name. Hot: bench/apiserver — two that are written one after the other need not be made one.
 */
export function encodeHeaders(status: number, headers: AnswerHeaders, more = NONE, shrinks = false): Buffer {
  for (;;) {
    const start = writeStart(scratch, status, shrinks)
    const end = writeFields(scratch, writeFields(scratch, start, headers, more), more)
    if (end <= scratch.length) return scratch.subarray(0, end)
    scratch = Buffer.allocUnsafeSlow(scratch.length * 2)
  }
}

const NONE: AnswerHeaders = Object.create(null)
let scratch = Buffer.allocUnsafeSlow(16 * 1024)

function writeStart(target: Buffer, status: number, shrinks: boolean): number {
  if (shrinks) target[0] = EMPTY_TABLE
  return writeStatus(target, shrinks ? 1 : 0, status)
}

/** All that `others` does not say, too. Answers a place behind the end of `target` if there is no room. */
function writeFields(target: Buffer, start: number, headers: AnswerHeaders, others = NONE): number {
  let end = start
  for (const name in headers) {
    if (end > target.length) break
    if (name in others) continue
    const value = headers[name]!
    if (typeof value === 'object') for (const each of value) end = writeField(target, end, name, each)
    else end = writeField(target, end, name, typeof value === 'string' ? value : String(value))
  }
  return end
}

const INDEXED = new Map(STATIC_FIELDS.flatMap(([name, value], index) => (name === ':status' ? [[Number(value), index + 1] as const] : [])))
const STATUS_NAME = 8
/** Says that nothing is remembered from here on. */
const EMPTY_TABLE = 0x20

function writeStatus(target: Buffer, at: number, status: number): number {
  const known = INDEXED.get(status)
  if (known !== undefined) {
    target[at] = 0x80 | known
    return at + 1
  }
  target[at] = STATUS_NAME
  return writeText(target, at + 1, String(status))
}

/** Answers a place behind the end of `target` if there is no room; what was written then is of no use. */
function writeField(target: Buffer, at: number, name: string, value: string): number {
  const start = startOf(name)
  if (at + start.length > target.length) return target.length + 1
  target.set(start, at)
  return writeText(target, at + start.length, value)
}

function writeText(target: Buffer, at: number, text: string): number {
  // In most texts a character is a byte, and only then the two lengths are the same.
  const length = isAscii(text) ? text.length : Buffer.byteLength(text)
  const start = writeInteger(target, at, length)
  if (start + length > target.length) return target.length + 1
  target.write(text, start, length, length === text.length ? 'latin1' : 'utf8')
  return start + length
}

function writeInteger(target: Buffer, at: number, value: number): number {
  if (value < 0x7f) {
    target[at] = value
    return at + 1
  }
  target[at++] = 0x7f
  let rest = value - 0x7f
  while (rest >= 0x80) {
    target[at++] = 0x80 | (rest & 0x7f)
    rest >>= 7
  }
  target[at] = rest
  return at + 1
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false
  return true
}

/** How a field with this name begins: by the name's number, or with the name. The names of answers are few. */
function startOf(name: string): Uint8Array {
  const known = starts.get(name)
  if (known) return known
  const index = STATIC_FIELDS.findIndex(([each]) => each === name) + 1
  const start = index === 0 ? namedStart(name) : index < 15 ? Uint8Array.of(index) : Uint8Array.of(15, index - 15)
  if (starts.size < STARTS_LIMIT && name.length <= NAME_LIMIT) starts.set(name, start)
  return start
}

const starts = new Map<string, Uint8Array>()
const STARTS_LIMIT = 1000
const NAME_LIMIT = 64

function namedStart(name: string): Uint8Array {
  const start = Buffer.alloc(8 + name.length)
  return start.subarray(0, writeText(start, 1, name))
}
