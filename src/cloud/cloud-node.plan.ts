import type { Node } from '#kinds/core/v1/node.ts'
import type { NodeAddress } from '#kinds/core/v1/node-status.ts'
import type { Instance } from './provider.ts'

/** A kubelet with `--cloud-provider=external` waits with this taint until its machine has been described. */
export const UNINITIALIZED = 'node.cloudprovider.kubernetes.io/uninitialized'
/** The address that a kubelet was told to take: others of that type are not shown. */
const PROVIDED_IP = 'alpha.kubernetes.io/provided-node-ip'

/** What a node is to say of its machine: undefined where it says so already. */
export interface NodePlan {
  /** A merge patch of the node. */
  readonly patch: object | undefined
  readonly addresses: readonly NodeAddress[] | undefined
}

/** Brings a description of the machine into its node. */
export function planNode(node: Node, instance: Instance, place: { readonly zone: string; readonly region: string }): NodePlan {
  const labels = labelsOf(instance, place)
  const missing = Object.entries(labels).filter(([key, value]) => node.metadata.labels?.[key] !== value)
  const { taints = [], providerID = '' } = node.spec
  const rest = taints.filter(({ key }) => key !== UNINITIALIZED)
  const spec = {
    ...(providerID === '' ? { providerID: instance.providerID } : {}),
    ...(rest.length < taints.length ? { taints: rest } : {}),
  }
  const hasNews = missing.length > 0 || Object.keys(spec).length > 0
  const addresses = addressesOf(node, instance.addresses)
  return {
    patch: hasNews ? { metadata: { labels: Object.fromEntries(missing) }, spec } : undefined,
    addresses: isSame(addresses, node.status.addresses ?? []) ? undefined : addresses,
  }
}

function labelsOf({ instanceType, labels = {} }: Instance, { zone, region }: { readonly zone: string; readonly region: string }) {
  const known = {
    'node.kubernetes.io/instance-type': instanceType,
    'beta.kubernetes.io/instance-type': instanceType,
    'topology.kubernetes.io/zone': zone,
    'failure-domain.beta.kubernetes.io/zone': zone,
    'topology.kubernetes.io/region': region,
    'failure-domain.beta.kubernetes.io/region': region,
  }
  return { ...labels, ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== '')) }
}

/** What the provider says, but of the type of the address that the kubelet was given only that one; and the host name that it has. */
function addressesOf({ metadata, status }: Node, known: readonly NodeAddress[]): readonly NodeAddress[] {
  const provided = metadata.annotations?.[PROVIDED_IP]
  const type = known.find(({ address }) => address === provided)?.type
  const chosen = type === undefined ? known : known.filter(one => one.type !== type || one.address === provided)
  const hostname = status.addresses?.find(one => one.type === 'Hostname')
  return hostname && !chosen.some(one => one.type === 'Hostname') ? [...chosen, hostname] : chosen
}

function isSame(a: readonly NodeAddress[], b: readonly NodeAddress[]): boolean {
  return a.length === b.length && a.every(({ type, address }, index) => b[index]!.type === type && b[index]!.address === address)
}
