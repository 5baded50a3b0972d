import { message, omitempty, oneOf, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { selectorText } from '../../meta/v1/columns.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'

export const ParamRef = message(
  'io.k8s.api.admissionregistration.v1.ParamRef',
  {
    name: omitempty(1, string, 'The object with the parameters.'),
    namespace: omitempty(2, string, 'Its namespace; that of the request if it is not said.'),
    selector: optional(3, LabelSelector, 'Objects with parameters, by their labels, instead of one by name.'),
    parameterNotFoundAction: optional(4, oneOf('Allow', 'Deny'), 'What happens when there is no such object: `Allow` or `Deny`.'),
  },
  { mapType: 'atomic' },
)
export interface ParamRef extends StoredOf<typeof ParamRef> {}

/** `namespace/name` or the selector, as tables show it. */
export function paramRefText(ref: ParamRef | undefined): string {
  if (!ref) return '<unset>'
  if (ref.name) return ref.namespace ? `${ref.namespace}/${ref.name}` : `*/${ref.name}`
  return ref.selector ? selectorText(ref.selector) : '<unset>'
}
