import { message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'

export const NonResourceAttributes = message('io.k8s.api.authorization.v1.NonResourceAttributes', {
  path: omitempty(1, string, 'The path of the URL.'),
  verb: omitempty(2, string, 'The HTTP verb.'),
})
export interface NonResourceAttributes extends StoredOf<typeof NonResourceAttributes> {}
