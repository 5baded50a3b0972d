import { encodeExactly } from './encode-json.ts'
import { keepText } from './kept-text.ts'
import { hasLiterals, NumberLiteral, withoutLiterals } from './number-literal.ts'

/**
 * What the parser made of JSON that nobody here looks into: plain values, written again as they were sent. Where that is more than the values
 * tell (`0.10`, `1e400`), an object or list keeps its text.
 */
export function rawJson(value: unknown): unknown {
  if (!hasLiterals(value)) return value
  if (value instanceof NumberLiteral) return value.valueOf() // what is no object is nobody in particular, to whom a text could belong
  const text = encodeExactly(value)
  const plain = withoutLiterals(value) as object
  keepText(plain, text)
  return plain
}
