import type { CelType } from './types.ts'
import type { CelValue } from './values.ts'

/**
 * What {@link Environment.compile} makes of an expression: a program, or what is wrong with it as cel-go words it:
 *
 * ```text
 * ERROR: <input>:1:1: undeclared reference to 'x' (in container '')
 *  | x.y
 *  | ^
 * ```
 */
export type Compilation = CompiledExpression | FailedCompilation

export interface FailedCompilation {
  readonly issues: string
  /** Set if all that is wrong is the type that the expression was found to have. `issues` is then `must evaluate to bool but got int`. */
  readonly mismatch?: CelType
}

export interface CompiledExpression {
  readonly program: CelProgram
  /** The type that the expression was found to have. */
  readonly type: CelType
  /** The least and most that evaluating it is estimated to cost; 2^64 where that has no bound. */
  readonly cost: CostRange
  /** The variables that it refers to. */
  readonly variables: ReadonlySet<string>
  readonly issues?: undefined
}

/** In units of cost, of which cel-go takes some ten million a second. */
export interface CostRange {
  readonly min: number
  readonly max: number
}

/** A compiled expression. It keeps no state: one program may be evaluated many times, and at once. */
export interface CelProgram {
  /**
   * Evaluates the expression.
   *
   * @param bindings a value for each declared variable
   * @param budget how much it may cost; without it, as much as it takes
   */
  evaluate(bindings: Bindings, budget?: number): Evaluation
}

/** Values of variables by name. Those that the expression does not refer to may be left out. */
export type Bindings = Readonly<Record<string, CelValue>>

/** What came of an evaluation, and what it cost. `error` is the text of cel-go (`no such key: x`, `operation cancelled: …`). */
export type Evaluation = { readonly value: CelValue; readonly error?: undefined; readonly cost: number } | Failure

export interface Failure {
  readonly value?: undefined
  readonly error: string
  readonly cost: number
  /** It was stopped because the budget was used up. */
  readonly overBudget: boolean
}
