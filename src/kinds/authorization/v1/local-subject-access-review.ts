import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { SubjectAccessReviewSpec } from './subject-access-review-spec.ts'
import { SubjectAccessReviewStatus } from './subject-access-review-status.ts'

export interface LocalSubjectAccessReview extends ObjectWith<{ spec: SubjectAccessReviewSpec; status: SubjectAccessReviewStatus }> {}

export const LocalSubjectAccessReview = defineKind({
  documentation: 'Asks whether somebody may do something in a namespace.',
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.authorization.v1',
  verbs: ['create'],
  spec: SubjectAccessReviewSpec,
  status: SubjectAccessReviewStatus,
})
