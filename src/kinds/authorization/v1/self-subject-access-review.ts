import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { message, optional, type StoredOf } from '#machinery/schema/schema.ts'
import { NonResourceAttributes } from './non-resource-attributes.ts'
import { ResourceAttributes } from './resource-attributes.ts'
import { SubjectAccessReviewStatus } from './subject-access-review-status.ts'

export const SelfSubjectAccessReviewSpec = message('io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec', {
  resourceAttributes: optional(1, ResourceAttributes, 'What is to be done with a resource.'),
  nonResourceAttributes: optional(2, NonResourceAttributes, 'What is to be done with a path.'),
})
export interface SelfSubjectAccessReviewSpec extends StoredOf<typeof SelfSubjectAccessReviewSpec> {}

export interface SelfSubjectAccessReview extends ObjectWith<{ spec: SelfSubjectAccessReviewSpec; status: SubjectAccessReviewStatus }> {}

export const SelfSubjectAccessReview = defineKind({
  documentation: 'Asks whether the caller may do something.',
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  scope: 'Cluster',
  openapi: 'io.k8s.api.authorization.v1',
  verbs: ['create'],
  spec: SelfSubjectAccessReviewSpec,
  status: SubjectAccessReviewStatus,
})
