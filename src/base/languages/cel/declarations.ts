import type { Macro } from './macro.ts'
import type { CelType } from './types.ts'
import type { CelValue } from './values.ts'

/** One signature of a function, and what it does. */
export interface Overload {
  /** Upstream's name for it: `starts_with_string`. Costs are known by it. */
  readonly id: string
  /** Called as `target.name(…)`; the target is the first parameter. */
  readonly isMember: boolean
  readonly parameters: readonly CelType[]
  readonly result: CelType
  /** Takes a value of each parameter's type. Throws {@link EvaluationError}. */
  evaluate(...args: CelValue[]): CelValue
}

export interface FunctionDeclaration {
  readonly name: string
  readonly overloads: readonly Overload[]
}

/** A set of functions, macros and types that belong together. */
export interface Library {
  readonly functions?: readonly FunctionDeclaration[]
  readonly macros?: readonly Macro[]
  /** Types that expressions may name. */
  readonly types?: readonly CelType[]
}

// biome-ignore lint/suspicious/noExplicitAny: a function of values whose types its signature promises
export type Implementation = (...args: any[]) => CelValue

/** Declares `name(…)`. */
export function globalOverload(id: string, parameters: readonly CelType[], result: CelType, evaluate: Implementation): Overload {
  return { id, isMember: false, parameters, result, evaluate }
}

/** Declares `target.name(…)`. */
export function memberOverload(id: string, parameters: readonly CelType[], result: CelType, evaluate: Implementation): Overload {
  return { id, isMember: true, parameters, result, evaluate }
}

export function declareFunction(name: string, ...overloads: Overload[]): FunctionDeclaration {
  return { name, overloads }
}
