import { DER_BIT_STRING, DER_OBJECT_IDENTIFIER, DER_SEQUENCE, type DerValue, derSequence } from './der.ts'
import { isSignedBy, type PublicKey, readPublicKey, type SignatureScheme } from './public-key.ts'

/** A request for a certificate (PKCS #10, RFC 2986). */
export interface CertificationRequest {
  /** The key that the certificate is to be for; undefined if it is of no kind that is known here. */
  readonly publicKey: PublicKey | undefined
  /** Whether the holder of that key has signed the request. */
  isSigned(): boolean
}

/** Reads a request in DER; undefined if it is none. */
export function readCertificationRequest(der: Uint8Array): CertificationRequest | undefined {
  const [info, algorithm, signature, ...more] = derSequence(der) ?? []
  if (info?.tag !== DER_SEQUENCE || algorithm?.tag !== DER_SEQUENCE || signature?.tag !== DER_BIT_STRING || more.length > 0)
    return undefined
  const [version, subject, key, attributes] = derSequence(info.whole) ?? []
  if (version?.tag !== 0x02 || subject?.tag !== DER_SEQUENCE || key?.tag !== DER_SEQUENCE) return undefined
  if (attributes && attributes.tag !== 0xa0) return undefined
  const publicKey = readPublicKey(key.whole)
  return {
    publicKey,
    isSigned() {
      const scheme = schemeOf(algorithm)
      // The first byte of a bit string tells how many bits of the last one do not count.
      return publicKey !== undefined && scheme !== undefined && isSignedBy(publicKey, scheme, info.whole, signature.content.subarray(1))
    },
  }
}

/** Signatures that were made with SHA-1 or something older prove nothing. */
const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  '2a864886f70d01010b': { type: 'rsa-pkcs1', hash: 'sha256' },
  '2a864886f70d01010c': { type: 'rsa-pkcs1', hash: 'sha384' },
  '2a864886f70d01010d': { type: 'rsa-pkcs1', hash: 'sha512' },
  '2a8648ce3d040302': { type: 'ec', hash: 'sha256' },
  '2a8648ce3d040303': { type: 'ec', hash: 'sha384' },
  '2a8648ce3d040304': { type: 'ec', hash: 'sha512' },
  '2b6570': { type: 'ed25519' },
}

const RSASSA_PSS = '2a864886f70d01010a'
const HASHES: Readonly<Record<string, NonNullable<SignatureScheme['hash']>>> = {
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
}

function schemeOf(algorithm: DerValue): SignatureScheme | undefined {
  const [identifier, parameters] = derSequence(algorithm.whole) ?? []
  if (identifier?.tag !== DER_OBJECT_IDENTIFIER) return undefined
  const name = hexOf(identifier.content)
  if (name !== RSASSA_PSS) return SCHEMES[name]
  const hashAlgorithm = parameters && derSequence(parameters.whole)?.find(({ tag }) => tag === 0xa0)
  const [hashIdentifier] = (hashAlgorithm && derSequence(hashAlgorithm.content)) ?? []
  const hash = hashIdentifier && HASHES[hexOf(hashIdentifier.content)]
  return hash && { type: 'rsa-pss', hash }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
