import { constants, gzip } from 'node:zlib'

/** Compresses big answers off the main thread. */
export interface Gzip {
  isWorthwhile(bytes: Uint8Array, acceptEncoding: string | undefined): boolean
  compress(bytes: Uint8Array): Promise<Uint8Array>
}

/** Upstream's threshold and level: speed before size. */
const THRESHOLD_BYTES = 128 * 1024

export const nodeGzip: Gzip = {
  isWorthwhile: (bytes, acceptEncoding) => bytes.length >= THRESHOLD_BYTES && (acceptEncoding?.includes('gzip') ?? false),
  compress: bytes =>
    new Promise((resolve, reject) => {
      gzip(bytes, { level: constants.Z_BEST_SPEED }, (error, packed) => (error ? reject(error) : resolve(packed)))
    }),
}
