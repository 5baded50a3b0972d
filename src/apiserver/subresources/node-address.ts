import type { Node } from '#kinds/core/v1/node.ts'

const PREFERRED = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'] as const
const KUBELET_PORT = 10_250

/** Where a node is reached, '' if it has not said. `preferred` are types of addresses, best first. */
export function addressOfNode(node: Node, preferred: readonly string[] = PREFERRED): string {
  for (const type of preferred) {
    const found = node.status.addresses?.find(address => address.type === type)
    if (found) return found.address
  }
  return ''
}

export function kubeletPortOf(node: Node): number {
  return node.status.daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT
}
