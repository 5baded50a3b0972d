import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'

const REFUSAL: Refusal = { plugin: 'NodeName', code: 'unresolvable', reasons: ["node(s) didn't match the requested node name"] }

/** A pod that names its node goes nowhere else. */
export function nodeName(): SchedulerPlugin {
  return {
    name: 'NodeName',
    sign: ({ pod }) => pod.spec.nodeName,
    wakesOn: ['node added'],
    preFilter: ({ pod }) => (pod.spec.nodeName ? undefined : { skip: true }),
    filter: ({ pod }, { name }) => (pod.spec.nodeName === name ? undefined : REFUSAL),
  }
}
