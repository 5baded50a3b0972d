import { jsonValue } from '#base/languages/cel/json-values.ts'
import type { CelValue } from '#base/languages/cel/values.ts'
import { MutatingAdmissionPolicy } from '#kinds/admissionregistration/v1/mutating-admission-policy.ts'
import { MutatingAdmissionPolicyBinding } from '#kinds/admissionregistration/v1/mutating-admission-policy-binding.ts'
import { MATCH_CONDITIONS_COST_BUDGET } from '#machinery/cel/kubernetes-environment.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { applyJsonPatch, type Operation } from '#machinery/patch/json-patch.ts'
import { DecodeError } from '#machinery/schema/decode.ts'
import { forbidden } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { isAdmissionConfiguration } from '../match-resources.ts'
import { reviewed } from '../webhooks/reviewed.ts'
import { AccessAnswers, waitingFor } from './access-answers.ts'
import { admissionBindings, namespaceOfRequest } from './admission-bindings.ts'
import { appliedConfiguration } from './applied-configuration.ts'
import { type BoundPolicy, boundPolicies, nameOf } from './bound-policies.ts'
import { compiledMutatingPolicy, evaluateMutation, MutationError, type Wanted } from './compiled-mutating-policy.ts'
import { holdAll } from './conditions.ts'
import { CostBudget, OutOfBudget, withVariables } from './expressions.ts'
import { bindingMatches, matchedPolicy } from './matched-policy.ts'
import { ConfigurationError, paramsOf } from './policy-params.ts'
import { nameOfRequest, type PolicyContext } from './validating-admission-policy.ts'

type Bound = BoundPolicy<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>

const NAME = 'MutatingAdmissionPolicy'

/** One use of a policy: by a binding, with one set of parameters. */
interface Invocation {
  readonly id: string
  readonly policy: MutatingAdmissionPolicy
  readonly binding: MutatingAdmissionPolicyBinding
  readonly kind: AnyKind
  readonly param: ApiObject | undefined
}

/** What the plugin remembers between its two rounds. */
interface Memory {
  output: ApiObject | undefined
  readonly invoked: Set<string>
  readonly toInvokeAgain: Set<string>
}

/** Changes what is written by the expressions of MutatingAdmissionPolicies. Those that want it look again if others changed the object after them. */
export function mutatingAdmissionPolicy(context: PolicyContext): AdmissionPlugin {
  const policies = boundPolicies<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>(
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    () => context.informers(),
  )
  return {
    name: NAME,
    admit(request) {
      const all = policies()
      if (all.length === 0 || request.object === undefined || isAdmissionConfiguration(request)) return
      return admitAll(context, all, request)
    },
  }
}

async function admitAll(context: PolicyContext, policies: readonly Bound[], request: AdmissionRequest): Promise<void> {
  const failures: string[] = []
  const invocations: Invocation[] = []
  for (const bound of policies) invocations.push(...(await invocationsOf(context, bound, request, failures)))
  if (invocations.length > 0) await invokeAll(context, invocations, request, failures)
  const [first] = failures
  if (first === undefined) return
  const { details } = forbidden({ group: request.kind.group, resource: request.kind.plural }, nameOfRequest(request), first)
  throw new StatusError({
    code: 403,
    reason: 'Invalid',
    message: first,
    details: { ...details, causes: failures.map(message => ({ message })) },
  })
}

/** How a policy is put to use for this request. */
async function invocationsOf(
  context: PolicyContext,
  { policy, bindings }: Bound,
  request: AdmissionRequest,
  failures: string[],
): Promise<Invocation[]> {
  const facts = { kinds: context.kinds(), informers: context.informers() }
  const { paramKind, matchConstraints } = policy.spec
  const kind = tried(policy, undefined, failures, () => matchedPolicy(matchConstraints, request, facts))
  if (!kind) return []
  const invocations: Invocation[] = []
  for (const binding of bindings) {
    try {
      if (!bindingMatches(binding.spec.matchResources, request, facts)) continue
      const source = { kinds: facts.kinds, client: context.client() }
      const params = paramKind === undefined ? [undefined] : await paramsOf(paramKind, binding.spec.paramRef, request.namespace, source)
      for (const param of params) {
        const id = [nameOf(policy), nameOf(binding), param?.metadata.namespace ?? '', param?.metadata.name ?? ''].join('/')
        invocations.push({ id, policy, binding, kind, param })
      }
    } catch (error) {
      note(error, policy, binding, failures, 'failed to configure binding: ')
    }
  }
  return invocations
}

