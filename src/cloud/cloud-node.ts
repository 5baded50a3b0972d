import type { Controller } from '#controllers/runtime/controller.ts'
import { defineController, status, whole } from '#controllers/runtime/define-controller.ts'
import { Node } from '#kinds/core/v1/node.ts'
import type { CloudControllerOptions } from './cloud-controllers.ts'
import { planNode, UNINITIALIZED } from './cloud-node.plan.ts'
import type { CloudProvider, Instances } from './provider.ts'

/** Tells nodes what their provider knows of their machines, and lets pods onto nodes that waited for it. */
export function cloudNodeController(
  { zones }: CloudProvider,
  instances: Instances,
  { nodeStatusUpdateFrequencyMs }: CloudControllerOptions,
): Controller {
  return defineController({
    name: 'cloud-node-controller',
    reconciles: Node,
    writes: [whole(Node), status(Node)],
    async reconcile(node, { client, events, again }) {
      if (node.metadata.deletionTimestamp) return
      const waits = node.spec.taints?.some(({ key }) => key === UNINITIALIZED) ?? false
      // The addresses of a node that never asked for a provider are its kubelet's to tell.
      if (!waits && node.metadata.annotations?.[MANAGED] !== 'true') return
      again(nodeStatusUpdateFrequencyMs)
      const instance = await instances.describe(node)
      if (!instance) return
      const place = (await zones?.of(node)) ?? { zone: '', region: '' }
      const plan = planNode(node, instance, place)
      let current = node
      // Where the node is comes before pods may come.
      if (plan.addresses) {
        const body = { status: { addresses: plan.addresses } }
        current = await client.patch(Node, node, { type: 'merge', body }, { subresource: 'status' })
      }
      const annotations = { [MANAGED]: 'true' }
      if (plan.patch || waits) {
        const patch = planNode(current, instance, place).patch as { metadata?: object; spec?: object } | undefined
        const body = {
          metadata: { resourceVersion: current.metadata.resourceVersion, ...patch?.metadata, annotations },
          spec: { ...patch?.spec },
        }
        await client.patch(Node, node, { type: 'merge', body })
      }
      if (waits) events.record(node, 'Normal', 'Synced', 'Node synced successfully')
    },
  })
}

/** Marks nodes whose addresses are the provider's to tell. */
const MANAGED = 'typernetes.dev/cloud-provided-addresses'
