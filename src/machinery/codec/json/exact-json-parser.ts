import { charText, JsonError } from './json-error.ts'
import { NumberLiteral } from './number-literal.ts'
import type { ParsedJson } from './parse-json.ts'

/** An object or list that is being read, with where its parent keeps it. */
interface Open {
  readonly value: Record<string, unknown> | unknown[]
  readonly seen: Set<string> | undefined
  key: string
}

/**
 * Reads JSON as Go's decoder does, character by character: exact numbers, duplicate keys, Go's errors. Without recursion, so that nesting
 * costs no stack. The quick way through `JSON.parse` falls back to this.
 */
export class ExactJsonParser {
  readonly #text: string
  readonly #maxDepth: number
  readonly #marksNumbers: boolean
  readonly #duplicates = new Set<string>()
  readonly #stack: Open[] = []
  #at = 0

  constructor(text: string, maxDepth: number, marksNumbers: boolean) {
    this.#text = text
    this.#maxDepth = maxDepth
    this.#marksNumbers = marksNumbers
  }

  parse(): ParsedJson {
    const value = this.#document()
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#invalid('after top-level value')
    return { value, duplicates: [...this.#duplicates] }
  }

  #document(): unknown {
    let value = this.#valueOrOpen()
    for (;;) {
      const top = this.#stack.at(-1)
      if (value !== OPENED) {
        if (!top) return value
        this.#store(top, value)
        value = this.#afterElement(top)
      } else value = Array.isArray(top!.value) ? this.#firstElement() : this.#firstKey(top!)
    }
  }

  /** A scalar, or OPENED when an object or list began. */
  #valueOrOpen(): unknown {
    this.#skipSpace()
    const char = this.#peek()
    if (char === '{' || char === '[') {
      if (this.#stack.length >= this.#maxDepth) throw this.#invalid('exceeded max depth')
      this.#at++
      this.#stack.push(char === '{' ? { value: {}, seen: new Set(), key: '' } : { value: [], seen: undefined, key: '' })
      return OPENED
    }
    if (char === '"') return this.#string()
    if (char === '-' || (char >= '0' && char <= '9')) return this.#number()
    if (char === 't') return this.#literal('true', true)
    if (char === 'f') return this.#literal('false', false)
    if (char === 'n') return this.#literal('null', null)
    throw this.#invalid('looking for beginning of value')
  }

  #firstElement(): unknown {
    this.#skipSpace()
    if (this.#peek() !== ']') return this.#valueOrOpen()
    this.#at++
    return this.#stack.pop()!.value
  }

  #firstKey(top: Open): unknown {
    this.#skipSpace()
    if (this.#peek() !== '}') return this.#keyAndValue(top)
    this.#at++
    return this.#stack.pop()!.value
  }

  #keyAndValue(top: Open): unknown {
    this.#skipSpace()
    if (this.#peek() !== '"') throw this.#invalid('looking for beginning of object key string')
    top.key = this.#string()
    this.#skipSpace()
    if (this.#peek() !== ':') throw this.#invalid('after object key')
    this.#at++
    return this.#valueOrOpen()
  }

  #afterElement(top: Open): unknown {
    this.#skipSpace()
    const isList = Array.isArray(top.value)
    const char = this.#peek()
    if (char === ',') {
      this.#at++
      return isList ? this.#valueOrOpen() : this.#keyAndValue(top)
    }
    if (char !== (isList ? ']' : '}')) throw this.#invalid(isList ? 'after array element' : 'after object key:value pair')
    this.#at++
    return this.#stack.pop()!.value
  }

  #store(top: Open, value: unknown): void {
    if (Array.isArray(top.value)) {
      top.value.push(value)
      return
    }
    if (top.seen!.has(top.key)) this.#duplicates.add(this.#path())
    top.seen!.add(top.key)
    if (top.key !== '__proto__') top.value[top.key] = value
    else Object.defineProperty(top.value, top.key, { value, enumerable: true, configurable: true, writable: true })
  }

