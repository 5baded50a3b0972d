import { type TokenVerifier, unverifiedClaims } from '#base/pki/json-web-token.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import { wrongAudience } from '../reviews/identity-reviews.ts'
import type { Authenticator } from './authenticator.ts'
import type { BoundObjects } from './service-account-token.ts'
import type { Digest } from './token-cache.ts'

const ISSUER = 'kubernetes/serviceaccount'
const CLAIM = 'kubernetes.io/serviceaccount'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'

export interface LegacyServiceAccountTokenOptions {
  /** The audiences of this server: such a token names none, and is for no other. */
  readonly audiences: readonly string[]
  readonly verifier: TokenVerifier
  readonly objects: BoundObjects
  secret(namespace: string, name: string): Secret | undefined
  readonly digest: Digest
  /** A token of this secret was used: its label `kubernetes.io/legacy-token-last-used` is kept by whoever is told. */
  used?(secret: Secret): void
}

/** Tokens that are kept in secrets of type `kubernetes.io/service-account-token`: good as long as that secret holds them. */
export function legacyServiceAccountTokenAuthenticator(options: LegacyServiceAccountTokenOptions): Authenticator {
  const { audiences: own, verifier, objects, digest } = options
  return {
    name: 'service account token in a secret',
    async authenticate({ bearerToken, audiences: wanted = own }) {
      if (bearerToken === undefined || unverifiedClaims(bearerToken)?.iss !== ISSUER) return undefined
      const claims = await verifier.verify(bearerToken)
      const claim = (name: string) => {
        const value = claims[`${CLAIM}/${name}`]
        if (typeof value !== 'string' || value === '') throw new Error(`the token lacks the claim ${CLAIM}/${name}`)
        return value
      }
      const audiences = wanted.filter(audience => own.includes(audience))
      if (audiences.length === 0) throw wrongAudience(own, wanted)
      const namespace = claim('namespace')
      const account = claim('service-account.name')
      const uid = claim('service-account.uid')
      const name = `system:serviceaccount:${namespace}:${account}`
      if (claims.sub !== name) throw new Error('sub claim is invalid')
      const secret = options.secret(namespace, claim('secret.name'))
      if (!secret || secret.metadata.deletionTimestamp) throw new Error('service account token has been invalidated')
      const held = Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8')
      if (digest(held) !== digest(bearerToken)) throw new Error("service account token does not match server's copy")
      const found = objects.find('ServiceAccount', namespace, account)
      if (!found) throw new Error(`serviceaccounts ${JSON.stringify(account)} not found`)
      if (found.deletedAt !== undefined) throw new Error(`service account ${namespace}/${account} has been deleted`)
      if (found.uid !== uid) throw new Error(`service account UID (${found.uid}) does not match claim (${uid})`)
      const invalidSince = secret.metadata.labels?.[INVALID_SINCE]
      if (invalidSince) {
        throw new Error(
          `the token in secret ${namespace}/${secret.metadata.name} for service account ${namespace}/${account} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`,
        )
      }
      options.used?.(secret)
      const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
      return { user: { name, uid, groups }, audiences }
    },
  }
}
