import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { boolean, list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const SelfSubjectRulesReviewSpec = message('io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec', {
  namespace: omitempty(1, string, 'The namespace that is asked about.'),
})
export interface SelfSubjectRulesReviewSpec extends StoredOf<typeof SelfSubjectRulesReviewSpec> {}

export const NonResourceRule = message('io.k8s.api.authorization.v1.NonResourceRule', {
  verbs: required(1, list(string), 'What may be done: `get`, `list`, … or `*`.'),
  nonResourceURLs: omitempty(2, list(string), 'URL paths that are no resources; a trailing `*` is a wildcard.'),
})
export interface NonResourceRule extends StoredOf<typeof NonResourceRule> {}

export const ResourceRule = message('io.k8s.api.authorization.v1.ResourceRule', {
  verbs: required(1, list(string), 'What may be done: `get`, `list`, … or `*`.'),
  apiGroups: omitempty(2, list(string), 'API groups; `*` stands for all.'),
  resources: omitempty(3, list(string), 'The resources; `*` for all.'),
  resourceNames: omitempty(4, list(string), 'Names of single objects; empty stands for all.'),
})
export interface ResourceRule extends StoredOf<typeof ResourceRule> {}

export const SubjectRulesReviewStatus = message('io.k8s.api.authorization.v1.SubjectRulesReviewStatus', {
  resourceRules: required(1, list(ResourceRule, { nullable: true }), 'Rules about resources.'),
  nonResourceRules: required(2, list(NonResourceRule, { nullable: true }), 'Rules about paths.'),
  incomplete: required(3, boolean, 'Whether there may be more.'),
  evaluationError: omitempty(4, string, 'What went wrong while looking.'),
})
export interface SubjectRulesReviewStatus extends StoredOf<typeof SubjectRulesReviewStatus> {}

export interface SelfSubjectRulesReview extends ObjectWith<{ spec: SelfSubjectRulesReviewSpec; status: SubjectRulesReviewStatus }> {}

export const SelfSubjectRulesReview = defineKind({
  documentation: 'Asks what the caller may do in a namespace.',
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  scope: 'Cluster',
  openapi: 'io.k8s.api.authorization.v1',
  verbs: ['create'],
  spec: SelfSubjectRulesReviewSpec,
  status: SubjectRulesReviewStatus,
})
