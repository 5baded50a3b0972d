import { message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const Subject = message(
  'io.k8s.api.rbac.v1.Subject',
  {
    kind: required(1, string),
    apiGroup: omitempty(2, string),
    name: required(3, string),
    namespace: omitempty(4, string),
  },
  { mapType: 'atomic' },
)
export interface Subject extends StoredOf<typeof Subject> {}
