import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'

/** Whether `parse` gives anything, and no {@link EvaluationError}: what `isURL`, `isIP` and their like answer. */
export function succeeds(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch (error) {
    if (error instanceof EvaluationError) return false
    throw error
  }
}
