import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { embedded, int64, list, message, nullable, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'

export const BoundObjectReference = message('io.k8s.api.authentication.v1.BoundObjectReference', {
  kind: omitempty(1, string, 'The kind.'),
  apiVersion: omitempty(2, string, 'The API version.'),
  name: omitempty(3, string, 'The name.'),
  uid: omitempty(4, string, 'The uid.'),
})
export interface BoundObjectReference extends StoredOf<typeof BoundObjectReference> {}

export const TokenRequestSpec = message('io.k8s.api.authentication.v1.TokenRequestSpec', {
  audiences: embedded(1, list(string, { nullable: true }), 'For whom the token is meant.'),
  expirationSeconds: nullable(4, int64, 'After how many seconds it runs out.'),
  boundObjectRef: nullable(3, BoundObjectReference, 'The object with which the token becomes void.'),
})
export interface TokenRequestSpec extends StoredOf<typeof TokenRequestSpec> {}

export const TokenRequestStatus = message('io.k8s.api.authentication.v1.TokenRequestStatus', {
  token: embedded(1, string, 'The token.'),
  expirationTimestamp: embedded(2, timeOrNull, 'When it runs out.'),
})
export interface TokenRequestStatus extends StoredOf<typeof TokenRequestStatus> {}

export interface TokenRequest extends ObjectWith<{ spec: TokenRequestSpec; status: TokenRequestStatus }> {}

export const TokenRequest = defineKind({
  documentation: 'Asks for a token of a service account.',
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  plural: 'tokenrequests',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.authentication.v1',
  verbs: [],
  spec: TokenRequestSpec,
  status: TokenRequestStatus,
})
