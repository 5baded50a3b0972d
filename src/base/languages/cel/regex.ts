import { RE2JS } from 're2js'
import { EvaluationError } from './evaluation-error.ts'

/** Patterns that expressions use are few; those that data brings are many. */
const MAX_KEPT = 500
const compiled = new Map<string, RE2JS>()

/** A pattern in RE2's syntax, which takes linear time on whatever text. Throws an {@link EvaluationError}. */
export function regex(pattern: string): RE2JS {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  let made: RE2JS
  try {
    made = RE2JS.compile(pattern)
  } catch (error) {
    throw new EvaluationError(error instanceof Error ? error.message : String(error))
  }
  if (compiled.size >= MAX_KEPT) compiled.delete(compiled.keys().next().value!)
  compiled.set(pattern, made)
  return made
}
