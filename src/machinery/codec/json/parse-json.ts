import { ExactJsonParser } from './exact-json-parser.ts'
import { scanJson } from './scan-json.ts'

/** Nesting beyond this is refused, as upstream refuses it. */
export const MAX_DEPTH = 10_000

export interface JsonOptions {
  /**
   * Numbers whose text matters (`1.0`, `0.10`) become {@link NumberLiteral}, so that a schema can refuse them where it wants an integer, or
   * keep the text. Off where no schema follows: then they are plain numbers.
   */
  readonly marksNumbers?: boolean
}

export interface ParsedJson {
  readonly value: unknown
  /** The paths of keys that stand twice in one object: `spec.containers[0].image`. The last one counts. */
  readonly duplicates: readonly string[]
}

/**
 * Reads JSON without loss: whole numbers beyond 2^53 become bigints, `__proto__` is a key like any other, invalid UTF-8 becomes U+FFFD.
 * Throws {@link JsonError} in the words of Go's decoder.
 */
export function parseJson(source: string | Uint8Array, options: JsonOptions = {}): unknown {
  return readJson(source, options).value
}

/** As {@link parseJson}, and tells which keys stand twice. */
export function readJson(source: string | Uint8Array, options: JsonOptions = {}): ParsedJson {
  const text = typeof source === 'string' ? source : utf8.decode(source)
  const scan = scanJson(text)
  if (scan.maxDepth <= MAX_DEPTH && !scan.isDelicate) {
    const value = tryParse(text)
    if (value !== FAILED && countKeys(value) === scan.keys) return { value, duplicates: NONE }
  }
  return new ExactJsonParser(text, MAX_DEPTH, options.marksNumbers ?? false).parse()
}

export { JsonError } from './json-error.ts'
export { NumberLiteral } from './number-literal.ts'

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const NONE: readonly string[] = []
const FAILED = Symbol('failed')

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return FAILED
  }
}

/** All keys in `value`, at any depth; without recursion, since the depth is the client's choice. */
function countKeys(value: unknown): number {
  let count = 0
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (Array.isArray(next)) {
      for (const item of next) if (typeof item === 'object' && item !== null) open.push(item)
    } else if (typeof next === 'object' && next !== null) {
      for (const key in next) {
        count++
        const item = (next as Record<string, unknown>)[key]
        if (typeof item === 'object' && item !== null) open.push(item)
      }
    }
  }
  return count
}
