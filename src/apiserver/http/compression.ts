import { constants, createGzip } from 'node:zlib'

type Bytes = Uint8Array | readonly Uint8Array[]

/** Compresses big answers off the main thread. */
export interface Gzip {
  isWorthwhile(bytes: Bytes, acceptEncoding: string | undefined): boolean
  compress(bytes: Bytes): Promise<readonly Uint8Array[]>
}

/** Upstream's threshold and level: speed before size. */
const THRESHOLD_BYTES = 128 * 1024
const CHUNK_BYTES = 256 * 1024

export const nodeGzip: Gzip = {
  isWorthwhile: (bytes, acceptEncoding) => (acceptEncoding?.includes('gzip') ?? false) && sizeOf(bytes) >= THRESHOLD_BYTES,
  compress: bytes =>
    new Promise((resolve, reject) => {
      const packed: Uint8Array[] = []
      const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: CHUNK_BYTES })
      gzip.on('data', (chunk: Uint8Array) => packed.push(chunk))
      gzip.on('end', () => resolve(packed))
      gzip.on('error', reject)
      gzip.end(bytes instanceof Uint8Array ? bytes : Buffer.concat(bytes))
    }),
}

function sizeOf(bytes: Bytes): number {
  if (bytes instanceof Uint8Array) return bytes.length
  let size = 0
  for (const part of bytes) size += part.length
  return size
}
