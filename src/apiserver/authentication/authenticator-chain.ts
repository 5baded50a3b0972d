import type { Logger } from '#base/log/logger.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import type { Authenticator } from './authenticator.ts'

export const AUTHENTICATED = 'system:authenticated'
export const UNAUTHENTICATED = 'system:unauthenticated'

/** Who a request is from when nothing proves it, if the server lets such requests through. */
export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: [UNAUTHENTICATED] }

/**
 * Asks one authenticator after the other: the first that knows the sender decides. When one finds its kind of credentials wrong the others
 * still get their turn; if none knows the sender then, the request is refused with all that was found wrong (an AggregateError). Who is known
 * is in the group `system:authenticated`.
 */
export function authenticatorChain(authenticators: readonly Authenticator[], log: Logger): Authenticator {
  const looking = authenticators.filter(one => one.looksAt)
  return {
    name: authenticators.map(({ name }) => name).join(','),
    ...(looking.length > 0 ? { looksAt: headers => looking.some(one => one.looksAt!(headers)) } : {}),
    async authenticate(credentials) {
      const wrong: unknown[] = []
      for (const authenticator of authenticators) {
        try {
          const found = await authenticator.authenticate(credentials)
          if (found) return { ...found, user: known(found.user) }
        } catch (error) {
          wrong.push(...(error instanceof AggregateError ? error.errors : [error]))
          log.verbose('credentials were refused', { authenticator: authenticator.name, reason: String((error as Error).message) })
        }
      }
      if (wrong.length > 0) throw new AggregateError(wrong, wrong.map(error => (error as Error).message).join(', '))
      return undefined
    },
  }
}

const marked = new WeakMap<UserInfo, UserInfo>()

/** The user with the group of all who are known; the same object for the same user, so that later caches find it. */
export function known(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED) || user.name === ANONYMOUS.name) return user
  let found = marked.get(user)
  if (!found) {
    found = { ...user, groups: [...user.groups, AUTHENTICATED] }
    marked.set(user, found)
  }
  return found
}
