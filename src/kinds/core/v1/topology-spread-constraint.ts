import { int32, list, message, omitempty, oneOf, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'

export const NodeInclusionPolicy = oneOf('Honor', 'Ignore')
export type NodeInclusionPolicy = StoredOf<typeof NodeInclusionPolicy>

export const TopologySpreadConstraint = message('io.k8s.api.core.v1.TopologySpreadConstraint', {
  maxSkew: required(1, int32),
  topologyKey: required(2, string),
  whenUnsatisfiable: required(3, oneOf('DoNotSchedule', 'ScheduleAnyway')),
  labelSelector: optional(4, LabelSelector),
  minDomains: optional(5, int32),
  nodeAffinityPolicy: optional(6, NodeInclusionPolicy),
  nodeTaintsPolicy: optional(7, NodeInclusionPolicy),
  matchLabelKeys: omitempty(8, list(string)),
})
export interface TopologySpreadConstraint extends StoredOf<typeof TopologySpreadConstraint> {}
