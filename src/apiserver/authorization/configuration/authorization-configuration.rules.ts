import { durationMs } from '#machinery/duration/duration.ts'
import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { AuthorizationConfiguration, AuthorizerConfiguration, WebhookConfiguration } from './authorization-configuration.ts'
import { matchConditionProblem } from './match-conditions.ts'

/** The types of authorizers that there are. */
export const AUTHORIZER_TYPES = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const

const MAX_CONDITIONS = 64
const MAX_TIMEOUT_MS = 30_000

/** Reports what a configuration cannot mean, in upstream's words. */
export function validateAuthorizationConfiguration({ authorizers = [] }: AuthorizationConfiguration, errors: FieldErrors): void {
  const at = errors.at('authorizers')
  if (authorizers.length === 0) at.required('at least one authorization mode must be defined')
  const types = new Set<string>()
  const names = new Set<string>()
  for (const [index, one] of authorizers.entries()) validateAuthorizer(one, at.index(index), types, names)
}

function validateAuthorizer(one: AuthorizerConfiguration, errors: FieldErrors, types: Set<string>, names: Set<string>): void {
  const { type = '', name = '', webhook } = one
  const at = errors.at('type')
  if (type === '') at.required()
  else if (!AUTHORIZER_TYPES.some(known => known === type)) at.notSupported(type, AUTHORIZER_TYPES)
  else if (types.has(type) && type !== 'Webhook') at.duplicate(type)
  else {
    types.add(type)
    validateName(name, errors.at('name'), names)
    if (type === 'Webhook') {
      if (webhook) validateWebhook(webhook, errors)
      else errors.at('webhook').required('required when type=Webhook')
    } else if (webhook) errors.at('webhook').invalid('non-null', 'may only be specified when type=Webhook')
  }
}

function validateName(name: string, errors: FieldErrors, names: Set<string>): void {
  const wrong = isDNS1123Subdomain(name)
  if (name === '') errors.required()
  else if (names.has(name)) errors.duplicate(name)
  else if (wrong.length > 0) errors.invalid(name, `authorizer name is invalid: ${wrong.join(', ')}`)
  names.add(name)
}

/** Upstream reports what is wrong with a webhook beside it, not below it. */
function validateWebhook(webhook: WebhookConfiguration, errors: FieldErrors): void {
  const { timeout = '', authorizedTTL, unauthorizedTTL, subjectAccessReviewVersion: version = '', failurePolicy = '' } = webhook
  const timeoutMs = validateDuration(timeout, errors.at('timeout'))
  if (timeoutMs !== undefined && (timeoutMs < 0 || timeoutMs > MAX_TIMEOUT_MS)) {
    errors.at('timeout').invalid(timeout, 'must be > 0s and <= 30s')
  }
  // Upstream fills them in: five minutes and thirty seconds.
  for (const [name, value] of Object.entries({ authorizedTTL, unauthorizedTTL })) {
    const ttlMs = value === undefined ? 1 : validateDuration(value, errors.at(name))
    if (ttlMs !== undefined && ttlMs < 0) errors.at(name).invalid(value, 'must be > 0s')
  }
  if (version === '') errors.at('subjectAccessReviewVersion').required()
  else if (version !== 'v1' && version !== 'v1beta1') errors.at('subjectAccessReviewVersion').notSupported(version, ['v1', 'v1beta1'])
  validateConditions(webhook, errors)
  if (failurePolicy === '') errors.at('failurePolicy').required()
  else if (failurePolicy !== 'NoOpinion' && failurePolicy !== 'Deny') {
    errors.at('failurePolicy').notSupported(failurePolicy, ['NoOpinion', 'Deny'])
  }
  validateConnection(webhook.connectionInfo, errors.at('connectionInfo'))
}

function validateDuration(text: string, errors: FieldErrors): number | undefined {
  if (text === '') {
    errors.required()
    return undefined
  }
  try {
    const ms = durationMs(text)
    if (ms === 0) errors.required()
    return ms === 0 ? undefined : ms
  } catch {
    errors.invalid(text, 'it is no duration, such as 30s or 1m30s')
    return undefined
  }
}

function validateConnection({ type = '', kubeConfigFile = '' }: WebhookConfiguration['connectionInfo'], errors: FieldErrors): void {
  if (type === '') errors.at('type').required()
  else if (type === 'InClusterConfig') errors.at('type').invalid(type, 'the API server cannot ask itself: use KubeConfigFile')
  else if (type !== 'KubeConfigFile') errors.at('type').notSupported(type, ['KubeConfigFile'])
  else if (kubeConfigFile === '') errors.at('kubeConfigFile').required()
  else if (!kubeConfigFile.startsWith('/')) errors.at('kubeConfigFile').invalid(kubeConfigFile, 'must be an absolute path')
}

function validateConditions(webhook: WebhookConfiguration, errors: FieldErrors): void {
  const { matchConditions = [], matchConditionSubjectAccessReviewVersion: version = '' } = webhook
  const versionAt = errors.at('matchConditionSubjectAccessReviewVersion')
  if (version === '' && matchConditions.length > 0) versionAt.required('required if match conditions are specified')
  if (version !== '' && version !== 'v1') versionAt.notSupported(version, ['v1'])
  const at = errors.at('matchConditions')
  if (matchConditions.length > MAX_CONDITIONS) {
    at.tooMany(matchConditions.length, MAX_CONDITIONS)
    return
  }
  const seen = new Set<string>()
  for (const [index, { expression = '' }] of matchConditions.entries()) {
    const place = at.index(index).at('expression')
    if (expression.trim() === '') place.required()
    else if (seen.has(expression)) place.duplicate(expression)
    else {
      const problem = matchConditionProblem(expression)
      if (problem !== undefined) place.invalid(expression, problem)
    }
    seen.add(expression)
  }
}
