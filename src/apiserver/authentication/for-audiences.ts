import type { Authenticator } from './authenticator.ts'

/**
 * An authenticator whose proofs name no audience: they are for this server, and for nobody else who asks by a TokenReview.
 */
export function forAudiences(own: readonly string[], authenticator: Authenticator): Authenticator {
  return {
    name: authenticator.name,
    async authenticate(credentials) {
      const wanted = credentials.audiences
      if (!wanted) return authenticator.authenticate(credentials)
      const audiences = wanted.filter(audience => own.includes(audience))
      if (audiences.length === 0) return undefined
      const found = await authenticator.authenticate(credentials)
      return found && { ...found, audiences }
    },
  }
}
