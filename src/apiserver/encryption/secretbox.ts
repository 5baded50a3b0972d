import { randomBytes } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { TOO_SHORT } from './aes-gcm.ts'
import { fingerprint } from './fingerprint.ts'
import type { ValueTransformer } from './transformer.ts'

const NONCE_BYTES = 24
const TAG_BYTES = 16

/** Upstream's `secretbox` provider: nonce, then what NaCl's secretbox makes of the value (XSalsa20 and Poly1305). */
export function secretbox(secret: Buffer): ValueTransformer {
  const writer = fingerprint(secret)
  return {
    writer,
    toStorage(_key, value) {
      const nonce = randomBytes(NONCE_BYTES)
      return Buffer.concat([nonce, xsalsa20poly1305(secret, nonce).encrypt(value)])
    },
    fromStorage(_key, stored) {
      if (stored.length < NONCE_BYTES + TAG_BYTES) throw new Error(TOO_SHORT)
      try {
        const value = xsalsa20poly1305(secret, stored.subarray(0, NONCE_BYTES)).decrypt(stored.subarray(NONCE_BYTES))
        return { value, writer }
      } catch (error) {
        throw new Error('the stored data does not match its authentication tag: it was written with another key, or is damaged', {
          cause: error,
        })
      }
    },
  }
}
