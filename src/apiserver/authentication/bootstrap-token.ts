import type { Clock } from '#base/time/clock.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import type { Authenticator } from './authenticator.ts'
import type { Digest } from './token-cache.ts'

const SECRET_TYPE = 'bootstrap.kubernetes.io/token'
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
/** The group of everybody who comes by such a token. */
const EVERYBODY = 'system:bootstrappers'

export interface BootstrapTokenOptions {
  /** The secret of that name in kube-system. */
  secret(name: string): Secret | undefined
  readonly clock: Clock
  readonly digest: Digest
}

/**
 * Tokens by which nodes join (`<id>.<secret>`, `--enable-bootstrap-token-auth`): secrets `bootstrap-token-<id>` in kube-system that are meant
 * for authentication and have not expired. What is wrong with a secret is no answer to whoever holds a token: such a token is simply unknown.
 */
export function bootstrapTokenAuthenticator({ secret: find, clock, digest }: BootstrapTokenOptions): Authenticator {
  return {
    name: 'bootstrap token',
    async authenticate({ bearerToken = '' }) {
      const [, id = '', key = ''] = TOKEN.exec(bearerToken) ?? []
      if (id === '') return undefined
      const secret = find(`bootstrap-token-${id}`)
      if (!secret || secret.metadata.deletionTimestamp || secret.type !== SECRET_TYPE) return undefined
      const data = (name: string) => textOf(secret.data?.[name])
      // Digests are compared, so that the time it takes tells nothing of the secret.
      if (data('token-secret') === '' || digest(data('token-secret')) !== digest(key) || data('token-id') !== id) return undefined
      const expiration = data('expiration')
      const expiresAt = expiration === '' ? undefined : Date.parse(expiration)
      if (expiresAt !== undefined && !(clock.now() < expiresAt)) return undefined
      if (data('usage-bootstrap-authentication') !== 'true') return undefined
      const more = data('auth-extra-groups').split(',').filter(Boolean)
      if (!more.every(group => GROUP.test(group))) return undefined
      const groups = [...new Set([EVERYBODY, ...more])].sort()
      return { user: { name: `system:bootstrap:${id}`, groups }, ...(expiresAt === undefined ? {} : { expiresAt }) }
    },
  }
}

function textOf(data: string | undefined): string {
  return data === undefined ? '' : Buffer.from(data, 'base64').toString('utf8')
}
