/** SPDY/3.1 frames as bytes on the wire: one function makes each, one parser cuts the incoming bytes into them. */
const VERSION = 3
const CONTROL_BIT = 0x80000000

export const frameType = { synStream: 1, synReply: 2, reset: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const

/** Set in a frame's flags when its sender will send no more on the stream. */
export const FLAG_FIN = 1

/** Why a stream was reset, as the protocol numbers it. */
export const resetCode = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, internalError: 6 } as const

/** Parts of a stream longer than this are sent as several frames. */
export const DATA_LIMIT = 32 * 1024

/** A frame as it came in: data of a stream, or a control frame whose body is not looked into yet. */
export type Frame =
  | { readonly kind: 'data'; readonly streamId: number; readonly flags: number; readonly body: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly body: Buffer }

export function dataFrame(streamId: number, body: Buffer, fin: boolean): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(streamId)
  head.writeUInt32BE((fin ? FLAG_FIN << 24 : 0) + body.length, 4)
  return Buffer.concat([head, body])
}

export function controlFrame(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(CONTROL_BIT + VERSION * 65536 + type)
  head.writeUInt32BE(flags * 2 ** 24 + body.length, 4)
  return Buffer.concat([head, body])
}

export function synStreamFrame(streamId: number, headerBlock: Buffer, fin: boolean): Buffer {
  return controlFrame(frameType.synStream, fin ? FLAG_FIN : 0, Buffer.concat([words(streamId, 0), Buffer.alloc(2), headerBlock]))
}

export function synReplyFrame(streamId: number, headerBlock: Buffer): Buffer {
  return controlFrame(frameType.synReply, 0, Buffer.concat([words(streamId), headerBlock]))
}

export function resetFrame(streamId: number, code: number): Buffer {
  return controlFrame(frameType.reset, 0, words(streamId, code))
}

export function pingFrame(id: number): Buffer {
  return controlFrame(frameType.ping, 0, words(id))
}

export function goAwayFrame(lastStreamId: number): Buffer {
  return controlFrame(frameType.goAway, 0, words(lastStreamId, 0))
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}

/** Cuts bytes, as they arrive, into frames; throws when a peer announces a frame longer than `limit` or another version. */
export class FrameParser {
  readonly #limit: number
  #parts: Buffer[] = []
  #length = 0

  constructor(limit = 2 ** 20) {
    this.#limit = limit
  }

  push(chunk: Buffer): Frame[] {
    this.#parts.push(chunk)
    this.#length += chunk.length
    const frames: Frame[] = []
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame)
    return frames
  }

  #next(): Frame | undefined {
    if (this.#length < 8) return undefined
    if (this.#parts[0]!.length < 8) this.#join()
    const first = this.#parts[0]!.readUInt32BE(0)
    const second = this.#parts[0]!.readUInt32BE(4)
    const length = second % 2 ** 24
    if (length > this.#limit) throw new Error(`SPDY peer announced a frame of ${length} bytes; at most ${this.#limit} are accepted`)
    if (this.#length < 8 + length) return undefined
    this.#join()
    const all = this.#parts[0]!
    const body = all.subarray(8, 8 + length)
    this.#parts = [all.subarray(8 + length)]
    this.#length -= 8 + length
    const flags = second >>> 24
    if (first < CONTROL_BIT) return { kind: 'data', streamId: first, flags, body }
    const version = (first >>> 16) & 0x7fff
    if (version !== VERSION) throw new Error(`SPDY peer sent a frame of version ${version}; only ${VERSION} is spoken here`)
    return { kind: 'control', type: first & 0xffff, flags, body }
  }

  #join(): void {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)]
  }
}
