import type { Bindings } from '#base/languages/cel/program.ts'
import type { CelList } from '#base/languages/cel/values.ts'
import type { MutatingAdmissionPolicy } from '#kinds/admissionregistration/v1/mutating-admission-policy.ts'
import { RUNTIME_COST_BUDGET } from '#machinery/cel/kubernetes-environment.ts'
import { applyConfigurationOf, type ObjectValue } from '#machinery/cel/mutation-types.ts'
import { EXPECTED, PolicyCompiler } from '#machinery/cel/policy-compiler.ts'
import { toJson } from '#machinery/cel/to-json.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import type { Operation } from '#machinery/patch/json-patch.ts'
import { type Conditions, compileConditions } from './conditions.ts'
import { CostBudget, evaluate, type PolicyExpression, policyExpression, policyVariables, withVariables } from './expressions.ts'

/** The expressions of a MutatingAdmissionPolicy, ready to be evaluated. */
export interface CompiledMutatingPolicy {
  readonly conditions: Conditions
  readonly variables: ReadonlyMap<string, PolicyExpression>
  readonly mutations: readonly CompiledMutation[]
}

export type CompiledMutation = { readonly type: 'ApplyConfiguration' | 'JSONPatch'; readonly expression: PolicyExpression }

/** A mutation cannot be made; what comes of it is for the failure policy to say. */
export class MutationError extends Error {}

const compiled = new WeakMap<MutatingAdmissionPolicy, CompiledMutatingPolicy>()

/** Compiles a policy when it is first used. */
export function compiledMutatingPolicy(policy: MutatingAdmissionPolicy): CompiledMutatingPolicy {
  const known = compiled.get(policy)
  if (known) return known
  const { spec } = policy
  const compiler = new PolicyCompiler(spec.paramKind !== undefined)
  const variables = policyVariables(spec.variables, compiler)
  const made: CompiledMutatingPolicy = {
    variables,
    conditions: compileConditions(spec.matchConditions, compiler),
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => {
      const isApply = patchType === 'ApplyConfiguration'
      const expression = (isApply ? applyConfiguration?.expression : jsonPatch?.expression) ?? ''
      const expected = isApply ? EXPECTED.applyConfiguration : EXPECTED.jsonPatch
      return {
        type: isApply ? 'ApplyConfiguration' : 'JSONPatch',
        expression: policyExpression(expression, compiler.compile(expression, expected, { mutations: true })),
      }
    }),
  }
  compiled.set(policy, made)
  return made
}

/** What a mutation wants: an apply configuration, or the steps of a JSON patch. */
export type Wanted = { readonly configuration: JsonObject } | { readonly operations: readonly Operation[] }

/** Evaluates one mutation. Throws a {@link MutationError}. */
export function evaluateMutation({ variables }: CompiledMutatingPolicy, { type, expression }: CompiledMutation, request: Bindings): Wanted {
  const budget = new CostBudget(RUNTIME_COST_BUDGET)
  const { value, error } = evaluate(expression, withVariables(request, variables, budget), budget)
  if (error !== undefined) throw new MutationError(error)
  try {
    if (type === 'ApplyConfiguration') return { configuration: applyConfigurationOf(value as ObjectValue) }
    return { operations: [...(value as CelList)].map(operation => operationOf(operation as ObjectValue)) }
  } catch (cause) {
    throw new MutationError(`type mismatch: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function operationOf({ fields }: ObjectValue): Operation {
  const operation: Record<string, unknown> = {}
  for (const [name, field] of fields) {
    if (name === 'from' && field === '') continue
    operation[name] = toJson(field)
  }
  return operation as Operation
}
