import { message, omitempty, oneOf, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'

export const ParamRef = message(
  'io.k8s.api.admissionregistration.v1.ParamRef',
  {
    name: omitempty(1, string),
    namespace: omitempty(2, string),
    selector: optional(3, LabelSelector),
    parameterNotFoundAction: optional(4, oneOf('Allow', 'Deny')),
  },
  { mapType: 'atomic' },
)
export interface ParamRef extends StoredOf<typeof ParamRef> {}
