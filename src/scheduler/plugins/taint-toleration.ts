import type { Taint } from '#kinds/core/v1/node.ts'
import { firstUntolerated, isTolerated } from '#kinds/core/v1/toleration.facts.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import { normalizeDown } from './normalize.ts'

const refusals = new Map<string, Refusal>()

/** Keeps pods off nodes whose taints they do not tolerate, and prefers nodes with few such taints of the softer sort. */
export function taintToleration(): SchedulerPlugin {
  return {
    name: 'TaintToleration',
    sign: ({ pod }) => pod.spec.tolerations,
    wakesOn: ['node added', 'node taints changed'],
    preFilter: ({ nodeSet }) => (nodeSet.topology.tainted === 0 ? { skip: true } : undefined),
    filter({ pod }, { taints }) {
      if (taints.length === 0) return undefined
      const taint = firstUntolerated(taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute'])
      return taint && refusalFor(taint)
    },
    preScore: ({ nodeSet }, nodes) => nodeSet.topology.softlyTainted > 0 && nodes.some(node => node.isSoftlyTainted),
    score: ({ pod }, { taints }) =>
      taints.filter(taint => taint.effect === 'PreferNoSchedule' && !isTolerated(taint, pod.spec.tolerations)).length,
    normalize: (_cycle, scores) => normalizeDown(scores),
  }
}

/** One refusal per taint, kept. */
function refusalFor({ key, value = '' }: Taint): Refusal {
  const text = `node(s) had untolerated taint {${key}: ${value}}`
  let refusal = refusals.get(text)
  if (!refusal) {
    if (refusals.size > 1_000) refusals.clear()
    refusal = { plugin: 'TaintToleration', code: 'unresolvable', reasons: [text] }
    refusals.set(text, refusal)
  }
  return refusal
}
