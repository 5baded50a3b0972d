import { isJsonObject, isSameJson, valueAt } from '../patch/json-object.ts'
import { goJson } from '../status/go-text.ts'

/** A path that cannot be read; the message says what is wrong with it. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError'
}

/** Finds the values that a path leads to, in order; none where the way breaks off. */
export type JsonPath = (root: unknown) => unknown[]

/**
 * Compiles a path in Kubernetes' dialect of JSONPath: `.spec.list[?(@.n=='q')].n`, `.a['b.c']`, `.list[0:2]`, `..name`. Throws
 * {@link JsonPathError}.
 *
 * Source: https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
export function jsonPath(text: string): JsonPath {
  const steps = new Reader(text).path()
  return root => steps.reduce<unknown[]>((values, step) => values.flatMap(value => step(value)), [root])
}

/** A value as it stands in a column: text as it is, objects and lists as JSON. */
export function jsonPathText(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null ? goJson(value) : String(value)
}

type Step = (value: unknown) => unknown[]

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  path(): Step[] {
    const steps: Step[] = []
    while (this.#at < this.#text.length) {
      const step = this.#step()
      if (step) steps.push(step)
    }
    return steps
  }

  #step(): Step | undefined {
    const char = this.#text[this.#at]
    if (char === '.') {
      if (this.#text[this.#at + 1] === '.') {
        this.#at += 2
        return descendants(this.#text[this.#at] === '[' ? undefined : this.#name())
      }
      this.#at++
      return this.#text[this.#at] === '[' || this.#at === this.#text.length ? undefined : field(this.#name())
    }
    if (char === '[') return this.#bracket()
    if (char === '@' || char === '$') {
      this.#at++
      return undefined
    }
    return field(this.#name())
  }

  /** A name up to the next delimiter; a backslash takes its meaning from one. */
  #name(): string {
    let name = ''
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at]!
      if (char === '\\' && this.#at + 1 < this.#text.length) name += this.#text[++this.#at]!
      else if (char === '.' || char === '[' || char === ']' || /\s/.test(char)) break
      else name += char
    }
    if (name === '') throw new JsonPathError(`unrecognized character in action: ${this.#shown()}`)
    return name
  }

  #bracket(): Step {
    const inside = this.#inside()
    if (inside.startsWith('?(') && inside.endsWith(')')) return filter(inside.slice(2, -1))
    const parts = splitOutsideQuotes(inside, ',').map(part => selector(part.trim()))
    return parts.length === 1 ? parts[0]! : value => parts.flatMap(part => part(value))
  }

  /** The text between this bracket and the one that closes it. */
  #inside(): string {
    const start = this.#at + 1
    let depth = 0
    let quoteChar = ''
    for (let at = this.#at; at < this.#text.length; at++) {
      const char = this.#text[at]!
      if (quoteChar !== '') {
        if (char === '\\') at++
        else if (char === quoteChar) quoteChar = ''
      } else if (char === "'" || char === '"') quoteChar = char
      else if (char === '[') depth++
      else if (char === ']' && --depth === 0) {
        this.#at = at + 1
        return this.#text.slice(start, at).trim()
      }
    }
    throw new JsonPathError('unterminated array')
  }

  #shown(): string {
    return this.#at < this.#text.length ? `U+${this.#text.charCodeAt(this.#at).toString(16).toUpperCase().padStart(4, '0')}` : 'end of path'
  }
}

function field(name: string): Step {
  if (name === '*') return childrenOf
  return value => {
    const found = isJsonObject(value) ? valueAt(value, name) : undefined
    return found === undefined ? [] : [found]
  }
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return isJsonObject(value) ? Object.values(value) : []
}

