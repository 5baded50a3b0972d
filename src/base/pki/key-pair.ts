import { generateKeyPairSync } from 'node:crypto'

/** A private key with its public key, both as PEM (PKCS #8 and SubjectPublicKeyInfo). */
export interface KeyPair {
  readonly privateKey: string
  readonly publicKey: string
}

/** A new ECDSA P-256 key pair: made in under a millisecond and understood by every client of Kubernetes. */
export function newKeyPair(): KeyPair {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
}
