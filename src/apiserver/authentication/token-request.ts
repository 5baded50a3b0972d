import type { TokenRequest } from '#kinds/authentication/v1/token-request.ts'
import { badRequest, invalid, notFound } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { BoundObjects, Reference, ServiceAccountTokenIssuer, TokenGrant } from './service-account-token.ts'

const MIN_SECONDS = 600
const MAX_SECONDS = 2 ** 32
const DEFAULT_SECONDS = 3_600
/** What kubelets ask for, and get a year for, with a note of when a client that does not renew is to be warned about. */
export const RENEWED_SECONDS = 3_607

/** What a token needs to know of the pod it is bound to. */
export interface PodFacts {
  nodeOf(namespace: string, pod: string): string | undefined
  /** The name of the service account it runs as. */
  accountOf(namespace: string, pod: string): string | undefined
}

export interface TokenRequestOptions {
  readonly issuer: ServiceAccountTokenIssuer
  readonly objects: BoundObjects & PodFacts
  /** What a token is for that names no audience: the server itself. */
  readonly audiences: readonly string[]
  /** No token lives longer, whatever was asked for; 0 or absent: no limit. */
  readonly maxExpirationSeconds?: number
  /** Whether the tokens that pods use towards this server live for a year, for clients that do not read them again. Default true. */
  readonly extendsPodTokens?: boolean
}

/**
 * Answers a POST to `serviceaccounts/<name>/token` (KEP-1205): the request with what was granted. A token is bound to the service account and,
 * if asked for, to a pod, secret or node: it ends with them.
 *
 * Rejects with 404 if what it is to be bound to is not there, 422 for a time that is too short or too long.
 */
export async function answerTokenRequest(
  options: TokenRequestOptions,
  namespace: string,
  name: string,
  request: TokenRequest,
): Promise<TokenRequest> {
  const { issuer, objects } = options
  const account = objects.find('ServiceAccount', namespace, name)
  if (!account) throw notFound({ group: '', resource: 'serviceaccounts' }, name)
  const { spec } = request
  const asked = spec.expirationSeconds ?? DEFAULT_SECONDS
  checkExpiration(asked, name)
  const expirationSeconds = Math.min(asked, options.maxExpirationSeconds || asked)
  const audiences = spec.audiences?.length ? spec.audiences : options.audiences
  const bound = spec.boundObjectRef ? boundTo(spec.boundObjectRef, namespace, name, objects) : {}
  // A token for somebody else must not outlive what was asked for.
  const isForServer = audiences.every(audience => options.audiences.includes(audience))
  const isExtended = (options.extendsPodTokens ?? true) && isForServer && bound.pod !== undefined && expirationSeconds === RENEWED_SECONDS
  const grant: TokenGrant = { namespace, serviceAccount: { name, uid: account.uid }, audiences, expirationSeconds, isExtended, ...bound }
  const { token, expiresAt } = await issuer.issue(grant)
  return {
    ...request,
    metadata: { ...request.metadata, name, namespace },
    spec: { ...spec, audiences, expirationSeconds },
    status: { token, expirationTimestamp: `${new Date(expiresAt).toISOString().slice(0, 19)}Z` },
  }
}

function checkExpiration(seconds: number, name: string): void {
  const errors = new FieldErrors()
  const at = errors.at('spec').at('expirationSeconds')
  if (seconds < MIN_SECONDS) at.invalid(seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > MAX_SECONDS) at.invalid(seconds, 'may not specify a duration larger than 2^32 seconds')
  if (!errors.isEmpty) throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, errors.all)
}

type Bound = Pick<TokenGrant, 'pod' | 'secret' | 'node'>

function boundTo(
  reference: NonNullable<TokenRequest['spec']['boundObjectRef']>,
  namespace: string,
  account: string,
  objects: TokenRequestOptions['objects'],
): Bound {
  const { kind, apiVersion, name = '', uid } = reference
  const find = (of: 'Pod' | 'Secret' | 'Node', plural: string, space: string): Reference => {
    const found = objects.find(of, space, name)
    if (!found) throw notFound({ group: '', resource: plural }, name)
    if (uid && uid !== found.uid) {
      throw badRequest(
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    }
    return { name, uid: found.uid }
  }
  if (apiVersion === 'v1' && kind === 'Pod') {
    const pod = find('Pod', 'pods', namespace)
    if (objects.accountOf(namespace, name) !== account) {
      throw badRequest(`cannot bind token for serviceaccount ${quote(account)} to pod running with different serviceaccount name.`)
    }
    const node = objects.nodeOf(namespace, name)
    const uidOfNode = node === undefined ? undefined : objects.find('Node', '', node)?.uid
    return { pod, ...(node === undefined ? {} : { node: { name: node, uid: uidOfNode ?? '' } }) }
  }
  if (apiVersion === 'v1' && kind === 'Secret') return { secret: find('Secret', 'secrets', namespace) }
  if (apiVersion === 'v1' && kind === 'Node') return { node: find('Node', 'nodes', '') }
  throw badRequest(`cannot bind token for serviceaccount to object of type ${apiVersion}, Kind=${kind}`)
}
