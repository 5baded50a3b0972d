import type { Client } from '#client/client.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { SchedulerPlugin } from '../framework/plugin.ts'

/** Tells the API server which node a pod is for. */
export function defaultBinder(client: Client): SchedulerPlugin {
  return {
    name: 'DefaultBinder',
    async bind({ pod }, node, signal) {
      const { namespace, name, uid } = pod.metadata
      await client.subresource(Pod, pod, {
        subresource: 'binding',
        verb: 'create',
        signal,
        body: { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target: { kind: 'Node', name: node.name } },
      })
    },
  }
}
