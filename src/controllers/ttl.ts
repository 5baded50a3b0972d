import { Node } from '#kinds/core/v1/node.ts'
import { defineController, whole } from './runtime/define-controller.ts'

const TTL = 'node.alpha.kubernetes.io/ttl'

/** From how many nodes on kubelets may keep secrets and config maps for how long, and below how many they must look again sooner. */
const STEPS = [
  { below: 90, seconds: 0 },
  { below: 450, seconds: 15 },
  { below: 900, seconds: 30 },
  { below: 1800, seconds: 60 },
  { below: 9000, seconds: 300 },
]

/** Tells kubelets how long they may trust what they have read: the longer the larger the cluster. */
export const ttlController = defineController({
  name: 'ttl-controller',
  reconciles: Node,
  writes: [whole(Node)],
  resyncMs: 600_000,
  async reconcile(node, { client, list }) {
    const wanted = String(ttlSeconds(list(Node).length))
    if (node.metadata.annotations?.[TTL] === wanted) return
    await client.patch(Node, node, { type: 'merge', body: { metadata: { annotations: { [TTL]: wanted } } } })
  },
})

export function ttlSeconds(nodes: number): number {
  return STEPS.find(({ below }) => nodes <= below + 10)?.seconds ?? 300
}
