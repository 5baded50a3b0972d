import type { UserInfo } from '#client/direct/api-handler.ts'
import type { TokenReview } from '#kinds/authentication/v1/token-review.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Authenticated } from '../authentication/authenticator.ts'
import { known } from '../authentication/authenticator-chain.ts'
import type { Review } from './review.ts'

/** Finds out whose token it is, for any of `audiences`; undefined if it is nobody's. Rejects when it is meant for others. */
export type TokenCheck = (token: string, audiences: readonly string[]) => Promise<Authenticated | undefined>

/** Who is this token? (TokenReview) Who am I? (SelfSubjectReview, `kubectl auth whoami`) */
export function identityReviews(checkToken: TokenCheck, serverAudiences: readonly string[]): readonly Review[] {
  return [
    {
      group: 'authentication.k8s.io',
      resource: 'tokenreviews',
      async answer(object) {
        const { token, audiences } = (object as TokenReview).spec
        if (token === '') throw badRequest('token is required for TokenReview in authentication')
        const wanted = audiences?.length ? audiences : serverAudiences
        try {
          const found = await checkToken(token, wanted)
          if (!found) return { user: {}, error: INVALID }
          const named = found.audiences ?? wanted
          return { authenticated: true, user: infoOf(known(found.user)), ...(audiences?.length ? { audiences: named } : {}) }
        } catch (error) {
          const reasons: readonly Error[] = error instanceof AggregateError ? error.errors : [error as Error]
          return { user: {}, error: `[${[INVALID, ...reasons.map(({ message }) => message)].join(', ')}]` }
        }
      },
    },
    {
      group: 'authentication.k8s.io',
      resource: 'selfsubjectreviews',
      answer: async (_object, { user }) => ({ userInfo: infoOf(user) }),
    },
  ]
}

const INVALID = 'invalid bearer token'

/** Text of a refusal for the wrong audience, as upstream words it. */
export function wrongAudience(named: readonly string[], wanted: readonly string[]): Error {
  const list = (audiences: readonly string[]) => `[${audiences.map(quote).join(' ')}]`
  return new Error(`token audiences ${list(named)} is invalid for the target audiences ${list(wanted)}`)
}

function infoOf({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra && Object.keys(extra).length > 0 ? { extra } : {}) }
}
