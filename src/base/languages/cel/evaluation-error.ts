/** An expression has no value; the message is cel-go's. Logical operators and macros may pass over it. */
export class EvaluationError extends Error {}

/** An expression cost more than it may. Nothing within the expression can pass over it. */
export class BudgetExceeded extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
  }
}

export function noSuchOverload(): EvaluationError {
  return new EvaluationError('no such overload')
}

export function noSuchKey(key: unknown): EvaluationError {
  return new EvaluationError(`no such key: ${String(key)}`)
}
