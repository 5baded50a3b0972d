import { isTolerated } from '#kinds/core/v1/toleration.facts.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'

const REFUSAL: Refusal = { plugin: 'NodeUnschedulable', code: 'unresolvable', reasons: ['node(s) were unschedulable'] }
const TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Keeps pods off cordoned nodes, unless they tolerate the taint that stands for it. */
export function nodeUnschedulable(): SchedulerPlugin {
  return {
    name: 'NodeUnschedulable',
    sign: ({ pod }) => pod.spec.tolerations,
    wakesOn: ['node added', 'node taints changed'],
    preFilter: ({ nodeSet }) => (nodeSet.topology.unschedulable === 0 ? { skip: true } : undefined),
    filter: (cycle, { node }) => (node!.spec.unschedulable && !isTolerated(TAINT, cycle.pod.spec.tolerations) ? REFUSAL : undefined),
  }
}
