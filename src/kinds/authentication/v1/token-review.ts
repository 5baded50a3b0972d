import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { boolean, embedded, list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { UserInfo } from './user-info.ts'

export const TokenReviewSpec = message('io.k8s.api.authentication.v1.TokenReviewSpec', {
  token: required(1, string, 'The token.'),
  audiences: omitempty(2, list(string), 'Who is asking.'),
})
export interface TokenReviewSpec extends StoredOf<typeof TokenReviewSpec> {}

export const TokenReviewStatus = message('io.k8s.api.authentication.v1.TokenReviewStatus', {
  authenticated: omitempty(1, boolean, 'Whether the token is good.'),
  user: embedded(2, UserInfo, 'Whose token it is.'),
  audiences: omitempty(4, list(string), 'Those of the audiences for whom it is meant.'),
  error: omitempty(3, string, 'Why it could not be checked.'),
})
export interface TokenReviewStatus extends StoredOf<typeof TokenReviewStatus> {}

export interface TokenReview extends ObjectWith<{ spec: TokenReviewSpec; status: TokenReviewStatus }> {}

export const TokenReview = defineKind({
  documentation: 'Asks whose token this is.',
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  scope: 'Cluster',
  openapi: 'io.k8s.api.authentication.v1',
  verbs: ['create'],
  spec: TokenReviewSpec,
  status: TokenReviewStatus,
})
