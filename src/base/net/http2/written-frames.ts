import type { FrameWriter } from './frame-writer.ts'
import {
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_FRAME_BYTES,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.ts'
import { ERROR_CODES, type ErrorName } from './http2-error.ts'

// The frames that a server sends beside bodies, as RFC 9113 (section 6) lays them out.

/** A header block, in as many frames as it takes. */
export function writeHeaders(writer: FrameWriter, streamId: number, block: Uint8Array, isLast: boolean): void {
  const ends = isLast ? END_STREAM : 0
  const first = Math.min(block.length, MAX_FRAME_BYTES)
  writer.head(first, HEADERS, ends | (first === block.length ? END_HEADERS : 0), streamId)
  writer.bytes(block, 0, first)
  for (let at = first; at < block.length; at += MAX_FRAME_BYTES) {
    const end = Math.min(block.length, at + MAX_FRAME_BYTES)
    writer.head(end - at, CONTINUATION, end === block.length ? END_HEADERS : 0, streamId)
    writer.bytes(block, at, end)
  }
}

export function writeSettings(writer: FrameWriter, settings: readonly (readonly [name: number, value: number])[]): void {
  writer.head(settings.length * 6, SETTINGS, 0, 0)
  for (const [name, value] of settings) {
    writer.uint16(name)
    writer.uint32(value)
  }
}

/** The peer may send so much more; of stream 0: of all together. */
export function writeWindowUpdate(writer: FrameWriter, streamId: number, bytes: number): void {
  writer.head(4, WINDOW_UPDATE, 0, streamId)
  writer.uint32(bytes)
}

export function writeReset(writer: FrameWriter, streamId: number, code: ErrorName): void {
  writer.head(4, RST_STREAM, 0, streamId)
  writer.uint32(ERROR_CODES[code])
}

export function writePing(writer: FrameWriter): void {
  writer.head(8, PING, 0, 0)
  writer.uint32(0)
  writer.uint32(0)
}

/** Nothing after the stream `lastStreamId` is answered. */
export function writeGoAway(writer: FrameWriter, lastStreamId: number, code: ErrorName, why: string): void {
  const text = Buffer.from(why)
  writer.head(8 + text.length, GOAWAY, 0, 0)
  writer.uint32(lastStreamId)
  writer.uint32(ERROR_CODES[code])
  writer.bytes(text)
}
