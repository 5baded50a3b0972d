import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import type { Bindings, CelProgram, Compilation } from '#base/languages/cel/program.ts'
import type { CelType } from '#base/languages/cel/types.ts'
import { objectType } from '#base/languages/cel/types.ts'
import { CelObject, type CelValue } from '#base/languages/cel/values.ts'
import { PER_CALL_COST_LIMIT } from '#machinery/cel/kubernetes-environment.ts'
import type { PolicyCompiler } from '#machinery/cel/policy-compiler.ts'
import { compilationError } from '#machinery/cel/policy-compiler.ts'

/** A compiled expression, or why it has no program. */
export interface PolicyExpression {
  readonly expression: string
  readonly program: CelProgram | undefined
  readonly error: string | undefined
}

/** The variables of a policy, in their order: each may use those before it. */
export function policyVariables(
  variables: readonly { readonly name: string; readonly expression: string }[] | undefined,
  compiler: PolicyCompiler,
): ReadonlyMap<string, PolicyExpression> {
  return new Map(
    (variables ?? []).map(({ name, expression }) => [name, policyExpression(expression, compiler.addVariable(name, expression))]),
  )
}

export function policyExpression(expression: string, compiled: Compilation): PolicyExpression {
  return { expression, program: compiled.issues === undefined ? compiled.program : undefined, error: compilationError(compiled) }
}

/** What came of an expression: `error` is what upstream says of it. */
export type Outcome = { readonly value: CelValue; readonly error?: undefined } | { readonly value?: undefined; readonly error: string }

/** Nothing more of the policy is evaluated. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

/** What the expressions of a policy may cost together; what variables cost is counted where they are first used. */
export class CostBudget {
  #left: number
  constructor(budget: number) {
    this.#left = budget
  }
  get left(): number {
    return this.#left
  }
  spend(cost: number): void {
    if (cost > this.#left) throw new OutOfBudget()
    this.#left -= cost
  }
}

/** Evaluates an expression within the budget. Throws {@link OutOfBudget}. */
export function evaluate({ expression, program, error }: PolicyExpression, bindings: Bindings, budget: CostBudget): Outcome {
  if (program === undefined) return { error: `compilation error: ${error}` }
  const result = program.evaluate(bindings, PER_CALL_COST_LIMIT)
  budget.spend(result.cost)
  if (result.error !== undefined) return { error: `expression '${expression}' resulted in error: ${result.error}` }
  return { value: result.value }
}

/** The value of `variables`: each variable is evaluated when it is first asked for. */
export class VariablesValue extends CelObject {
  readonly type: CelType = VARIABLES_TYPE
  readonly #variables: ReadonlyMap<string, PolicyExpression>
  readonly #known = new Map<string, CelValue>()
  readonly #budget: CostBudget
  /** What the variables themselves see: set by {@link withVariables}, for this value is among it. */
  bindings: Bindings = {}

  constructor(variables: ReadonlyMap<string, PolicyExpression>, budget: CostBudget) {
    super()
    this.#variables = variables
    this.#budget = budget
  }

  get(name: string): CelValue | undefined {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const variable = this.#variables.get(name)
    if (variable === undefined) return undefined
    if (variable.program === undefined)
      throw new EvaluationError(`composited variable ${JSON.stringify(name)} fails to compile: ${variable.error}`)
    const result = variable.program.evaluate(this.bindings, PER_CALL_COST_LIMIT)
    this.#budget.spend(result.cost)
    if (result.error !== undefined)
      throw new EvaluationError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${result.error}`)
    this.#known.set(name, result.value)
    return result.value
  }

  has(name: string): boolean | undefined {
    return this.#variables.has(name) ? true : undefined
  }

  equals(other: CelObject): boolean {
    return this === other
  }
}

const VARIABLES_TYPE = objectType('kubernetes.variables', {})

/** The bindings with `variables` among them, evaluated lazily against these very bindings. */
export function withVariables(bindings: Bindings, variables: ReadonlyMap<string, PolicyExpression>, budget: CostBudget): Bindings {
  const value = new VariablesValue(variables, budget)
  const all = { ...bindings, variables: value }
  value.bindings = all
  return all
}
