import { list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const TopologySelectorLabelRequirement = message('io.k8s.api.core.v1.TopologySelectorLabelRequirement', {
  key: required(1, string, 'The label.'),
  values: required(2, list(string), 'Values of which the label has to have one.'),
})
export interface TopologySelectorLabelRequirement extends StoredOf<typeof TopologySelectorLabelRequirement> {}

export const TopologySelectorTerm = message(
  'io.k8s.api.core.v1.TopologySelectorTerm',
  {
    matchLabelExpressions: omitempty(1, list(TopologySelectorLabelRequirement), 'Labels of nodes that all have to match.'),
  },
  { mapType: 'atomic' },
)
export interface TopologySelectorTerm extends StoredOf<typeof TopologySelectorTerm> {}
