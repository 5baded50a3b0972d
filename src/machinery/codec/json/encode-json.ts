import { keptText, stringifyPlain } from './kept-text.ts'
import { NumberLiteral } from './number-literal.ts'

/**
 * The JSON of `value`, keys in the order they stand in the object; bigints are whole numbers, absent (undefined) fields are left out.
 * Depth does not matter: what was read can be written, and texts that were kept stand again as they were sent. The text is Go's: `<`, `>` and `&` are escaped.
 */
export function encodeJson(value: unknown): string {
  const text = textOf(value)
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`) : text
}

/** Characters that Go writes as escapes, lest a browser takes JSON for HTML or JavaScript. They stand in strings only. */
const UNSAFE = /[<>&\u2028\u2029]/
const UNSAFE_ALL = /[<>&\u2028\u2029]/g

function textOf(value: unknown): string {
  try {
    return stringifyPlain(value) ?? encodeExactly(value)
  } catch (error) {
    // A bigint, or nesting beyond what the engine's stack holds.
    if (error instanceof TypeError || error instanceof RangeError) return encodeExactly(value)
    throw error
  }
}

/** The JSON of `value` with two blanks of indentation per level, as kubectl and `?pretty=true` show it. */
export function encodePrettyJson(value: unknown): string {
  return indent(encodeJson(value), 2)
}

/** A closing bracket and the separator that still has to be written, or a value. */
type Step = { readonly text: string } | { readonly value: unknown }

/** As `JSON.stringify`, with a stack of its own; of numbers whose text matters, and values whose text was kept, that text. */
export function encodeExactly(root: unknown): string {
  const parts: string[] = []
  const steps: Step[] = [{ value: root }]
  while (steps.length > 0) {
    const step = steps.pop()!
    if ('text' in step) {
      parts.push(step.text)
      continue
    }
    const kept = textOfOwn(step.value)
    if (kept !== undefined) {
      parts.push(kept)
      continue
    }
    const value = plainOf(step.value)
    if (typeof value === 'bigint') parts.push(value.toString())
    else if (typeof value !== 'object' || value === null) parts.push(JSON.stringify(value) ?? 'null')
    else if (Array.isArray(value))
      pushAll(
        steps,
        '[',
        ']',
        value.map(item => ['', item] as const),
      )
    else {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined)
      pushAll(
        steps,
        '{',
        '}',
        entries.map(([key, item]) => [`${JSON.stringify(key)}:`, item] as const),
      )
    }
  }
  return parts.join('')
}

function pushAll(steps: Step[], open: string, close: string, entries: readonly (readonly [string, unknown])[]): void {
  steps.push({ text: close })
  for (let index = entries.length - 1; index >= 0; index--) {
    const [label, value] = entries[index]!
    steps.push({ value })
    steps.push({ text: index === 0 ? label : `,${label}` })
  }
  steps.push({ text: open })
}

function textOfOwn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return value instanceof NumberLiteral ? value.text : keptText(value)
}

function plainOf(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function') return value.toJSON()
  return value
}

/** Breaks and blanks for compact JSON; strings stay as they are. */
function indent(compact: string, width: number): string {
  const parts: string[] = []
  let depth = 0
  const newline = () => `\n${' '.repeat(depth * width)}`
  for (const [token] of compact.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^"{}[\],:]+/g)) {
    const last = parts.at(-1)
    if (token === '{' || token === '[') {
      depth++
      parts.push(token, newline())
    } else if (token === '}' || token === ']') {
      depth--
      // An empty object or list stays on its line.
      if (last?.startsWith('\n') && (parts.at(-2) === '{' || parts.at(-2) === '[')) parts[parts.length - 1] = token
      else parts.push(newline(), token)
    } else if (token === ',') parts.push(',', newline())
    else parts.push(token === ':' ? ': ' : token)
  }
  return parts.join('')
}
