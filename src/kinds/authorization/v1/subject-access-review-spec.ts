import { list, map, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { NonResourceAttributes } from './non-resource-attributes.ts'
import { ResourceAttributes } from './resource-attributes.ts'

export const SubjectAccessReviewSpec = message('io.k8s.api.authorization.v1.SubjectAccessReviewSpec', {
  resourceAttributes: optional(1, ResourceAttributes, 'What is to be done with a resource.'),
  nonResourceAttributes: optional(2, NonResourceAttributes, 'What is to be done with a path.'),
  user: omitempty(3, string, 'Who.'),
  groups: omitempty(4, list(string), 'The groups of who it is.'),
  extra: omitempty(5, map(list(string)), 'More about who it is.'),
  uid: omitempty(6, string, 'The uid of who it is.'),
})
export interface SubjectAccessReviewSpec extends StoredOf<typeof SubjectAccessReviewSpec> {}
