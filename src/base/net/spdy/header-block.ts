import { constants, createInflate, type Inflate } from 'node:zlib'
import { HEADER_DICTIONARY } from './dictionary.ts'

/** Headers of a stream: names in lower case. */
export type StreamHeaders = Readonly<Record<string, string>>

/** What a header block may grow to when it is unpacked; a stream of this family has a handful of short headers. */
const UNPACKED_LIMIT = 256 * 1024

/**
 * Writes header blocks of one connection. The protocol wants one zlib stream per direction; it is written here as stored
 * (uncompressed) blocks, which every inflater reads and which needs no state: the headers of exec and port-forward streams are a few bytes.
 */
export class HeaderWriter {
  #started = false

  write(headers: StreamHeaders): Buffer {
    const entries = Object.entries(headers)
    const parts: Buffer[] = [length(entries.length)]
    for (const [name, value] of entries) {
      for (const text of [Buffer.from(name.toLowerCase()), Buffer.from(value)]) parts.push(length(text.length), text)
    }
    const block = Buffer.concat(parts)
    if (block.length > 0xffff) throw new Error(`Headers of a SPDY stream are ${block.length} bytes; at most 65535 can be sent`)
    const zlibHeader = this.#started ? [] : [0x78, 0x01]
    this.#started = true
    const stored = Buffer.from([
      ...zlibHeader,
      0,
      block.length & 0xff,
      block.length >> 8,
      ~block.length & 0xff,
      (~block.length >> 8) & 0xff,
    ])
    const flush = Buffer.from([0, 0, 0, 0xff, 0xff])
    return Buffer.concat([stored, block, flush])
  }
}

/** Reads the header blocks of one connection, which must be given in the order they came. */
export class HeaderReader implements Disposable {
  readonly #inflate: Inflate = createInflate({ dictionary: HEADER_DICTIONARY, flush: constants.Z_SYNC_FLUSH })
  #fail: ((error: Error) => void) | undefined

  constructor() {
    this.#inflate.on('error', error => this.#fail?.(error))
  }

  async read(block: Buffer): Promise<StreamHeaders> {
    const parts: Buffer[] = []
    let unpacked = 0
    const collect = (part: Buffer) => {
      unpacked += part.length
      if (unpacked > UNPACKED_LIMIT) this.#inflate.destroy(new Error(`SPDY header block unpacks to more than ${UNPACKED_LIMIT} bytes`))
      parts.push(part)
    }
    this.#inflate.on('data', collect)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject
        this.#inflate.write(block, error => (error ? reject(error) : resolve()))
      })
    } finally {
      this.#inflate.off('data', collect)
    }
    return parse(Buffer.concat(parts))
  }

  [Symbol.dispose](): void {
    this.#inflate.destroy()
  }
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function parse(block: Buffer): StreamHeaders {
  let at = 0
  const take = (): string => {
    const size = block.readUInt32BE(at)
    if (at + 4 + size > block.length) throw new Error('SPDY header block ends within a header')
    const text = block.toString('utf8', at + 4, at + 4 + size)
    at += 4 + size
    return text
  }
  const count = block.readUInt32BE(0)
  at = 4
  const headers: Record<string, string> = Object.create(null)
  for (let index = 0; index < count; index++) {
    const name = take()
    headers[name.toLowerCase()] = take()
  }
  return headers
}
