import type { Node, Taint } from './node.ts'
import type { NodeCondition } from './node-status.ts'
import { amountsOf, type ResourceAmounts } from './resources.facts.ts'

/** Whether its kubelet lately said that it can run pods. */
export function isReady(node: Node): boolean {
  return nodeCondition(node, 'Ready')?.status === 'True'
}

/** Whether new pods may go there, taints aside. */
export function isSchedulable(node: Node): boolean {
  return node.spec.unschedulable !== true
}

/** The condition of that type, if it was ever reported. */
export function nodeCondition(node: Node, type: string): NodeCondition | undefined {
  return node.status.conditions?.find(condition => condition.type === type)
}

/** What keeps pods away that don't tolerate it. */
export function taintsOf(node: Node): readonly Taint[] {
  return node.spec.taints ?? []
}

/** What pods may use of it: cpu in thousandths, the rest in units. */
export function allocatableOf(node: Node): ResourceAmounts {
  return amountsOf(node.status.allocatable ?? node.status.capacity)
}

/** The address by which the cluster reaches it: its first internal IP, else its first external one. */
export function addressOf(node: Node): string | undefined {
  const of = (type: string) => node.status.addresses?.find(address => address.type === type && address.address !== '')?.address
  return of('InternalIP') ?? of('ExternalIP')
}

/** The zone and region that it says it is in. */
export function topologyOf(node: Node): { readonly zone: string | undefined; readonly region: string | undefined } {
  return { zone: node.metadata.labels?.['topology.kubernetes.io/zone'], region: node.metadata.labels?.['topology.kubernetes.io/region'] }
}
