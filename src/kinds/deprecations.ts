import type { AnyKind } from '#machinery/kind/kind.ts'

/** Minor versions of Kubernetes 1: since when a kind is on its way out, from when on it is not served, and what is to be used instead. */
interface Deprecation {
  readonly since: number
  readonly goneIn?: number
  readonly use?: string
}

const DEVICES = ['DeviceClass', 'ResourceClaim', 'ResourceClaimTemplate', 'ResourceSlice']
const devices = (version: string, deprecation: Deprecation) =>
  DEVICES.map(kind => [`resource.k8s.io/${version}/${kind}`, deprecation] as const)

/** Served kinds that are deprecated in 1.36: three versions after they came in beta, unless their types say otherwise. */
const DEPRECATIONS: ReadonlyMap<string, Deprecation> = new Map([
  ['v1/ComponentStatus', { since: 19 }],
  ['v1/Endpoints', { since: 33, use: 'discovery.k8s.io/v1 EndpointSlice' }],
  ['certificates.k8s.io/v1alpha1/ClusterTrustBundle', { since: 34, goneIn: 37 }],
  ['certificates.k8s.io/v1beta1/ClusterTrustBundle', { since: 36, goneIn: 39 }],
  ['coordination.k8s.io/v1alpha2/LeaseCandidate', { since: 35 }],
  ['coordination.k8s.io/v1beta1/LeaseCandidate', { since: 36, goneIn: 39 }],
  ['networking.k8s.io/v1beta1/IPAddress', { since: 34, goneIn: 37 }],
  ['networking.k8s.io/v1beta1/ServiceCIDR', { since: 34, goneIn: 37 }],
  ['resource.k8s.io/v1alpha3/DeviceTaintRule', { since: 36 }],
  ...devices('v1beta1', { since: 35, goneIn: 38 }),
  ...devices('v1beta2', { since: 36, goneIn: 39 }),
  ['storage.k8s.io/v1beta1/VolumeAttributesClass', { since: 34, goneIn: 37, use: 'storage.k8s.io/v1 VolumeAttributesClass' }],
])

/** From which release on a deprecated kind is not served, as `1.37`; '' if that is not known. */
export function removalOf({ apiVersion, kind }: AnyKind): string {
  const goneIn = DEPRECATIONS.get(`${apiVersion}/${kind}`)?.goneIn
  return goneIn === undefined ? '' : `1.${goneIn}`
}

/** What every request for a kind that is on its way out is answered with, in a `Warning` header; undefined for all others. */
export function deprecationOf({ apiVersion, kind, deprecationWarning }: AnyKind): string | undefined {
  const deprecation = DEPRECATIONS.get(`${apiVersion}/${kind}`)
  if (!deprecation) return deprecationWarning
  const { since, goneIn, use } = deprecation
  const end = goneIn === undefined ? '' : `, unavailable in v1.${goneIn}+`
  return `${apiVersion} ${kind} is deprecated in v1.${since}+${end}${use === undefined ? '' : `; use ${use}`}`
}
