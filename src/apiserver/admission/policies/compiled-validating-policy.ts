import type { Bindings } from '#base/languages/cel/program.ts'
import type { ValidatingAdmissionPolicy, Validation } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { RUNTIME_COST_BUDGET } from '#machinery/cel/kubernetes-environment.ts'
import { EXPECTED, PolicyCompiler } from '#machinery/cel/policy-compiler.ts'
import { type Conditions, compileConditions, holdAll } from './conditions.ts'
import {
  CostBudget,
  evaluate,
  OutOfBudget,
  type PolicyExpression,
  policyExpression,
  policyVariables,
  withVariables,
} from './expressions.ts'
import type { CheckError } from './policy-metrics.ts'

/** The expressions of a ValidatingAdmissionPolicy, ready to be evaluated. */
export interface CompiledValidatingPolicy {
  readonly failsOpen: boolean
  readonly conditions: Conditions
  readonly variables: ReadonlyMap<string, PolicyExpression>
  readonly validations: readonly {
    readonly validation: Validation
    readonly rule: PolicyExpression
    readonly message: PolicyExpression | undefined
  }[]
  readonly auditAnnotations: readonly { readonly key: string; readonly value: PolicyExpression }[]
}

const compiled = new WeakMap<ValidatingAdmissionPolicy, CompiledValidatingPolicy>()

/** Compiles a policy when it is first used. Expressions that do not compile are errors of every evaluation. */
export function compiledValidatingPolicy(policy: ValidatingAdmissionPolicy): CompiledValidatingPolicy {
  const known = compiled.get(policy)
  if (known) return known
  const { spec } = policy
  const compiler = new PolicyCompiler(spec.paramKind !== undefined)
  const variables = policyVariables(spec.variables, compiler)
  const made: CompiledValidatingPolicy = {
    failsOpen: spec.failurePolicy === 'Ignore',
    variables,
    conditions: compileConditions(spec.matchConditions, compiler),
    validations: (spec.validations ?? []).map(validation => ({
      validation,
      rule: policyExpression(validation.expression, compiler.compile(validation.expression, EXPECTED.condition)),
      message: validation.messageExpression
        ? policyExpression(
            validation.messageExpression,
            compiler.compile(validation.messageExpression, EXPECTED.message, { authorizer: false }),
          )
        : undefined,
    })),
    auditAnnotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      value: policyExpression(valueExpression, compiler.compile(valueExpression, EXPECTED.auditAnnotation, { authorizer: false })),
    })),
  }
  compiled.set(policy, made)
  return made
}

/** Why a request is not as the policy wants it. */
export interface Refusal {
  readonly message: string
  readonly reason: string
  /** Which of the policy's validations; 0 for the policy as a whole. */
  readonly index: number
  readonly error: CheckError
  /** How long the check took. */
  readonly seconds: number
}

export interface Evaluated {
  readonly refusals: readonly Refusal[]
  /** Checks that failed and are passed over, since the policy fails open. */
  readonly passedOver: readonly Pick<Refusal, 'error' | 'seconds'>[]
  readonly annotations: readonly { readonly key: string; readonly value: string }[]
  /** Errors in the values of audit annotations: they refuse whatever the binding's actions are. */
  readonly annotationErrors: readonly string[]
}

const NOTHING: Evaluated = { refusals: [], passedOver: [], annotations: [], annotationErrors: [] }

/** Evaluates a policy for one request and one set of parameters. `monotonic` says the time in milliseconds. */
export function evaluatePolicy(policy: CompiledValidatingPolicy, request: Bindings, monotonic: () => number = () => 0): Evaluated {
  const startMs = monotonic()
  const failure = (message: string, error: CheckError): Evaluated => {
    const check = { error, seconds: (monotonic() - startMs) / 1000 }
    return policy.failsOpen ? { ...NOTHING, passedOver: [check] } : { ...NOTHING, refusals: [{ message, reason: '', index: 0, ...check }] }
  }
  try {
    const matching = new CostBudget(RUNTIME_COST_BUDGET / 4)
    const holds = holdAll(policy.conditions, withVariables(request, policy.variables, matching), matching)
    if (holds === false) return NOTHING
    if (holds !== true) return failure(holds.error, 'invalid_error')
    const budget = new CostBudget(RUNTIME_COST_BUDGET)
    const bindings = withVariables(request, policy.variables, budget)
    const passedOver: Pick<Refusal, 'error' | 'seconds'>[] = []
    const refusals = policy.validations.flatMap(({ validation, rule, message }, index): Refusal[] => {
      const beganMs = monotonic()
      const { value, error } = evaluate(rule, bindings, budget)
      const seconds = (monotonic() - beganMs) / 1000
      if (error !== undefined) {
        const check = { error: rule.program ? 'invalid_error' : 'compile_error', seconds } as const
        if (!policy.failsOpen) return [{ message: error, reason: '', index, ...check }]
        passedOver.push(check)
        return []
      }
      if (value === true) return []
      const said = messageOf(validation, message, bindings, budget)
      return [{ message: said, reason: validation.reason ?? 'Invalid', index, error: 'no_error', seconds }]
    })
    return { refusals, passedOver, ...annotationsOf(policy, bindings) }
  } catch (error) {
    if (error instanceof OutOfBudget) return failure(error.message, 'out_of_budget')
    throw error
  }
}

const MAX_MESSAGE_BYTES = 5 * 1024

/** What the message expression says, if it is one line of bearable length; else the message; else the expression that failed. */
function messageOf(
  { message = '', expression }: Validation,
  made: PolicyExpression | undefined,
  bindings: Bindings,
  budget: CostBudget,
): string {
  const value = made && evaluate(made, bindings, budget).value
  const text = typeof value === 'string' ? value.trim() : ''
  if (text !== '' && !text.includes('\n') && new TextEncoder().encode(text).length <= MAX_MESSAGE_BYTES) return text
  return message.trim() || `failed expression: ${expression.trim()}`
}

function annotationsOf(policy: CompiledValidatingPolicy, bindings: Bindings): Pick<Evaluated, 'annotations' | 'annotationErrors'> {
  const annotations: { key: string; value: string }[] = []
  const annotationErrors: string[] = []
  const budget = new CostBudget(RUNTIME_COST_BUDGET)
  for (const { key, value: expression } of policy.auditAnnotations) {
    const { value, error } = evaluate(expression, bindings, budget)
    if (error !== undefined) {
      if (!policy.failsOpen) annotationErrors.push(error)
    } else if (typeof value === 'string' && value.trim() !== '') annotations.push({ key, value: value.trim() })
  }
  return { annotations, annotationErrors }
}
