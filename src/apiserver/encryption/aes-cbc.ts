import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { TOO_SHORT } from './aes-gcm.ts'
import { fingerprint } from './fingerprint.ts'
import type { ValueTransformer } from './transformer.ts'

const BLOCK_BYTES = 16

/** Upstream's `aescbc` provider: initialization vector, ciphertext padded as PKCS #7 says. It does not authenticate. */
export function aesCbc(secret: Buffer): ValueTransformer {
  const writer = fingerprint(secret)
  const algorithm = `aes-${secret.length * 8}-cbc`
  return {
    writer,
    toStorage(_key, value) {
      const vector = randomBytes(BLOCK_BYTES)
      const cipher = createCipheriv(algorithm, secret, vector)
      return Buffer.concat([vector, cipher.update(value), cipher.final()])
    },
    fromStorage(_key, stored) {
      if (stored.length < BLOCK_BYTES) throw new Error(TOO_SHORT)
      if (stored.length % BLOCK_BYTES !== 0) throw new Error('the stored data is not a multiple of the block size')
      if (stored.length === BLOCK_BYTES) throw new Error('invalid PKCS7 data (empty or not padded)')
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, BLOCK_BYTES))
      try {
        return { value: Buffer.concat([decipher.update(stored.subarray(BLOCK_BYTES)), decipher.final()]), writer }
      } catch (error) {
        throw new Error('invalid padding on input', { cause: error })
      }
    },
  }
}
