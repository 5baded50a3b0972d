import type { Taint } from '#kinds/core/v1/node.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { tolerates } from '#kinds/core/v1/toleration.facts.ts'
import type { Controller } from './runtime/controller.ts'
import { counter, histogram } from './runtime/controller-metrics.ts'
import { defineController, status, whole } from './runtime/define-controller.ts'
import { evictPod } from './runtime/evict-pod.ts'
import { mapped } from './runtime/watches.ts'

const BY_NODE = 'podOnNode'

const deletions = counter(
  'taint_eviction_controller_pod_deletions_total',
  'Total number of Pods deleted by TaintEvictionController since its start.',
)
const latency = histogram(
  'taint_eviction_controller_pod_deletion_duration_seconds',
  'Latency, in seconds, between the time when a taint effect has been activated for the Pod and its deletion via TaintEvictionController.',
  [],
  [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
)

const definition = {
  name: 'taint-eviction-controller',
  reconciles: Node,
  watches: [
    mapped(
      Pod,
      (pod, { reconciled }) => {
        const node = reconciled.get('', pod.spec.nodeName ?? '') as Node | undefined
        return node && noExecute(node).length > 0 ? [node] : []
      },
      { [BY_NODE]: pod => [pod.spec.nodeName ?? ''] },
    ),
  ],
  writes: [whole(Pod), status(Pod)],
} as const

/** Deletes pods from nodes with NoExecute taints that they don't tolerate, or no longer. */
export const taintEvictionController: Controller = {
  name: definition.name,
  // Taints that people set do not say since when: they count from when they were first seen.
  run: context => evicting(new Map()).run(context),
}

const evicting = (firstSeen: Map<string, ReadonlyMap<string, number>>) =>
  defineController({
    ...definition,
    gone: async ({ name }) => void firstSeen.delete(name),
    async reconcile(node, tools) {
      const { name = '' } = node.metadata
      const before = firstSeen.get(name)
      const taints = noExecute(node).map(taint => ({
        taint,
        since: taint.timeAdded ? Date.parse(taint.timeAdded) : (before?.get(keyOf(taint)) ?? tools.now),
      }))
      if (taints.length === 0) {
        firstSeen.delete(name)
        return
      }
      firstSeen.set(name, new Map(taints.map(({ taint, since }) => [keyOf(taint), since])))
      for (const pod of tools.list(Pod, { index: [BY_NODE, name] })) {
        if (isTerminating(pod)) continue
        const at = evictionAt(pod, taints, tools.now)
        if (at === undefined) continue
        if (at > tools.now) {
          tools.again(at - tools.now)
          continue
        }
        await evictPod(pod, EVICTION, tools)
        tools.metrics.count(deletions)
        tools.metrics.observe(latency, [], Math.max(0, tools.clock.now() - at) / 1000)
      }
    },
  })

const keyOf = ({ key, value = '' }: Taint) => `${key}=${value}`

/** Until when the pod may stay; undefined for ever. Counted from the taint, or from the pod's start if that was later. */
function evictionAt(pod: Pod, taints: readonly { readonly taint: Taint; readonly since: number }[], now: number): number | undefined {
  let earliest: number | undefined
  const started = Date.parse(pod.metadata.creationTimestamp ?? '') || 0
  for (const { taint, since: added } of taints) {
    const matching = (pod.spec.tolerations ?? []).filter(toleration => tolerates(toleration, taint))
    const since = Math.max(started, added)
    const limits = matching.flatMap(({ tolerationSeconds }) => (tolerationSeconds === undefined ? [] : [Math.max(0, tolerationSeconds)]))
    if (matching.length > 0 && limits.length === 0) continue
    const at = matching.length === 0 ? Math.min(since, now) : since + Math.min(...limits) * 1000
    earliest = Math.min(earliest ?? at, at)
  }
  return earliest
}

function noExecute({ spec }: Node): Taint[] {
  return (spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
}

const EVICTION = {
  event: 'TaintManagerEviction',
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
}
