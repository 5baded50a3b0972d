import { createHash } from 'node:crypto'

/** Tells secrets apart without telling them. */
export function fingerprint(secret: Uint8Array): string {
  return createHash('sha256').update('typernetes:').update(secret).digest('hex').slice(0, 16)
}
