import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { SubjectAccessReviewSpec } from './subject-access-review-spec.ts'
import { SubjectAccessReviewStatus } from './subject-access-review-status.ts'

export interface SubjectAccessReview extends ObjectWith<{ spec: SubjectAccessReviewSpec; status: SubjectAccessReviewStatus }> {}

export const SubjectAccessReview = defineKind({
  documentation: 'Asks whether somebody may do something.',
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  scope: 'Cluster',
  openapi: 'io.k8s.api.authorization.v1',
  verbs: ['create'],
  spec: SubjectAccessReviewSpec,
  status: SubjectAccessReviewStatus,
})