  /** Where the parser stands; only built for what is reported. */
  #path(): string {
    let path = ''
    for (const { value, key } of this.#stack) {
      if (Array.isArray(value)) path += `[${value.length}]`
      else path += path === '' ? key : `.${key}`
    }
    return path
  }

  #string(): string {
    const start = ++this.#at
    let plain = ''
    let from = start
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (Number.isNaN(code)) throw this.#end()
      if (code === 0x22) break
      if (code < 0x20) throw this.#invalid('in string literal')
      if (code !== 0x5c) {
        this.#at++
        continue
      }
      plain += this.#text.slice(from, this.#at)
      this.#at++
      plain += this.#escape()
      from = this.#at
    }
    plain += this.#text.slice(from, this.#at++)
    return LONE_SURROGATE.test(plain) ? plain.replace(LONE_SURROGATES, '\ufffd') : plain
  }

  #escape(): string {
    const char = this.#peek()
    if (char !== 'u') {
      const plain = ESCAPED[char]
      if (plain === undefined) throw this.#invalid('in string escape code')
      this.#at++
      return plain
    }
    this.#at++
    let code = 0
    for (let digit = 0; digit < 4; digit++) {
      const value = Number.parseInt(this.#peek(), 16)
      if (Number.isNaN(value)) throw this.#invalid('in \\u hexadecimal character escape')
      code = code * 16 + value
      this.#at++
    }
    return String.fromCharCode(code)
  }

  #number(): unknown {
    const start = this.#at
    if (this.#peek() === '-') {
      this.#at++
      if (!isDigit(this.#peek())) throw this.#invalid('in numeric literal')
    }
    if (this.#peek() === '0') this.#at++
    else this.#digits()
    let isFloat = false
    if (this.#text[this.#at] === '.') {
      isFloat = true
      this.#at++
      if (!isDigit(this.#peek())) throw this.#invalid('after decimal point in numeric literal')
      this.#digits()
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      isFloat = true
      this.#at++
      const sign = this.#peek()
      if (sign === '+' || sign === '-') this.#at++
      if (!isDigit(this.#peek())) throw this.#invalid('in exponent of numeric literal')
      this.#digits()
    }
    return this.#numberOf(this.#text.slice(start, this.#at), isFloat)
  }

  #numberOf(text: string, isFloat: boolean): unknown {
    const value = Number(text)
    if (!Number.isFinite(value)) {
      if (this.#marksNumbers) return new NumberLiteral(text)
      throw new JsonError(`json: cannot unmarshal number ${text.slice(0, MAX_SHOWN)} into Go value of type float64`)
    }
    if (isFloat) return this.#marksNumbers && (Number.isInteger(value) || String(value) !== text) ? new NumberLiteral(text) : value
    if (Number.isSafeInteger(value)) return value
    if (text.length <= 40) return BigInt(text)
    // More digits than any integer type holds: its text may matter, exact arithmetic would only take time.
    return this.#marksNumbers ? new NumberLiteral(text) : value
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? '')) this.#at++
  }

  #literal(word: string, value: unknown): unknown {
    this.#at++
    for (const expected of word.slice(1)) {
      if (this.#peek() !== expected) throw this.#invalid(`in literal ${word} (expecting '${expected}')`)
      this.#at++
    }
    return value
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  /** The character here; throws at the end of the text. */
  #peek(): string {
    const char = this.#text[this.#at]
    if (char === undefined) throw this.#end()
    return char
  }

  #end(): JsonError {
    return new JsonError('unexpected end of JSON input')
  }

  #invalid(context: string): JsonError {
    const char = this.#text[this.#at]
    return char === undefined ? this.#end() : new JsonError(`invalid character ${charText(char)} ${context}`)
  }
}

const OPENED = Symbol('opened')
const MAX_SHOWN = 64
const LONE_SURROGATE = /[\ud800-\udfff]/
const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const ESCAPED: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char.length === 1
}
