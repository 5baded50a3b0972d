import type { Node } from '#kinds/core/v1/node.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import type { AdmissionPlugin } from './admission.ts'

const TAINT = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const

/** A new node takes no pods until it has said that it is ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit({ operation, kind, subresource, object }) {
    if (operation !== 'CREATE' || kind.kind !== 'Node' || kind.group !== '' || subresource !== '') return
    const { spec } = object as Mutable<Node>
    if (spec.taints?.some(taint => taint.key === TAINT.key && taint.effect === TAINT.effect)) return
    spec.taints = [...(spec.taints ?? []), { ...TAINT }]
  },
}
