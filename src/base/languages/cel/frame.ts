import { BudgetExceeded, type EvaluationError } from './evaluation-error.ts'
import type { Bindings } from './program.ts'
import type { CelValue } from './values.ts'

/** One evaluation: where variables are looked up, the variables of macros, and what was spent. */
export class Frame {
  readonly bindings: Bindings
  /** By slot. An error stands for a value that could not be computed, and is thrown when it is asked for. */
  readonly locals: (CelValue | EvaluationError | Lazy)[] = []
  readonly #budget: number
  cost = 0

  constructor(bindings: Bindings, budget: number) {
    this.bindings = bindings
    this.#budget = budget
  }

  charge(cost: number): void {
    this.cost += cost
    if (this.cost > this.#budget) throw new BudgetExceeded()
  }
}

/** A node of an expression, compiled. */
export type Evaluate = (frame: Frame) => CelValue

/** What `cel.bind` binds: computed when it is first used. */
export class Lazy {
  readonly #evaluate: Evaluate
  #value: CelValue | undefined
  constructor(evaluate: Evaluate) {
    this.#evaluate = evaluate
  }
  value(frame: Frame): CelValue {
    this.#value ??= this.#evaluate(frame)
    return this.#value
  }
}
