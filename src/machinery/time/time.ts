import { quote } from '../status/go-text.ts'

/** `text` as a Time is kept: UTC, to the second. Reads RFC 3339 with any offset and fraction; throws in upstream's words. */
export function canonicalTime(text: string): string {
  if (text === lastRead) return text
  if (text.length === 20 && CANONICAL.test(text) && isDate(text)) {
    lastRead = text
    return text
  }
  const read = parseRfc3339(text)
  if (!read) throw new TimeError(text, '2006-01-02T15:04:05Z07:00')
  return `${new Date(read.ms).toISOString().slice(0, 19)}Z`
}

/** The one read last: most times of an object are the same. */
let lastRead = ''

/** `text` as a MicroTime is kept: UTC with exactly six fractional digits, which it must have been sent with. */
export function canonicalMicroTime(text: string): string {
  if (text.length === 27 && CANONICAL_MICRO.test(text) && isDate(text)) return text
  const read = parseRfc3339(text)
  if (read?.fraction.length !== 6) throw new TimeError(text, '2006-01-02T15:04:05.000000Z07:00')
  return `${new Date(read.ms).toISOString().slice(0, 19)}.${read.fraction}Z`
}

/** Milliseconds since the epoch of a Time or MicroTime. */
export function epochMs(text: string): number {
  return Date.parse(text)
}

/** The Time of a moment: what goes into `creationTimestamp`. */
export function timeOf(ms: number): string {
  const second = Math.floor(ms / 1000)
  // Hot: bench/loops — thousands of times a second it is the same one.
  if (second !== told.second) told = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` }
  return told.text
}

let told = { second: Number.NaN, text: '' }

/** The MicroTime of a moment: what goes into `renewTime` of a Lease. */
export function microTimeOf(ms: number): string {
  const micros = Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000)
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`
}

/** Seconds and nanoseconds since the epoch, as protobuf carries both kinds of time. */
export function secondsAndNanos(text: string): { seconds: number; nanos: number } {
  const read = parseRfc3339(text)
  if (!read) throw new TimeError(text, '2006-01-02T15:04:05Z07:00')
  return { seconds: read.ms / 1000, nanos: Number(read.fraction.slice(0, 9).padEnd(9, '0')) }
}

/** The text is no time; the message is that of Go's `time.Parse`. */
export class TimeError extends Error {
  override readonly name = 'TimeError'

  constructor(text: string, layout: string) {
    const [rest, expected] = firstMismatch(text, layout)
    super(`parsing time ${quote(text)} as ${quote(layout)}: cannot parse ${quote(rest)} as ${quote(expected)}`)
  }
}

const CANONICAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const CANONICAL_MICRO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,100}))?(Z|([+-])(\d\d):(\d\d))$/

/** Whole seconds as milliseconds since the epoch, and the digits of the fraction. */
function parseRfc3339(text: string): { ms: number; fraction: string } | undefined {
  const match = RFC3339.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', , sign, offsetHours = '0', offsetMinutes = '0'] = match
  if (!isDate(text)) return undefined
  if (Number(offsetHours) > 24 || Number(offsetMinutes) > 60) return undefined
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1)
  return { ms: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - offset, fraction }
}

/**
 * Whether there is such a day and such a time of it; `text` has digits where they belong. Hot: bench/apiserver — each write reads times, and making a
 * date of one costs more than to look at its digits.
 */
function isDate(text: string): boolean {
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  if (month < 1 || month > 12 || day < 1) return false
  if (day > 28 && day > daysOf(twoDigits(text, 0) * 100 + twoDigits(text, 2), month)) return false
  return twoDigits(text, 11) < 24 && twoDigits(text, 14) < 60 && twoDigits(text, 17) < 60
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Where the text leaves the layout, and which part of the layout was expected there. */
function firstMismatch(text: string, layout: string): [string, string] {
  const isMicro = layout.includes('.')
  const parts: [RegExp, string][] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d\d/, '01'],
    [/^-/, '-'],
    [/^\d\d/, '02'],
    [/^T/, 'T'],
    [/^\d\d/, '15'],
    [/^:/, ':'],
    [/^\d\d/, '04'],
    [/^:/, ':'],
    [/^\d\d/, '05'],
    isMicro ? [/^\.\d{6}(?!\d)/, '.000000'] : [/^(?:[.,]\d+)?/, ''],
    [/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00'],
  ]
  let rest = text
  for (const [pattern, name] of parts) {
    const match = pattern.exec(rest)
    if (!match) return [rest, name]
    rest = rest.slice(match[0].length)
  }
  return [rest, '']
}
