import { EvaluationError, noSuchOverload } from './evaluation-error.ts'
import type { Evaluate } from './frame.ts'
import { CelOptional, type CelValue } from './values.ts'

/** `&&` and `||`: what decides wins, even over an error on the other side. */
export function logical(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return frame => {
    let failure: EvaluationError | undefined
    try {
      const value = left(frame)
      if (value === decisive) return decisive
      if (value !== !decisive) failure = noSuchOverload()
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      failure = error
    }
    if (failure === undefined) {
      const value = right(frame)
      if (typeof value !== 'boolean') throw noSuchOverload()
      return value
    }
    try {
      if (right(frame) === decisive) return decisive
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
    }
    throw failure
  }
}

/** `or` and `orValue`: the other side is evaluated only where the first has no value. */
export function optionalOr(left: Evaluate, right: Evaluate, held: (optional: CelOptional) => CelValue): Evaluate {
  return frame => {
    const optional = left(frame)
    if (!(optional instanceof CelOptional)) throw noSuchOverload()
    return optional.value === undefined ? right(frame) : held(optional)
  }
}

export function conditional(condition: Evaluate, ifTrue: Evaluate, ifFalse: Evaluate): Evaluate {
  return frame => {
    const value = condition(frame)
    if (value === true) return ifTrue(frame)
    if (value === false) return ifFalse(frame)
    throw noSuchOverload()
  }
}

export function notStrictlyFalse(argument: Evaluate): Evaluate {
  return frame => {
    try {
      return argument(frame) !== false
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      return true
    }
  }
}
