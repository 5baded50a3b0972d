import type { CheckedAst } from './checker.ts'
import { EvaluationError } from './evaluation-error.ts'
import { regex } from './regex.ts'
import type { Issue } from './source.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import { nodesOf } from './walk.ts'

/** Tries the literal arguments of a function while compiling: what cannot be right at run time is an issue at once. */
export interface Validator {
  readonly function: string
  /** Which argument, the target not counted. */
  readonly argument: number
  /** Throws an {@link EvaluationError} on a literal that the function would refuse. */
  validate(literal: string): void
}

/** Durations, times and patterns. */
export const LITERAL_VALIDATORS: readonly Validator[] = [
  { function: 'duration', argument: 0, validate: parseDuration },
  { function: 'timestamp', argument: 0, validate: parseTimestamp },
  { function: 'matches', argument: 0, validate: regex },
]

export function validateLiterals(ast: CheckedAst, validators: readonly Validator[]): Issue[] {
  if (validators.length === 0) return []
  const issues: Issue[] = []
  for (const node of nodesOf(ast.expression)) {
    if (node.kind !== 'call') continue
    for (const validator of validators) {
      if (validator.function !== node.function) continue
      const literal = node.arguments[validator.argument + (node.function === 'matches' && node.target === undefined ? 1 : 0)]
      if (literal?.kind !== 'literal' || typeof literal.value !== 'string') continue
      try {
        validator.validate(literal.value)
      } catch (error) {
        if (!(error instanceof EvaluationError)) throw error
        issues.push({ offset: ast.offsets.get(literal.id), message: `invalid ${node.function} argument` })
      }
    }
  }
  return issues
}
