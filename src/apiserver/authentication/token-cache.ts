import type { Clock } from '#base/time/clock.ts'
import type { Authenticated, Authenticator, Credentials } from './authenticator.ts'

/** A collision-free name of a secret text that does not tell it (SHA-256). */
export type Digest = (text: string) => string

const KEPT_MS = 10_000
const KEPT_LIMIT = 10_000

/**
 * Remembers, by the token's digest, for ten seconds whose it is: as long as upstream does, so that a token that was withdrawn is refused as
 * soon. Nothing is remembered beyond a token's own end, nor that a token was refused: what makes it good may be written in a moment. Requests
 * without a token pass by.
 */
export function tokenCache(authenticator: Authenticator, clock: Clock, digest: Digest): Authenticator {
  const kept = new Map<string, { readonly answer: Promise<Authenticated | undefined>; until: number }>()
  const ask = (credentials: Credentials, key: string) => {
    const answer = authenticator.authenticate(credentials)
    const entry = { answer, until: clock.monotonic() + KEPT_MS }
    if (kept.size >= KEPT_LIMIT) kept.clear()
    kept.set(key, entry)
    const forget = () => {
      if (kept.get(key) === entry) kept.delete(key)
    }
    answer.then(found => {
      if (!found) return forget()
      if (found.expiresAt !== undefined) entry.until = Math.min(entry.until, clock.monotonic() + found.expiresAt - clock.now())
    }, forget)
    return answer
  }
  return {
    ...authenticator,
    authenticate(credentials) {
      const { bearerToken, audiences } = credentials
      if (bearerToken === undefined) return authenticator.authenticate(credentials)
      const key = audiences ? `${digest(bearerToken)} ${JSON.stringify(audiences)}` : digest(bearerToken)
      const known = kept.get(key)
      return known && clock.monotonic() < known.until ? known.answer : ask(credentials, key)
    },
  }
}
