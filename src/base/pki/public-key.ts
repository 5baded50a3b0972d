import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { derSequence } from './der.ts'

/** A public key, as far as rules ask about it. */
export interface PublicKey {
  readonly type: 'rsa' | 'ec' | 'ed25519' | 'other'
  /** Of an elliptic key, as FIPS 186 names it: `P-256`; '' for curves that are not one of those. */
  readonly curve: string
  /** Of an RSA key. */
  readonly modulusBits: number
  /** As SubjectPublicKeyInfo, in base64: the same key is the same text. */
  readonly spki: string
  /** For the functions of this folder. */
  readonly key: KeyObject
}

/** How a text was signed: ECDSA and RSA sign its hash, Ed25519 the text itself. */
export interface SignatureScheme {
  readonly type: 'rsa-pkcs1' | 'rsa-pss' | 'ec' | 'ed25519'
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
}

/** Reads a public key (RFC 5280's SubjectPublicKeyInfo, in DER); undefined if it is none. */
export function readPublicKey(der: Uint8Array): PublicKey | undefined {
  if (!derSequence(der)) return undefined
  try {
    return publicKeyOf(createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }))
  } catch {
    return undefined
  }
}

export function publicKeyOf(key: KeyObject): PublicKey {
  const { asymmetricKeyType = '', asymmetricKeyDetails: details = {} } = key
  const type = asymmetricKeyType === 'rsa' || asymmetricKeyType === 'ec' || asymmetricKeyType === 'ed25519' ? asymmetricKeyType : 'other'
  return {
    type,
    curve: CURVES[details.namedCurve ?? ''] ?? '',
    modulusBits: details.modulusLength ?? 0,
    spki: key.export({ format: 'der', type: 'spki' }).toString('base64'),
    key,
  }
}

const CURVES: Readonly<Record<string, string>> = { secp224r1: 'P-224', prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

/** Whether `signature` is one of `message` by the holder of the key. A scheme that is not the key's has no signatures. */
export function isSignedBy({ key, type }: PublicKey, scheme: SignatureScheme, message: Uint8Array, signature: Uint8Array): boolean {
  if (scheme.type.split('-')[0] !== type) return false
  const padding =
    scheme.type === 'rsa-pss'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      : scheme.type === 'rsa-pkcs1'
        ? { padding: constants.RSA_PKCS1_PADDING }
        : {}
  try {
    return verify(scheme.hash ?? null, message, { key, ...padding }, signature)
  } catch {
    return false
  }
}
