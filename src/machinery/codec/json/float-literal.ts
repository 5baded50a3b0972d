/**
 * A number that was written as a float though its value is whole (`1.0`, `1e3`), or is beyond what a double holds (`1e400`). It lives between
 * parser and schema only: an integer field refuses it with its text, everything else takes its value.
 */
export class FloatLiteral {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  valueOf(): number {
    return Number(this.text)
  }

  toJSON(): number {
    return Number(this.text)
  }
}

/** `value` with plain numbers instead of {@link FloatLiteral}s: for what no schema looks into. The very value if there are none. */
export function withoutFloatLiterals(value: unknown): unknown {
  if (value instanceof FloatLiteral) return value.valueOf()
  if (typeof value !== 'object' || value === null) return value
  // Objects of the parser are nobody else's yet, and may be as deep as a body can be: they are changed in place, without recursion.
  const open: object[] = [value]
  for (let next = open.pop(); next; next = open.pop()) {
    for (const key of Object.keys(next)) {
      const item = (next as Record<string, unknown>)[key]
      if (item instanceof FloatLiteral) (next as Record<string, unknown>)[key] = item.valueOf()
      else if (typeof item === 'object' && item !== null) open.push(item)
    }
  }
  return value
}
