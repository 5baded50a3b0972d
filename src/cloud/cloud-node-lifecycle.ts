import type { Controller } from '#controllers/runtime/controller.ts'
import { defineController, whole } from '#controllers/runtime/define-controller.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import type { CloudControllerOptions } from './cloud-controllers.ts'
import type { Instances } from './provider.ts'

const SHUTDOWN = 'node.cloudprovider.kubernetes.io/shutdown'

/** Deletes nodes whose machines have vanished, and taints those whose machines are off. Only nodes that are not ready are asked about. */
export function cloudNodeLifecycleController(instances: Instances, { nodeMonitorPeriodMs }: CloudControllerOptions): Controller {
  return defineController({
    name: 'cloud-node-lifecycle-controller',
    reconciles: Node,
    writes: [whole(Node)],
    async reconcile(node, { client, events, again }) {
      if (node.metadata.deletionTimestamp) return
      const { taints = [] } = node.spec
      const isTainted = taints.some(({ key }) => key === SHUTDOWN)
      const retaint = (next: typeof taints) =>
        client.patch(Node, node, {
          type: 'merge',
          body: { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints: next } },
        })
      if (isReady(node)) {
        if (isTainted) await retaint(taints.filter(({ key }) => key !== SHUTDOWN))
        return
      }
      again(nodeMonitorPeriodMs)
      if (!(await instances.exists(node))) {
        const message = `Deleting node ${node.metadata.name} because it does not exist in the cloud provider`
        events.record(node, 'Normal', 'DeletingNode', message)
        await client.delete(Node, node, { preconditions: { uid: node.metadata.uid } }).catch(error => {
          if (!isNotFound(error)) throw error
        })
      } else if (!isTainted && (await instances.isShutDown(node))) await retaint([...taints, { key: SHUTDOWN, effect: 'NoSchedule' }])
    },
  })
}

/** A node that has never said anything is new and not gone. */
function isReady({ status }: Node): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  return ready === undefined || ready.status === 'True'
}
