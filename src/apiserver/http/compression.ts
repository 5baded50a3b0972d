import { Readable } from 'node:stream'
import { constants, crc32, createGzip, deflateRaw } from 'node:zlib'
import { byteLengthOf, type Pieces } from '#base/net/pieces.ts'

type Bytes = Uint8Array | Pieces

/** Compresses big answers off the main thread. */
export interface Gzip {
  isWorthwhile(bytes: Bytes, acceptEncoding: string | undefined): boolean
  compress(bytes: Bytes): Promise<readonly Uint8Array[]>
  /** Some bytes as a part of a deflate stream (RFC 1951), to which others can be added before and behind: it refers to none of them. */
  part(bytes: readonly Uint8Array[]): Promise<CompressedPart>
}

/** A part of a gzip file, and what its trailer has to know of it. */
export interface CompressedPart {
  readonly packed: Uint8Array
  /** CRC-32 of the bytes before compression, and how many they are. */
  readonly checksum: number
  readonly length: number
}

/** Upstream's threshold and level: speed before size. */
const THRESHOLD_BYTES = 128 * 1024
const CHUNK_BYTES = 256 * 1024
const level = constants.Z_BEST_SPEED

export const nodeGzip: Gzip = {
  isWorthwhile: (bytes, acceptEncoding) => (acceptEncoding?.includes('gzip') ?? false) && sizeOf(bytes) >= THRESHOLD_BYTES,
  compress: bytes =>
    new Promise((resolve, reject) => {
      const packed: Uint8Array[] = []
      const gzip = createGzip({ level, chunkSize: CHUNK_BYTES })
      gzip.on('data', (chunk: Uint8Array) => packed.push(chunk))
      gzip.on('end', () => resolve(packed))
      gzip.on('error', reject)
      Readable.from(chunksOf(bytes), { objectMode: true, highWaterMark: 1 }).pipe(gzip)
    }),
  part: parts =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.concat(parts)
      deflateRaw(bytes, { level, finishFlush: constants.Z_FULL_FLUSH }, (error, packed) => {
        if (error) reject(error)
        // A copy: it is kept, and this one may lie in a larger buffer.
        else resolve({ packed: new Uint8Array(packed), checksum: crc32(bytes), length: bytes.length })
      })
    }),
}

/** What is compressed at a time is put together at a time: all of a long list would hold up everybody else. */
function* chunksOf(bytes: Bytes): Iterable<Uint8Array> {
  if (bytes instanceof Uint8Array) {
    yield bytes
    return
  }
  let chunk: Uint8Array[] = []
  let size = 0
  for (const part of bytes) {
    chunk.push(part)
    size += part.length
    if (size < CHUNK_BYTES) continue
    yield Buffer.concat(chunk)
    chunk = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(chunk)
}

function sizeOf(bytes: Bytes): number {
  return bytes instanceof Uint8Array ? bytes.length : byteLengthOf(bytes)
}
