import type { Taint } from '#kinds/core/v1/node.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { tolerates } from '#kinds/core/v1/toleration.facts.ts'
import { defineController, status, whole } from './runtime/define-controller.ts'
import { evictPod } from './runtime/evict-pod.ts'
import { mapped } from './runtime/watches.ts'

const BY_NODE = 'podOnNode'

/** Deletes pods from nodes with NoExecute taints that they don't tolerate, or no longer. */
export const taintEvictionController = defineController({
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
  async reconcile(node, tools) {
    const taints = noExecute(node)
    if (taints.length === 0) return
    for (const pod of tools.list(Pod, { index: [BY_NODE, node.metadata.name ?? ''] })) {
      if (isTerminating(pod)) continue
      const inMs = evictionInMs(pod, taints, tools.now)
      if (inMs === undefined) continue
      if (inMs > 0) tools.again(inMs)
      else await evictPod(pod, EVICTION, tools)
    }
  },
})

/** How long the pod may still stay; undefined for ever. Counted from the taint, or from the pod's start if that was later. */
export function evictionInMs(pod: Pod, taints: readonly Taint[], now: number): number | undefined {
  let earliest: number | undefined
  const started = Date.parse(pod.metadata.creationTimestamp ?? '') || 0
  for (const taint of taints) {
    const matching = (pod.spec.tolerations ?? []).filter(toleration => tolerates(toleration, taint))
    if (matching.length === 0) return 0
    const limits = matching.flatMap(({ tolerationSeconds }) => (tolerationSeconds === undefined ? [] : [Math.max(0, tolerationSeconds)]))
    if (limits.length === 0) continue
    const since = Math.max(started, taint.timeAdded ? Date.parse(taint.timeAdded) : now)
    const at = since + Math.min(...limits) * 1000
    earliest = Math.min(earliest ?? at, at)
  }
  return earliest === undefined ? undefined : Math.max(0, earliest - now)
}

function noExecute({ spec }: Node): Taint[] {
  return (spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute')
}

const EVICTION = {
  event: 'TaintManagerEviction',
  reason: 'DeletionByTaintManager',
  message: 'Taint manager: deleting due to NoExecute taint',
}
