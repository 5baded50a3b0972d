import { RE2JS } from 're2js'

const PATTERNS_LIMIT = 1000
const patterns = new Map<string, RE2JS>()

/** The pattern of a schema: RE2's syntax, matched in linear time. Throws {@link PatternError}. */
export function patternOf(source: string): RE2JS {
  let pattern = patterns.get(source)
  if (!pattern) {
    try {
      pattern = RE2JS.compile(source)
    } catch (error) {
      throw new PatternError((error as Error).message, { cause: error })
    }
    if (patterns.size >= PATTERNS_LIMIT) patterns.clear()
    patterns.set(source, pattern)
  }
  return pattern
}

/** A pattern is no regular expression; the message is Go's. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}
