import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** The claims of a token (RFC 7519); times are in seconds since the epoch. */
export type Claims = Readonly<Record<string, unknown>> & {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly jti?: string
}

/** Signs tokens with one key. */
export interface TokenSigner {
  sign(claims: Claims): Promise<string>
}

/** Verifies the signature of tokens by a set of keys. */
export interface TokenVerifier {
  /** The claims, once a key of the set has signed them. Rejects otherwise; times and audiences are the caller's to check. */
  verify(token: string): Promise<Claims>
  /** The keys as a JSON Web Key Set (RFC 7517), for others to verify by. */
  readonly keySet: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
}

/** A signer for an RSA or ECDSA private key (PEM). */
export function tokenSigner(privateKey: string): TokenSigner {
  const key = createPrivateKey(privateKey)
  const publicKey = createPublicKey(key)
  const header = { alg: algorithmOf(key), kid: keyIdOf(publicKey) }
  return {
    async sign(claims) {
      const { CompactSign } = await import('jose')
      return new CompactSign(new TextEncoder().encode(JSON.stringify(claims))).setProtectedHeader(header).sign(key)
    },
  }
}

/** A verifier for public keys (PEM; private keys and certificates give theirs). A token that names its key is verified by no other. */
export function tokenVerifier(publicKeys: readonly string[]): TokenVerifier {
  const keys = publicKeys.map(pem => {
    const key = createPublicKey(pem)
    return { key, id: keyIdOf(key), algorithm: algorithmOf(key) }
  })
  return {
    keySet: { keys: keys.map(({ key, id, algorithm }) => ({ ...key.export({ format: 'jwk' }), use: 'sig', kid: id, alg: algorithm })) },
    async verify(token) {
      const { compactVerify, decodeProtectedHeader } = await import('jose')
      const { kid } = decodeProtectedHeader(token)
      const candidates = kid === undefined ? keys : keys.filter(key => key.id === kid)
      if (candidates.length === 0) throw new Error('invalid signature, no keys found')
      for (const { key, algorithm } of candidates) {
        const verified = await compactVerify(token, key, { algorithms: [algorithm] }).catch(() => undefined)
        if (verified) return JSON.parse(new TextDecoder().decode(verified.payload)) as Claims
      }
      throw new Error('go-jose/go-jose: error in cryptographic primitive')
    },
  }
}

/** Whether a text has the form of a signed token: three parts of base64url. */
export function looksLikeToken(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)
}

/** The claims of a token without any check: to find out who is to check it. Undefined when it is no token. */
export function unverifiedClaims(token: string): Claims | undefined {
  if (!looksLikeToken(token)) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? (claims as Claims) : undefined
  } catch {
    return undefined
  }
}

/** A key's name: the digest of its DER form, as upstream computes it. */
function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
}

function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (curve === 'prime256v1') return 'ES256'
  if (curve === 'secp384r1') return 'ES384'
  if (curve === 'secp521r1') return 'ES512'
  throw new Error(`a key of type ${key.asymmetricKeyType} cannot sign tokens: use RSA, or ECDSA on P-256, P-384 or P-521`)
}
