import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { Claims } from './json-web-token.ts'

/** How tokens may be signed by somebody else (RFC 7518): with a key pair, so that who verifies cannot forge. */
export const SIGNING_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const

/** Public keys of an issuer (RFC 7517). */
export interface KeySet {
  readonly size: number
  /** The claims of a token that one of the keys has signed; undefined if none has. Times and audiences are the caller's to check. */
  verify(token: string): Promise<Claims | undefined>
}

/**
 * The keys of a JSON Web Key Set by which tokens of some algorithms are verified. Keys that are for something else, or of a type that is not
 * known, are left out. Throws if it is no key set at all.
 */
export function keySet(document: unknown, algorithms: readonly string[]): KeySet {
  const { keys: all } = (document ?? {}) as { keys?: unknown }
  if (!Array.isArray(all)) throw new Error('the key set has no list of keys')
  const keys = all.flatMap(jwk => usableKey(jwk) ?? [])
  return {
    size: keys.length,
    async verify(token) {
      const { compactVerify, decodeProtectedHeader } = await import('jose')
      const { kid, alg = '' } = headerOf(decodeProtectedHeader, token)
      if (!algorithms.includes(alg)) throw new Error(`the token is signed with the algorithm ${JSON.stringify(alg)}, which is not accepted`)
      for (const { key, id, algorithm } of keys) {
        if ((kid !== undefined && id !== undefined && id !== kid) || (algorithm !== undefined && algorithm !== alg)) continue
        const verified = await compactVerify(token, key, { algorithms: [alg] }).catch(() => undefined)
        if (verified) return JSON.parse(new TextDecoder().decode(verified.payload)) as Claims
      }
      return undefined
    },
  }
}

interface UsableKey {
  readonly key: KeyObject
  readonly id: string | undefined
  readonly algorithm: string | undefined
}

function usableKey(jwk: unknown): UsableKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined
  const { kty, use, kid, alg } = jwk as JsonWebKey & { use?: string; kid?: string; alg?: string }
  if ((kty !== 'RSA' && kty !== 'EC') || (use !== undefined && use !== 'sig')) return undefined
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    return {
      key,
      id: typeof kid === 'string' && kid !== '' ? kid : undefined,
      algorithm: typeof alg === 'string' && alg !== '' ? alg : undefined,
    }
  } catch {
    return undefined
  }
}

function headerOf(
  decode: (token: string) => { readonly kid?: string; readonly alg?: string },
  token: string,
): { kid?: string; alg?: string } {
  try {
    return decode(token)
  } catch (error) {
    throw new Error('the token has no header that can be read', { cause: error })
  }
}
