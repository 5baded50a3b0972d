/**
 * A number whose text tells more than its value: a float that is whole (`1.0`, `1e3`), is written otherwise than JavaScript would write it
 * (`0.10`), or is beyond what a double holds (`1e400`). It lives between parser and schema only: an integer field refuses it with its text, a
 * field of any JSON keeps that text (`kept-text.ts`), everything else takes its value.
 */
export class NumberLiteral {
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

/** `value` with plain numbers instead of {@link NumberLiteral}s: for what no schema looks into. The very value if there are none. */
export function withoutLiterals(value: unknown): unknown {
  if (value instanceof NumberLiteral) return value.valueOf()
  if (typeof value !== 'object' || value === null) return value
  // Objects of the parser are nobody else's yet, and may be as deep as a body can be: they are changed in place, without recursion.
  const open: object[] = [value]
  for (let next = open.pop(); next; next = open.pop()) {
    for (const key of Object.keys(next)) {
      const item = (next as Record<string, unknown>)[key]
      if (item instanceof NumberLiteral) (next as Record<string, unknown>)[key] = item.valueOf()
      else if (typeof item === 'object' && item !== null) open.push(item)
    }
  }
  return value
}

/** Whether there is a {@link NumberLiteral} in `value`, at any depth. */
export function hasLiterals(value: unknown): boolean {
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (next instanceof NumberLiteral) return true
    if (typeof next === 'object' && next !== null) for (const key in next) open.push((next as Record<string, unknown>)[key])
  }
  return false
}
