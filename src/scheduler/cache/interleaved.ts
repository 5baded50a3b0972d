import type { NodeInfo } from './node-info.ts'

/** The nodes in an order that goes round the zones, so that looking at some of them looks at all zones alike. */
export function interleaved(nodes: readonly NodeInfo[]): NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>()
  for (const node of nodes) {
    const zone = zoneOf(node.labels)
    const inZone = zones.get(zone)
    if (inZone) inZone.push(node)
    else zones.set(zone, [node])
  }
  if (zones.size <= 1) return [...nodes]
  const lists = [...zones.values()]
  const result: NodeInfo[] = []
  for (let round = 0; result.length < nodes.length; round++) {
    for (const list of lists) if (round < list.length) result.push(list[round]!)
  }
  return result
}

function zoneOf(labels: Readonly<Record<string, string>>): string {
  const region = labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? ''
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? ''
  return `${region}:${zone}`
}
