import type { Bindings } from '#base/languages/cel/program.ts'
import { EXPECTED, PolicyCompiler } from '#machinery/cel/policy-compiler.ts'
import { type CostBudget, evaluate, type PolicyExpression, policyExpression } from './expressions.ts'

/** Expressions that must all be true for a policy or webhook to be about a request. */
export type Conditions = readonly PolicyExpression[]

/** The match conditions of a webhook: they see the request, and neither params nor variables. */
export function compileConditions(
  conditions: readonly { readonly expression: string }[] | undefined,
  compiler: PolicyCompiler = new PolicyCompiler(false),
): Conditions {
  return (conditions ?? []).map(({ expression }) => policyExpression(expression, compiler.compile(expression, EXPECTED.condition)))
}

/**
 * Whether all hold. One that does not decides, also beside one that cannot be evaluated; an error alone is text in `error`, and what comes
 * of it is for the failure policy to say.
 */
export function holdAll(conditions: Conditions, bindings: Bindings, budget: CostBudget): boolean | { readonly error: string } {
  const errors: string[] = []
  for (const condition of conditions) {
    const { value, error } = evaluate(condition, bindings, budget)
    if (error !== undefined) errors.push(error)
    else if (value === false) return false
  }
  if (errors.length === 0) return true
  return { error: errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]` }
}
