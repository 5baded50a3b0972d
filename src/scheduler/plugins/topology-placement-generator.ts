import type { NodeInfo } from '../cache/node-info.ts'
import type { SchedulerPlugin } from '../framework/plugin.ts'

const NAME = 'TopologyPlacementGenerator'

/** Keeps the pods of a group in one domain, such as a rack, if the group says so (KEP-5732). */
export function topologyPlacementGenerator(): SchedulerPlugin {
  /** Where pods may go while their group is tried, by their uid. */
  const confined = new Map<string, ReadonlySet<string>>()
  return {
    name: NAME,
    wakesOn: ['node added', 'node labels changed'],
    placementGenerate({ spec }, nodes, scheduledOn) {
      // Upstream allows one constraint.
      const key = spec.schedulingConstraints?.topology?.[0]?.key
      if (key === undefined) return undefined
      const required = domainOf(key, scheduledOn)
      const domains = new Map<string, Set<string>>()
      for (const { name, node } of nodes) {
        const domain = node?.metadata.labels?.[key]
        if (domain === undefined || (required !== undefined && domain !== required)) continue
        const known = domains.get(domain)
        if (known) known.add(name)
        else domains.set(domain, new Set([name]))
      }
      return [...domains].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, names]) => names)
    },
    confine(uid, nodeNames) {
      if (nodeNames) confined.set(uid, nodeNames)
      else confined.delete(uid)
    },
    preFilter({ info }) {
      const nodeNames = confined.get(info.uid)
      return nodeNames ? { nodeNames } : { skip: true }
    },
  }
}

/** Where those of the group are that have nodes already. */
function domainOf(key: string, nodes: readonly NodeInfo[]): string | undefined {
  const refuse = (why: string) => new Error(`cannot determine domain for already scheduled pods: ${why}`)
  let known: string | undefined
  for (const { name, node } of nodes) {
    const domain = node?.metadata.labels?.[key]
    if (domain === undefined) throw refuse(`no topology domain found on node ${name}`)
    if (known !== undefined && known !== domain) throw refuse(`more than 1 domain found for pod group: ${known}, ${domain}`)
    known = domain
  }
  return known
}
