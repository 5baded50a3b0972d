import { list, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

const WebhookConnectionInfo = message('io.k8s.apiserver.v1.WebhookConnectionInfo', {
  type: omitempty(1, string, '`KubeConfigFile`.'),
  kubeConfigFile: omitempty(2, string, 'The kubeconfig that says where the webhook is: an absolute path.'),
})

const WebhookMatchCondition = message('io.k8s.apiserver.v1.WebhookMatchCondition', {
  expression: omitempty(1, string, 'CEL over `request`, the spec of a SubjectAccessReview.'),
})

const WebhookConfiguration = message('io.k8s.apiserver.v1.WebhookConfiguration', {
  authorizedTTL: omitempty(1, string, 'How long a yes counts.'),
  unauthorizedTTL: omitempty(2, string, 'How long a no counts.'),
  timeout: omitempty(3, string, 'How long an answer is waited for.'),
  subjectAccessReviewVersion: omitempty(4, string, 'The version of the review that is sent.'),
  matchConditionSubjectAccessReviewVersion: omitempty(5, string, 'The version that conditions are written for.'),
  failurePolicy: omitempty(6, string, 'What counts while the webhook cannot be asked: `NoOpinion` or `Deny`.'),
  connectionInfo: required(7, WebhookConnectionInfo, 'Where the webhook is.'),
  matchConditions: omitempty(8, list(WebhookMatchCondition), 'The webhook is asked about what they all hold of.'),
})

const AuthorizerConfiguration = message('io.k8s.apiserver.v1.AuthorizerConfiguration', {
  type: omitempty(1, string, 'Node, RBAC, Webhook, AlwaysAllow or AlwaysDeny.'),
  name: omitempty(2, string, 'A name of its own, for metrics and logs.'),
  webhook: optional(3, WebhookConfiguration, 'Whom to ask, where the type is Webhook.'),
})

/** What `--authorization-config` reads (apiserver.config.k8s.io/v1): who is asked whether a request may be, in order. */
export const AuthorizationConfiguration = message('io.k8s.apiserver.v1.AuthorizationConfiguration', {
  authorizers: omitempty(1, list(AuthorizerConfiguration), 'The authorizers; the first that allows or denies decides.'),
})

export interface AuthorizationConfiguration extends StoredOf<typeof AuthorizationConfiguration> {}
export interface AuthorizerConfiguration extends StoredOf<typeof AuthorizerConfiguration> {}
export interface WebhookConfiguration extends StoredOf<typeof WebhookConfiguration> {}
