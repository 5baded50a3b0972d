import type { Clock } from '#base/time/clock.ts'
import type { Answer } from '../wire/answer.ts'
import { type Request, readUInt32 } from '../wire/request.ts'

interface Entry {
  readonly bytes: Uint8Array
  readonly ttlOffsets: readonly number[]
  readonly storedAt: number
  readonly expiresAt: number
}

/** Answers of other servers, kept for as long as their records allow but not long, and not more than `limit` of them. */
export class AnswerCache {
  readonly #clock: Clock
  readonly #limit: number
  readonly #maxSeconds: number
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>()

  constructor(clock: Clock, options: { readonly limit?: number; readonly maxSeconds?: number } = {}) {
    this.#clock = clock
    this.#limit = options.limit ?? 10_000
    this.#maxSeconds = options.maxSeconds ?? 30
  }

  /** The answer for this client: with its id and its letters, and the time that is left. */
  get(request: Request): Uint8Array | undefined {
    const key = cacheKey(request)
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const now = this.#clock.monotonic()
    this.#entries.delete(key)
    if (entry.expiresAt <= now) return undefined
    this.#entries.set(key, entry)
    return aged(entry, request, Math.floor((now - entry.storedAt) / 1_000))
  }

  put(request: Request, bytes: Uint8Array, answer: Answer): void {
    const seconds = Math.min(answer.keepSeconds ?? 0, this.#maxSeconds)
    if (seconds <= 0 || answer.truncated) return
    const storedAt = this.#clock.monotonic()
    const key = cacheKey(request)
    this.#entries.delete(key)
    this.#entries.set(key, { bytes, ttlOffsets: answer.ttlOffsets, storedAt, expiresAt: storedAt + seconds * 1_000 })
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value!)
  }

  get size(): number {
    return this.#entries.size
  }
}

/** Queries of one key may share an answer. */
export function cacheKey({ name, type, class: qclass, recursionDesired, checkingDisabled, edns }: Request): string {
  return `${type} ${qclass} ${recursionDesired} ${checkingDisabled} ${edns ? (edns.dnssecOk ? 'dnssec' : 'edns') : 'plain'} ${name}`
}

/** A copy of an answer that fits this query. */
export function readdress(bytes: Uint8Array, request: Request): Uint8Array {
  const copy = bytes.slice()
  copy[0] = request.id >> 8
  copy[1] = request.id & 255
  copy.set(request.question, 12)
  return copy
}

function aged(entry: Entry, request: Request, seconds: number): Uint8Array {
  const copy = readdress(entry.bytes, request)
  const view = new DataView(copy.buffer, copy.byteOffset)
  for (const offset of entry.ttlOffsets) view.setUint32(offset, Math.max(0, readUInt32(entry.bytes, offset) - seconds))
  return copy
}
