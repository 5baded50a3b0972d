import { message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ParamKind = message(
  'io.k8s.api.admissionregistration.v1.ParamKind',
  {
    apiVersion: omitempty(1, string, 'The API version of the parameters.'),
    kind: omitempty(2, string, 'The kind of the parameters.'),
  },
  { mapType: 'atomic' },
)
export interface ParamKind extends StoredOf<typeof ParamKind> {}

/** `apps/v1/Deployment`, as tables show it. */
export function paramKindText(kind: ParamKind | undefined): string {
  return kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>'
}
