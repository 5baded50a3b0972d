import type { Clock } from '#base/time/clock.ts'
import type { Authenticated, Authenticator, Credentials } from './authenticator.ts'

/** A collision-free name of a secret text that does not tell it (SHA-256). */
export type Digest = (text: string) => string

const KEPT_MS = 10_000
const KEPT_LIMIT = 10_000

/**
 * Remembers, by the token's digest, for ten seconds what `authenticator` said of a bearer token: as long as upstream does, so that a token
 * that was withdrawn is refused as soon. Requests without a token pass by.
 */
export function tokenCache(authenticator: Authenticator, clock: Clock, digest: Digest): Authenticator {
  const kept = new Map<string, { readonly answer: Promise<Authenticated | undefined>; readonly until: number }>()
  const ask = (credentials: Credentials, key: string) => {
    const answer = authenticator.authenticate(credentials)
    if (kept.size >= KEPT_LIMIT) kept.clear()
    kept.set(key, { answer, until: clock.monotonic() + KEPT_MS })
    return answer
  }
  return {
    name: authenticator.name,
    authenticate(credentials) {
      const { bearerToken } = credentials
      if (bearerToken === undefined) return authenticator.authenticate(credentials)
      const key = digest(bearerToken)
      const known = kept.get(key)
      return known && clock.monotonic() < known.until ? known.answer : ask(credentials, key)
    },
  }
}
