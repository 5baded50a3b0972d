import type { Claims, TokenSigner, TokenVerifier } from '#base/pki/json-web-token.ts'
import { unverifiedClaims } from '#base/pki/json-web-token.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { type TokenCheck, wrongAudience } from '../reviews/identity-reviews.ts'
import type { Authenticator } from './authenticator.ts'

/** An object that a token is bound to: it ends with it. */
export interface Reference {
  readonly name: string
  readonly uid: string
}

/** What a TokenRequest asks for, once it was checked and its service account found. */
export interface TokenGrant {
  readonly namespace: string
  readonly serviceAccount: Reference
  /** Not empty. */
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  /** Lives for a year, and says when a client that does not renew it is to be warned about. */
  readonly isExtended?: boolean
  readonly pod?: Reference
  readonly secret?: Reference
  readonly node?: Reference
}

/** A token and when it ends, in milliseconds since the epoch. */
export interface IssuedToken {
  readonly token: string
  readonly expiresAt: number
}

const YEAR_SECONDS = 365 * 86_400

/** Makes tokens for service accounts: bound to an audience, an object and a time (KEP-1205). */
export interface ServiceAccountTokenIssuer {
  readonly issuer: string
  issue(grant: TokenGrant): Promise<IssuedToken>
}

/** Issues in the name of `issuer` (a URL, `--service-account-issuer`). */
export function serviceAccountTokenIssuer(issuer: string, signer: TokenSigner, clock: Clock, random: Random): ServiceAccountTokenIssuer {
  return {
    issuer,
    async issue(grant) {
      const now = Math.floor(clock.now() / 1000)
      const { namespace, serviceAccount, pod, secret, node, isExtended, expirationSeconds } = grant
      const exp = now + (isExtended ? YEAR_SECONDS : expirationSeconds)
      const token = await signer.sign({
        aud: grant.audiences,
        exp,
        iat: now,
        iss: issuer,
        jti: random.uuid(),
        'kubernetes.io': {
          namespace,
          ...(node ? { node } : {}),
          ...(pod ? { pod } : {}),
          ...(secret ? { secret } : {}),
          serviceaccount: serviceAccount,
          ...(isExtended ? { warnafter: now + expirationSeconds } : {}),
        },
        nbf: now,
        sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
      })
      return { token, expiresAt: (now + expirationSeconds) * 1000 }
    },
  }
}

/** Looks up, in caches, the objects that tokens are bound to: their uid and when they are to be gone. */
export interface BoundObjects {
  find(kind: 'ServiceAccount' | 'Pod' | 'Secret' | 'Node', namespace: string, name: string): BoundObject | undefined
}

export interface BoundObject {
  readonly uid: string
  /** Milliseconds since the epoch; set once its deletion was asked for. */
  readonly deletedAt?: number
}

export interface ServiceAccountTokenOptions {
  /** Issuers whose tokens are taken; the first is the server's own. */
  readonly issuers: readonly string[]
  /** Audiences that the server is (`--api-audiences`); a token must name one. */
  readonly audiences: readonly string[]
  readonly verifier: TokenVerifier
  readonly objects: BoundObjects
  readonly clock: Clock
}

/** A pod that is being deleted keeps its token for as long as it may take to end. */
const DELETION_LEEWAY_MS = 60_000

/** Knows service accounts by the tokens they were given, as long as what a token is bound to is there. */
export function serviceAccountTokenAuthenticator(options: ServiceAccountTokenOptions): Authenticator {
  const check = serviceAccountTokenCheck(options)
  return {
    name: 'service account token',
    authenticate: async ({ bearerToken, audiences = options.audiences }) =>
      bearerToken === undefined ? undefined : check(bearerToken, audiences),
  }
}

/** Whose token it is, if it is for one of the audiences that are asked for; undefined if another issuer made it. */
export function serviceAccountTokenCheck(options: Omit<ServiceAccountTokenOptions, 'audiences'>): TokenCheck {
  return async (token, wanted) => {
    const issuer = unverifiedClaims(token)?.iss
    if (issuer === undefined || !options.issuers.includes(issuer)) return undefined
    const claims = await options.verifier.verify(token)
    const named = [claims.aud ?? []].flat()
    const audiences = wanted.filter(audience => named.includes(audience))
    if (audiences.length === 0) throw wrongAudience(named, wanted)
    checkTimes(claims, options.clock.now())
    return { user: userOf(claims, options.objects, options.clock.now()), audiences, expiresAt: claims.exp! * 1000 }
  }
}

function checkTimes(claims: Claims, now: number): void {
  const seconds = now / 1000
  if (claims.exp === undefined || seconds >= claims.exp) throw new Error('service account token has expired')
  if (claims.nbf !== undefined && seconds + 1 < claims.nbf) throw new Error('service account token is not valid yet')
}

interface KubernetesClaims {
  readonly namespace?: string
  readonly serviceaccount?: Reference
  readonly pod?: Reference
  readonly secret?: Reference
  readonly node?: Reference
}

function userOf(claims: Claims, objects: BoundObjects, now: number): UserInfo {
  const { namespace, serviceaccount, pod, secret, node } = (claims['kubernetes.io'] ?? {}) as KubernetesClaims
  if (!namespace || !serviceaccount) throw new Error('the token names no service account')
  const name = `system:serviceaccount:${namespace}:${serviceaccount.name}`
  if (claims.sub !== name) throw new Error('the subject of the token is not its service account')
  checkAccount(objects.find('ServiceAccount', namespace, serviceaccount.name), namespace, serviceaccount, now)
  if (secret) checkBound('secret', objects.find('Secret', namespace, secret.name), secret, now)
  if (pod) checkBound('pod', objects.find('Pod', namespace, pod.name), pod, now)
  // The node of a pod is told beside it; it is the pod that the token ends with.
  if (node && !pod) checkBound('node', objects.find('Node', '', node.name), node, now)
  const PREFIX = 'authentication.kubernetes.io'
  return {
    name,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra: {
      ...(claims.jti ? { [`${PREFIX}/credential-id`]: [`JTI=${claims.jti}`] } : {}),
      ...(node ? { [`${PREFIX}/node-name`]: [node.name] } : {}),
      ...(node?.uid ? { [`${PREFIX}/node-uid`]: [node.uid] } : {}),
      ...(pod ? { [`${PREFIX}/pod-name`]: [pod.name], [`${PREFIX}/pod-uid`]: [pod.uid] } : {}),
    },
  }
}

function checkAccount(object: BoundObject | undefined, namespace: string, { name, uid }: Reference, now: number): void {
  if (!object) throw new Error(`serviceaccounts ${JSON.stringify(name)} not found`)
  if (isGone(object, now)) throw new Error(`service account ${namespace}/${name} has been deleted`)
  if (object.uid !== uid) throw new Error(`service account UID (${object.uid}) does not match claim (${uid})`)
}

function checkBound(kind: string, object: BoundObject | undefined, { uid }: Reference, now: number): void {
  if (!object || isGone(object, now)) throw new Error('service account token has been invalidated')
  if (object.uid !== uid) throw new Error(`${kind} UID (${object.uid}) does not match service account ${kind} ref claim (${uid})`)
}

function isGone({ deletedAt }: BoundObject, now: number): boolean {
  return deletedAt !== undefined && deletedAt + DELETION_LEEWAY_MS < now
}