async function invokeAll(
  context: PolicyContext,
  invocations: readonly Invocation[],
  request: AdmissionRequest,
  failures: string[],
): Promise<void> {
  const { reinvocation } = request
  const round = reinvocation?.round ?? 0
  const memory = (reinvocation?.memory.get(NAME) as Memory | undefined) ?? {
    output: undefined,
    invoked: new Set(),
    toInvokeAgain: new Set(),
  }
  reinvocation?.memory.set(NAME, memory)
  if (round === 1 && !equal(memory.output, request.object)) invokeAgain(memory)
  const namespace = namespaceOfRequest(request, context.informers())
  const access = new AccessAnswers(context.authorizer, request.user)
  for (const invocation of invocations) {
    if (round === 1 && !memory.toInvokeAgain.has(invocation.id)) continue
    const changed = await invoke(invocation, request, namespace, access, failures)
    if (changed === undefined) continue
    if (changed) {
      invokeAgain(memory)
      reinvocation?.want()
    }
    if (invocation.policy.spec.reinvocationPolicy === 'IfNeeded') memory.invoked.add(invocation.id)
  }
  memory.output = request.object && draft(request.object)
}

/** All that were used up to now are used again. */
function invokeAgain({ invoked, toInvokeAgain }: Memory): void {
  for (const id of invoked) toInvokeAgain.add(id)
  invoked.clear()
}

/** Makes the mutations of a policy one after the other, and tells whether they changed anything; undefined if its conditions do not hold. */
async function invoke(
  { policy, binding, kind, param }: Invocation,
  request: AdmissionRequest,
  namespace: ApiObject | undefined,
  access: AccessAnswers,
  failures: string[],
): Promise<boolean | undefined> {
  const compiled = compiledMutatingPolicy(policy)
  const params: CelValue = param === undefined ? null : jsonValue(param)
  const bindings = async () => ({
    ...admissionBindings({ request, kind, shown: await reviewed(request, kind) }, namespace, access),
    params,
  })
  try {
    const own = await bindings()
    const holds = await waitingFor(() => {
      const budget = new CostBudget(MATCH_CONDITIONS_COST_BUDGET)
      return holdAll(compiled.conditions, withVariables(own, compiled.variables, budget), budget)
    })
    if (holds === false) return undefined
    if (holds !== true) throw new MutationError(holds.error)
  } catch (error) {
    note(error, policy, binding, failures)
    return undefined
  }
  let isChanged = false
  for (const mutation of compiled.mutations) {
    try {
      const own = await bindings()
      const wanted = await waitingFor(() => evaluateMutation(compiled, mutation, own))
      if (await mutate(wanted, request, kind)) isChanged = true
    } catch (error) {
      note(error, policy, binding, failures)
    }
  }
  return isChanged
}

/** Puts the changed object in the place of the request's, and tells whether it says anything else. */
async function mutate(wanted: Wanted, request: AdmissionRequest, kind: AnyKind): Promise<boolean> {
  const shown = await reviewed(request, kind)
  if (!shown.object) return false
  try {
    if ('configuration' in wanted)
      return await shown.replace(appliedConfiguration(shown.object, wanted.configuration, kind, request.subresource))
    return await shown.replace(applyJsonPatch(shown.object as unknown as JsonObject, wanted.operations, doesNotApply))
  } catch (error) {
    if (error instanceof TestFailed) return false
    if (error instanceof DecodeError) throw new MutationError(error.message, { cause: error })
    throw error
  }
}

/** A `test` of a patch does not hold: the patch is not applied, and that is fine. */
class TestFailed extends Error {}

/** Which step of a patch cannot be taken, in the words of upstream's library. */
function doesNotApply({ op, path = '' }: Operation, document: unknown): Error {
  if (op === 'test') return new TestFailed()
  const key = path.slice(path.lastIndexOf('/') + 1)
  if (op === 'remove' && isThere(document, path.slice(0, path.lastIndexOf('/')))) {
    return new MutationError(`JSONPath: error in remove for path: '${path}': Unable to remove nonexistent key: ${key}: missing value`)
  }
  return new MutationError(`JSONPath: ${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`)
}

function isThere(document: unknown, path: string): boolean {
  let value = document
  for (const step of path.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false
    value = (value as Record<string, unknown>)[key]
  }
  return true
}

function tried<T>(policy: MutatingAdmissionPolicy, binding: undefined, failures: string[], attempt: () => T): T | undefined {
  try {
    return attempt()
  } catch (error) {
    note(error, policy, binding, failures, 'failed to configure policy: ')
    return undefined
  }
}

/** Keeps what went wrong for the answer, unless the policy may be passed over. */
function note(
  error: unknown,
  policy: MutatingAdmissionPolicy,
  binding: MutatingAdmissionPolicyBinding | undefined,
  failures: string[],
  prefix = '',
): void {
  const isExpected =
    error instanceof MutationError || error instanceof ConfigurationError || error instanceof OutOfBudget || error instanceof StatusError
  if (!isExpected) throw error
  if (policy.spec.failurePolicy === 'Ignore') return
  const who =
    binding === undefined ? `policy ${JSON.stringify(nameOf(policy))}` : `policy '${nameOf(policy)}' with binding '${nameOf(binding)}'`
  failures.push(`${who} denied request: ${prefix}${error.message}`)
}
