import { jsonValue } from '#base/languages/cel/json-values.ts'
import type { Informers } from '#client/informers/informer.ts'
import { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { ValidatingAdmissionPolicyBinding } from '#kinds/admissionregistration/v1/validating-admission-policy-binding.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { forbidden } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { isAdmissionConfiguration } from '../match-resources.ts'
import { reviewed } from '../webhooks/reviewed.ts'
import { AccessAnswers, waitingFor } from './access-answers.ts'
import { admissionBindings, namespaceOfRequest } from './admission-bindings.ts'
import { type BoundPolicy, boundPolicies, nameOf } from './bound-policies.ts'
import { compiledValidatingPolicy, type Evaluated, evaluatePolicy } from './compiled-validating-policy.ts'
import { bindingMatches, matchedPolicy } from './matched-policy.ts'
import type { PolicyMetrics } from './policy-metrics.ts'
import { ConfigurationError, type ParamSource, paramsOf } from './policy-params.ts'

/** What policies need to know beside the request. */
export interface PolicyContext {
  informers(): Informers
  kinds(): KindRegistry
  client(): ParamSource['client']
  readonly authorizer: Authorizer
  /** Where checks are counted, and how long they take in milliseconds; absent: nowhere. */
  readonly counting?: { readonly metrics: PolicyMetrics; monotonic(): number } | undefined
}

type Bound = BoundPolicy<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>

/** A policy says no. */
interface Denial {
  readonly policy: string
  readonly binding: string | undefined
  readonly message: string
  readonly reason: string
}

/** Refuses by the expressions of ValidatingAdmissionPolicies, warns of what they say, or notes it in the audit log, as their bindings want. */
export function validatingAdmissionPolicy(context: PolicyContext): AdmissionPlugin {
  const policies = boundPolicies<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>(
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
    () => context.informers(),
  )
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(request) {
      const all = policies()
      if (all.length === 0 || isAdmissionConfiguration(request)) return
      return validateAll(context, all, request)
    },
  }
}

async function validateAll(context: PolicyContext, policies: readonly Bound[], request: AdmissionRequest): Promise<void> {
  const denials: Denial[] = []
  const access = new AccessAnswers(context.authorizer, request.user)
  for (const bound of policies) await validateOne(context, bound, request, access, denials)
  const [first] = denials
  if (first) throw refusalOf(request, first)
}

async function validateOne(
  context: PolicyContext,
  { policy, bindings }: Bound,
  request: AdmissionRequest,
  access: AccessAnswers,
  denials: Denial[],
): Promise<void> {
  const facts = { kinds: context.kinds(), informers: context.informers() }
  const name = nameOf(policy)
  const { paramKind, failurePolicy } = policy.spec
  const misconfigured = (error: unknown, binding: string | undefined) => {
    if (!(error instanceof ConfigurationError) && !(error instanceof StatusError)) throw error
    if (failurePolicy === 'Ignore') return
    denials.push({
      policy: name,
      binding,
      message: `failed to configure ${binding === undefined ? 'policy' : 'binding'}: ${error.message}`,
      reason: '',
    })
  }
  let kind: ReturnType<typeof matchedPolicy>
  try {
    kind = matchedPolicy(policy.spec.matchConstraints, request, facts)
  } catch (error) {
    misconfigured(error, undefined)
    return
  }
  if (!kind) return
  const compiled = compiledValidatingPolicy(policy)
  const shown = admissionBindings(
    { request, kind, shown: await reviewed(request, kind) },
    namespaceOfRequest(request, facts.informers),
    access,
  )
  const noted = new Map<string, Set<string>>()
  for (const binding of bindings) {
    let params: readonly (ApiObject | undefined)[]
    try {
      if (!bindingMatches(binding.spec.matchResources, request, facts)) continue
      const source = { kinds: facts.kinds, client: context.client() }
      params = paramKind === undefined ? [undefined] : await paramsOf(paramKind, binding.spec.paramRef, request.namespace, source)
    } catch (error) {
      misconfigured(error, nameOf(binding))
      continue
    }
    for (const param of params) {
      const variables = { ...shown, params: param === undefined ? null : jsonValue(param) }
      const evaluating = waitingFor(() => evaluatePolicy(compiled, variables, context.counting?.monotonic))
      const evaluated = evaluating instanceof Promise ? await evaluating : evaluating
      act(request, name, binding, evaluated, denials, noted)
      if (context.counting) count(context.counting.metrics, name, binding, evaluated)
    }
  }
  for (const [key, values] of noted) request.annotate?.(`${name}/${key}`, [...values].join(', '))
}

const MAX_ANNOTATION = 10 * 1024

/** Does with what a policy found what the binding says is to be done. */
function act(
  request: AdmissionRequest,
  policy: string,
  binding: ValidatingAdmissionPolicyBinding,
  { refusals, annotations, annotationErrors }: Evaluated,
  denials: Denial[],
  noted: Map<string, Set<string>>,
): void {
  const { validationActions = [] } = binding.spec
  const name = nameOf(binding)
  for (const { message, reason, index } of refusals) {
    for (const action of validationActions) {
      if (action === 'Deny') denials.push({ policy, binding: name, message, reason })
      if (action === 'Warn') request.warn(`Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${name}': ${message}`)
      if (action === 'Audit') {
        const failure = { message, policy, binding: name, expressionIndex: index, validationActions }
        request.annotate?.('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]))
      }
    }
  }
  for (const { key, value } of annotations) noted.set(key, (noted.get(key) ?? new Set()).add(value.slice(0, MAX_ANNOTATION)))
  for (const message of annotationErrors) denials.push({ policy, binding: name, message, reason: '' })
}

/** Checks that pass are not counted, as upstream does not. */
function count(metrics: PolicyMetrics, policy: string, { metadata, spec }: ValidatingAdmissionPolicyBinding, evaluated: Evaluated): void {
  const binding = metadata.name ?? ''
  for (const { error, seconds } of evaluated.passedOver) metrics.observe({ policy, binding, action: 'allow', error, seconds })
  for (const { error, seconds } of evaluated.refusals) {
    for (const action of spec.validationActions ?? []) metrics.observe({ policy, binding, action: ACTIONS[action], error, seconds })
  }
}

const ACTIONS = { Deny: 'deny', Warn: 'warn', Audit: 'audit' } as const

const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 }

function refusalOf(request: AdmissionRequest, { policy, binding, message, reason }: Denial): StatusError {
  const who = `ValidatingAdmissionPolicy '${policy}'${binding === undefined ? '' : ` with binding '${binding}'`}`
  const text = `${who} denied request: ${message}`
  const base = forbidden({ group: request.kind.group, resource: request.kind.plural }, nameOfRequest(request), text)
  const told = (reason || 'Invalid') as StatusError['reason']
  return new StatusError({
    code: CODES[told] ?? 422,
    reason: told,
    message: base.message,
    details: { ...base.details, causes: [{ message: text }] },
  })
}

/** What is asked for, if it has a name already. */
export function nameOfRequest({ name, object }: AdmissionRequest): string {
  return name || object?.metadata?.generateName || 'Unknown'
}
