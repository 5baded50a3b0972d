import { createCipheriv, createHmac, randomBytes } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'

/*
 * Values as upstream's API server encrypts them, written down here once more from its sources (apiserver/pkg/storage/value/encrypt), so that
 * reading them is not judged by our own writing.
 */

/** `key` is what the value is bound to: its key in etcd. */
export type UpstreamEncryption = (key: string, value: Uint8Array) => Buffer

export function upstreamAesCbc(name: string, secret: Buffer): UpstreamEncryption {
  return (_key, value) => {
    const iv = randomBytes(16)
    const cipher = createCipheriv(`aes-${secret.length * 8}-cbc`, secret, iv)
    return Buffer.concat([Buffer.from(`k8s:enc:aescbc:v1:${name}:`), iv, cipher.update(value), cipher.final()])
  }
}

export function upstreamAesGcm(name: string, secret: Buffer): UpstreamEncryption {
  return (key, value) => Buffer.concat([Buffer.from(`k8s:enc:aesgcm:v1:${name}:`), gcm(secret, key, value)])
}

export function upstreamSecretbox(name: string, secret: Buffer): UpstreamEncryption {
  return (_key, value) => {
    const nonce = randomBytes(24)
    return Buffer.concat([Buffer.from(`k8s:enc:secretbox:v1:${name}:`), nonce, xsalsa20poly1305(secret, nonce).encrypt(value)])
  }
}

/** KMS v2: `sealed` is what the service made of the seed. */
export function upstreamKms(
  name: string,
  seed: Buffer,
  sealed: { readonly ciphertext: Buffer; readonly keyId: string; readonly annotations: Readonly<Record<string, Buffer>> },
): UpstreamEncryption {
  return (key, value) => {
    const info = randomBytes(32)
    const derived = createHmac('sha256', seed).update(info).update(Buffer.of(1)).digest() // HKDF-Expand, one block
    const annotations = Object.entries(sealed.annotations).map(([name, data]) =>
      field(4, Buffer.concat([field(1, Buffer.from(name)), field(2, data)])),
    )
    return Buffer.concat([
      Buffer.from(`k8s:enc:kms:v2:${name}:`),
      field(1, Buffer.concat([info, gcm(derived, key, value)])),
      field(2, Buffer.from(sealed.keyId)),
      field(3, sealed.ciphertext),
      ...annotations,
      Buffer.of((5 << 3) | 0, 1),
    ])
  }
}

function gcm(secret: Buffer, key: string, value: Uint8Array): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv(`aes-${secret.length * 8}-gcm` as 'aes-256-gcm', secret, nonce).setAAD(Buffer.from(key))
  return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
}

/** A field of bytes of a protobuf message. */
function field(number: number, data: Buffer): Buffer {
  const length: number[] = []
  for (let rest = data.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.of((number << 3) | 2, ...length), data])
}
