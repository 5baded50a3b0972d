import { list, map, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { LabelSelectorRequirement } from './label-selector-requirement.ts'

export const LabelSelector = message(
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
  {
    matchLabels: omitempty(1, map(string), 'Labels with the values they must have.'),
    matchExpressions: omitempty(2, list(LabelSelectorRequirement), 'Further requirements; all of them must hold.'),
  },
  { mapType: 'atomic' },
)
export interface LabelSelector extends StoredOf<typeof LabelSelector> {}
