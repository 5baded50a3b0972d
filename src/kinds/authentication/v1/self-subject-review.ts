import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { embedded, message, type StoredOf } from '#machinery/schema/schema.ts'
import { UserInfo } from './user-info.ts'

export const SelfSubjectReviewStatus = message('io.k8s.api.authentication.v1.SelfSubjectReviewStatus', {
  userInfo: embedded(1, UserInfo, 'Who it is.'),
})
export interface SelfSubjectReviewStatus extends StoredOf<typeof SelfSubjectReviewStatus> {}

const fields = {
  status: embedded(2, SelfSubjectReviewStatus, 'Who asks.'),
}

export interface SelfSubjectReview extends ObjectOfFields<typeof fields> {}

export const SelfSubjectReview = defineKind({
  documentation: 'Who the caller is.',
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  scope: 'Cluster',
  openapi: 'io.k8s.api.authentication.v1',
  verbs: ['create'],
  fields,
})
