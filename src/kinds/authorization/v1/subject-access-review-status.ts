import { boolean, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const SubjectAccessReviewStatus = message('io.k8s.api.authorization.v1.SubjectAccessReviewStatus', {
  allowed: required(1, boolean),
  denied: omitempty(4, boolean),
  reason: omitempty(2, string),
  evaluationError: omitempty(3, string),
})
export interface SubjectAccessReviewStatus extends StoredOf<typeof SubjectAccessReviewStatus> {}
