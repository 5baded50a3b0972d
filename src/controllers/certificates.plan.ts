import type { CertificateSigningRequest } from '#kinds/certificates/v1/certificate-signing-request.ts'
import type { CertificateRequest } from './runtime/parameters.ts'

export const KUBE_APISERVER_CLIENT = 'kubernetes.io/kube-apiserver-client'
export const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet'
export const KUBELET_SERVING = 'kubernetes.io/kubelet-serving'
export const LEGACY_UNKNOWN = 'kubernetes.io/legacy-unknown'

/** The signers whose requests are signed here. */
export const OWN_SIGNERS: ReadonlySet<string> = new Set([KUBE_APISERVER_CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY_UNKNOWN])

const CLIENT_USAGES = ['key encipherment', 'digital signature', 'client auth']
const SERVING_USAGES = ['key encipherment', 'digital signature', 'server auth']

export function hasCondition(request: CertificateSigningRequest, type: string): boolean {
  return request.status.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false
}

/** Why the signer must not sign what is asked for; undefined if it may. */
export function refusal({ spec }: CertificateSigningRequest, asked: CertificateRequest): string | undefined {
  switch (spec.signerName) {
    case KUBE_APISERVER_CLIENT:
      return usageRefusal(spec.usages, CLIENT_USAGES, 'client auth')
    case KUBELET_CLIENT:
      return kubeletClientRefusal(asked, spec.usages)
    case KUBELET_SERVING:
      return kubeletServingRefusal(asked, spec.usages, spec.username ?? '')
    default:
      return undefined
  }
}

/** Why this is no request of a kubelet for its client certificate. */
export function kubeletClientRefusal(asked: CertificateRequest, usages: readonly string[] = []): string | undefined {
  if (!isNodesGroup(asked)) return 'subject organization is not system:nodes'
  if (asked.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (asked.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (asked.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (asked.uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!asked.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node: '
  return usageRefusal(usages, CLIENT_USAGES, 'client auth')
}

function kubeletServingRefusal(asked: CertificateRequest, usages: readonly string[] = [], username: string): string | undefined {
  if (!isNodesGroup(asked)) return 'subject organization is not system:nodes'
  if (asked.dnsNames.length + asked.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (asked.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (asked.uris.length > 0) return 'URI subjectAltNames are not allowed'
  if (!asked.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node: '
  if (asked.commonName !== username) return 'requested name does not match requesting user'
  return usageRefusal(usages, SERVING_USAGES, 'server auth')
}

function isNodesGroup({ organizations }: CertificateRequest): boolean {
  return organizations.length === 1 && organizations[0] === 'system:nodes'
}

/** Key encipherment may be missing: keys that are not RSA cannot do it. */
function usageRefusal(usages: readonly string[] = [], allowed: readonly string[], needed: string): string | undefined {
  const isAllowed = usages.every(usage => allowed.includes(usage)) && usages.includes(needed) && usages.includes('digital signature')
  return isAllowed ? undefined : `usages did not match ${JSON.stringify(allowed)}`
}

const HOUR_MS = 3600_000

/** When the request has outlived its use; `notAfterMs` is when the certificate in it ends. */
export function expiryOf(request: CertificateSigningRequest, notAfterMs: number | undefined): number {
  const since = (type: string) => {
    const at = request.status.conditions?.find(condition => condition.type === type)?.lastUpdateTime
    return at ? Date.parse(at) : undefined
  }
  const created = Date.parse(request.metadata.creationTimestamp ?? '') || 0
  const decided = ['Approved', 'Denied', 'Failed'].flatMap(type => since(type) ?? [])
  const ends = decided.map(at => at + HOUR_MS)
  if (decided.length === 0) ends.push(created + 24 * HOUR_MS)
  if (notAfterMs !== undefined) ends.push(notAfterMs)
  return Math.min(...ends)
}
