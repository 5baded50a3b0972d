import { list, map, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { NonResourceAttributes } from './non-resource-attributes.ts'
import { ResourceAttributes } from './resource-attributes.ts'

export const SubjectAccessReviewSpec = message('io.k8s.api.authorization.v1.SubjectAccessReviewSpec', {
  resourceAttributes: optional(1, ResourceAttributes),
  nonResourceAttributes: optional(2, NonResourceAttributes),
  user: omitempty(3, string),
  groups: omitempty(4, list(string)),
  extra: omitempty(5, map(list(string))),
  uid: omitempty(6, string),
})
export interface SubjectAccessReviewSpec extends StoredOf<typeof SubjectAccessReviewSpec> {}
