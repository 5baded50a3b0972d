import { boolean, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const SubjectAccessReviewStatus = message('io.k8s.api.authorization.v1.SubjectAccessReviewStatus', {
  allowed: required(1, boolean, 'Whether it is allowed.'),
  denied: omitempty(4, boolean, 'Whether it is forbidden for good.'),
  reason: omitempty(2, string, 'Why.'),
  evaluationError: omitempty(3, string, 'What went wrong while looking.'),
})
export interface SubjectAccessReviewStatus extends StoredOf<typeof SubjectAccessReviewStatus> {}