/** The value and everything below it that has the name; without recursion, since the depth is the client's choice. */
function descendants(name: string | undefined): Step {
  return root => {
    const found: unknown[] = []
    const open = [root]
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      if (name === undefined) found.push(value)
      else if (isJsonObject(value) && valueAt(value, name) !== undefined) found.push(valueAt(value, name))
      open.push(
        ...childrenOf(value)
          .filter(child => typeof child === 'object' && child !== null)
          .reverse(),
      )
    }
    return found
  }
}

function selector(part: string): Step {
  if (part === '*') return childrenOf
  const [, quoted] = /^'((?:[^'\\]|\\.)*)'$/.exec(part) ?? /^"((?:[^"\\]|\\.)*)"$/.exec(part) ?? []
  if (quoted !== undefined) return field(quoted.replaceAll(/\\(.)/g, '$1'))
  if (/^-?\d+$/.test(part)) return value => (Array.isArray(value) ? value.slice(...indexRange(Number(part))) : [])
  const [, from, to, step] = /^(-?\d*):(-?\d*)(?::(-?\d*))?$/.exec(part) ?? []
  if (from === undefined) throw new JsonPathError(`invalid array index ${part}`)
  const by = step ? Number(step) : 1
  if (by <= 0) throw new JsonPathError(`step must be > 0`)
  return value => {
    if (!Array.isArray(value)) return []
    return value.slice(from === '' ? 0 : Number(from), to ? Number(to) : undefined).filter((_, index) => index % by === 0)
  }
}

function indexRange(index: number): [number, number | undefined] {
  return index === -1 ? [-1, undefined] : [index, index + 1]
}

type Operand = (value: unknown) => unknown

function filter(condition: string): Step {
  const [, left = '', operator = '', right = ''] = splitCondition(condition)
  const leftOf = operand(left.trim())
  if (operator === '') return value => childrenOf(value).filter(item => leftOf(item) !== undefined)
  const rightOf = operand(right.trim())
  return value => childrenOf(value).filter(item => isTrue(leftOf(item), operator, rightOf(item)))
}

function splitCondition(condition: string): readonly string[] {
  let quoteChar = ''
  for (let at = 0; at < condition.length; at++) {
    const char = condition[at]!
    if (quoteChar !== '') {
      if (char === '\\') at++
      else if (char === quoteChar) quoteChar = ''
    } else if (char === "'" || char === '"') quoteChar = char
    else {
      const operator = OPERATORS.find(one => condition.startsWith(one, at))
      if (operator) return [condition, condition.slice(0, at), operator, condition.slice(at + operator.length)]
    }
  }
  return [condition, condition]
}

const OPERATORS = ['==', '!=', '<=', '>=', '<', '>']

function operand(text: string): Operand {
  const [, quoted] = /^'((?:[^'\\]|\\.)*)'$/.exec(text) ?? /^"((?:[^"\\]|\\.)*)"$/.exec(text) ?? []
  if (quoted !== undefined) return () => quoted.replaceAll(/\\(.)/g, '$1')
  if (/^-?\d+(\.\d+)?$/.test(text)) return () => Number(text)
  if (text === 'true' || text === 'false') return () => text === 'true'
  const path = jsonPath(text)
  return value => path(value)[0]
}

function isTrue(left: unknown, operator: string, right: unknown): boolean {
  if (left === undefined || right === undefined) return false
  if (operator === '==') return isSameJson(left, right)
  if (operator === '!=') return !isSameJson(left, right)
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false
  const order = (left as number) < (right as number) ? -1 : (left as number) > (right as number) ? 1 : 0
  return operator === '<' ? order < 0 : operator === '>' ? order > 0 : operator === '<=' ? order <= 0 : order >= 0
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = []
  let part = ''
  let quoteChar = ''
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '\\' && quoteChar !== '') part += char + (text[++at] ?? '')
    else if (char === separator && quoteChar === '') {
      parts.push(part)
      part = ''
    } else {
      if (quoteChar === '' ? char === "'" || char === '"' : char === quoteChar) quoteChar = quoteChar === '' ? char : ''
      part += char
    }
  }
  return [...parts, part]
}
