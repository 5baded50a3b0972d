import { isReady, isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { TestCluster } from './test-cluster.ts'

/** A pod template that selectors on `app: <name>` select. */
export const podTemplate = (app: string, image = 'web:1') => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image }] },
})

const selector = (app: string) => ({ matchLabels: { app } })

export const replicaSet = (name: string, replicas: number) => ({
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: selector(name), template: podTemplate(name) },
})

export const deployment = (name: string, replicas: number, more: object = {}) => ({
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: selector(name), template: podTemplate(name), ...more },
})

/** What a kubelet does: the pod runs and is ready. */
export function markReady({ api, clock }: Pick<TestCluster, 'api' | 'clock'>, pod: Pod, isReady = true): void {
  api.change(
    Pod,
    pod.metadata.name!,
    next => {
      next.spec.nodeName ??= 'node-1'
      next.status.phase = 'Running'
      const at = timeOf(clock.now())
      next.status.conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False', lastProbeTime: null, lastTransitionTime: at }]
    },
    pod.metadata.namespace,
  )
}

/** What a kubelet does: every pod that is to run is ready, every pod that is to go is gone. */
export function kubeletStep(cluster: Pick<TestCluster, 'api' | 'clock'>): void {
  for (const pod of cluster.api.all(Pod)) {
    if (pod.metadata.deletionTimestamp && !pod.metadata.finalizers?.length)
      cluster.api.remove(Pod, pod.metadata.name!, pod.metadata.namespace)
    else if (!pod.metadata.deletionTimestamp && !isTerminal(pod) && !isReady(pod)) markReady(cluster, pod)
  }
}
