import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { fingerprint } from './fingerprint.ts'
import type { ValueTransformer } from './transformer.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
export const TOO_SHORT = 'the stored data was shorter than the required size'

/** Upstream's `aesgcm` provider: nonce, ciphertext, tag; bound to the value's key in the store. */
export function aesGcm(secret: Buffer): ValueTransformer {
  const writer = fingerprint(secret)
  return {
    writer,
    toStorage: (key, value) => sealGcm(secret, key, value),
    fromStorage: (key, stored) => ({ value: openGcm(secret, key, stored), writer }),
  }
}

export function sealGcm(secret: Buffer, key: string, value: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(algorithmOf(secret), secret, nonce)
  cipher.setAAD(Buffer.from(key))
  return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
}

/** Throws if a bit of it, the secret or the key is another. */
export function openGcm(secret: Buffer, key: string, stored: Uint8Array): Buffer {
  if (stored.length < NONCE_BYTES + TAG_BYTES) throw new Error(TOO_SHORT)
  const end = stored.length - TAG_BYTES
  const decipher = createDecipheriv(algorithmOf(secret), secret, stored.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(key))
  decipher.setAuthTag(stored.subarray(end))
  try {
    return Buffer.concat([decipher.update(stored.subarray(NONCE_BYTES, end)), decipher.final()])
  } catch (error) {
    throw new Error('cipher: message authentication failed', { cause: error })
  }
}

function algorithmOf({ length }: Buffer): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  return length === 16 ? 'aes-128-gcm' : length === 24 ? 'aes-192-gcm' : 'aes-256-gcm'
}
