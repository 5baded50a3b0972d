import { list, message, omitempty, oneOf, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const NodeSelectorRequirement = message('io.k8s.api.core.v1.NodeSelectorRequirement', {
  key: required(1, string, 'The label.'),
  operator: required(
    2,
    oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'),
    '`In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.',
  ),
  values: omitempty(3, list(string), 'The values to compare with.'),
})
export interface NodeSelectorRequirement extends StoredOf<typeof NodeSelectorRequirement> {}

export const NodeSelectorTerm = message(
  'io.k8s.api.core.v1.NodeSelectorTerm',
  {
    matchExpressions: omitempty(1, list(NodeSelectorRequirement), 'Requirements; all of them must hold.'),
    matchFields: omitempty(2, list(NodeSelectorRequirement), 'Requirements on fields.'),
  },
  { mapType: 'atomic' },
)
export interface NodeSelectorTerm extends StoredOf<typeof NodeSelectorTerm> {}

export const NodeSelector = message(
  'io.k8s.api.core.v1.NodeSelector',
  {
    nodeSelectorTerms: required(1, list(NodeSelectorTerm), 'Terms of which one must match.'),
  },
  { mapType: 'atomic' },
)
export interface NodeSelector extends StoredOf<typeof NodeSelector> {}
