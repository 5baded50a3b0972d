import { int32, list, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { NodeSelector, NodeSelectorTerm } from './node-selector.ts'

export const PreferredSchedulingTerm = message('io.k8s.api.core.v1.PreferredSchedulingTerm', {
  weight: required(1, int32, 'How much this counts against others.'),
  preference: required(2, NodeSelectorTerm, 'What is preferred of a node.'),
})
export interface PreferredSchedulingTerm extends StoredOf<typeof PreferredSchedulingTerm> {}

export const NodeAffinity = message('io.k8s.api.core.v1.NodeAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: optional(1, NodeSelector, 'What must hold for the pod to be placed.'),
  preferredDuringSchedulingIgnoredDuringExecution: omitempty(2, list(PreferredSchedulingTerm), 'What makes a place better.'),
})
export interface NodeAffinity extends StoredOf<typeof NodeAffinity> {}

export const PodAffinityTerm = message('io.k8s.api.core.v1.PodAffinityTerm', {
  labelSelector: optional(1, LabelSelector, 'Which objects are meant, by their labels.'),
  namespaces: omitempty(2, list(string), 'The namespaces of the pods that are meant, by name.'),
  topologyKey: required(3, string, 'The node label whose values are the places.'),
  namespaceSelector: optional(4, LabelSelector, 'Which namespaces are meant, by their labels.'),
  matchLabelKeys: omitempty(5, list(string), 'Labels of the pod whose values must be the same.'),
  mismatchLabelKeys: omitempty(6, list(string), 'Labels of the pod whose values must differ.'),
})
export interface PodAffinityTerm extends StoredOf<typeof PodAffinityTerm> {}

export const WeightedPodAffinityTerm = message('io.k8s.api.core.v1.WeightedPodAffinityTerm', {
  weight: required(1, int32, 'How much this counts against others.'),
  podAffinityTerm: required(2, PodAffinityTerm, 'Near, or away from, which pods.'),
})
export interface WeightedPodAffinityTerm extends StoredOf<typeof WeightedPodAffinityTerm> {}

export const PodAffinity = message('io.k8s.api.core.v1.PodAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: omitempty(1, list(PodAffinityTerm), 'What must hold for the pod to be placed.'),
  preferredDuringSchedulingIgnoredDuringExecution: omitempty(2, list(WeightedPodAffinityTerm), 'What makes a place better.'),
})
export interface PodAffinity extends StoredOf<typeof PodAffinity> {}

export const PodAntiAffinity = message('io.k8s.api.core.v1.PodAntiAffinity', {
  requiredDuringSchedulingIgnoredDuringExecution: omitempty(1, list(PodAffinityTerm), 'What must hold for the pod to be placed.'),
  preferredDuringSchedulingIgnoredDuringExecution: omitempty(2, list(WeightedPodAffinityTerm), 'What makes a place better.'),
})
export interface PodAntiAffinity extends StoredOf<typeof PodAntiAffinity> {}

export const Affinity = message('io.k8s.api.core.v1.Affinity', {
  nodeAffinity: optional(1, NodeAffinity, 'Which nodes.'),
  podAffinity: optional(2, PodAffinity, 'Near which pods.'),
  podAntiAffinity: optional(3, PodAntiAffinity, 'Away from which pods.'),
})
export interface Affinity extends StoredOf<typeof Affinity> {}
