import { int32, list, message, omitempty, oneOf, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'

export const NodeInclusionPolicy = oneOf('Honor', 'Ignore')
export type NodeInclusionPolicy = StoredOf<typeof NodeInclusionPolicy>

export const TopologySpreadConstraint = message('io.k8s.api.core.v1.TopologySpreadConstraint', {
  maxSkew: required(1, int32, 'How uneven it may be.'),
  topologyKey: required(2, string, 'The node label whose values are the places.'),
  whenUnsatisfiable: required(3, oneOf('DoNotSchedule', 'ScheduleAnyway'), 'Whether it is a rule or a wish.'),
  labelSelector: optional(4, LabelSelector, 'Which pods are counted.'),
  minDomains: optional(5, int32, 'The fewest places to spread over.'),
  nodeAffinityPolicy: optional(6, NodeInclusionPolicy, "Whether only nodes that the pod's node affinity allows are counted."),
  nodeTaintsPolicy: optional(7, NodeInclusionPolicy, 'Whether nodes with taints that the pod does not tolerate are left out.'),
  matchLabelKeys: omitempty(8, list(string), 'Labels of the pod whose values must be the same.'),
})
export interface TopologySpreadConstraint extends StoredOf<typeof TopologySpreadConstraint> {}
