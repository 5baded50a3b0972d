import { checkKey, LabelSelector, type Operator, type Requirement, requirement, SelectorError } from './label-selector.ts'

/**
 * Reads the text of a `labelSelector` parameter: `app=web,tier in (a,b),!old,n>5`. Throws `SelectorError` with upstream's words.
 */
export function parseLabelSelector(text: string): LabelSelector {
  return text === '' ? LabelSelector.everything : new LabelSelector(new Parser(tokensOf(text)).requirements())
}

interface Token {
  /** An operator or bracket as it is written; 'id' for keys and values, 'end' after the last, 'error' for operators nobody knows. */
  readonly kind: string
  readonly text: string
}

const END: Token = { kind: 'end', text: '' }
const OPERATORS: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', 'in', '<', '!=', 'notin', '('])
const BINARY: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
])

/** The words and signs of `text`. Signs are taken as long as they can be: `!==` is `!=` and `=`. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  // A NUL ends the text, as it does upstream.
  for (const [part] of text.split('\0', 1)[0]!.matchAll(/[=!(),<>]+|[^=!(),<> \t\r\n]+/g)) {
    if (!/^[=!(),<>]/.test(part)) tokens.push({ kind: OPERATORS.has(part) ? part : 'id', text: part })
    else tokens.push(...signsOf(part))
  }
  tokens.push(END)
  return tokens
}

function signsOf(run: string): Token[] {
  const signs: Token[] = []
  for (let at = 0; at < run.length; ) {
    const two = run.slice(at, at + 2)
    const sign = OPERATORS.has(two) ? two : run[at]!
    signs.push({ kind: sign, text: sign })
    at += sign.length
  }
  return signs
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  requirements(): Requirement[] {
    const found: Requirement[] = []
    for (;;) {
      const { kind, text } = this.#peek()
      if (kind === 'end') return found
      if (kind !== 'id' && kind !== '!') throw new SelectorError(`found '${text}', expected: !, identifier, or 'end of string'`)
      found.push(this.#prefixed())
      const next = this.#take()
      if (next.kind === 'end') return found
      if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or 'end of string'`)
      const after = this.#peek()
      if (after.kind !== 'id' && after.kind !== '!') throw new SelectorError(`found '${after.text}', expected: identifier after ','`)
    }
  }

  #prefixed(): Requirement {
    try {
      return this.#requirement()
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`, { cause: error })
      throw error
    }
  }

  #requirement(): Requirement {
    let token = this.#take()
    const isNegated = token.kind === '!'
    if (isNegated) token = this.#take()
    if (token.kind !== 'id') throw new SelectorError(`found '${token.text}', expected: identifier`)
    checkKey(token.text)
    const key = token.text
    if (isNegated) return requirement(key, '!', [])
    const next = this.#peek().kind
    if (next === 'end' || next === ',') return requirement(key, 'exists', [])
    const operator = this.#operator()
    const values = operator === 'in' || operator === 'notin' ? this.#valueSet() : this.#exactValue()
    return requirement(key, operator, [...new Set(values)].sort())
  }

  #operator(): Operator {
    const { kind, text } = this.#tokens[this.#at++] ?? END
    const operator = BINARY.get(kind)
    if (operator === undefined) throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`)
    return operator
  }

  #valueSet(): string[] {
    const open = this.#take()
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`)
    const { kind, text } = this.#peek()
    if (kind === ')') {
      this.#take()
      return ['']
    }
    if (kind !== 'id' && kind !== ',') throw new SelectorError(`found '${text}', expected: ',', ')' or identifier`)
    const values = this.#identifiers()
    if (this.#take().kind !== ')') throw new SelectorError(`found '${text}', expected: ')'`)
    return values
  }

  /** Values with commas between; where nothing stands between two commas there is an empty value. */
  #identifiers(): string[] {
    const values: string[] = []
    for (;;) {
      const { kind, text } = this.#take()
      const next = this.#peek()
      if (kind === 'id') {
        values.push(text)
        if (next.kind === ')') return values
        if (next.kind !== ',') throw new SelectorError(`found '${next.text}', expected: ',' or ')'`)
      } else if (kind === ',') {
        if (values.length === 0) values.push('')
        if (next.kind === ')') return [...values, '']
        if (next.kind === ',') values.push('')
      } else throw new SelectorError(`found '${text}', expected: ',', or identifier`)
    }
  }

  #exactValue(): string[] {
    const { kind } = this.#peek()
    if (kind === 'end' || kind === ',') return ['']
    const { kind: taken, text } = this.#take()
    if (taken !== 'id') throw new SelectorError(`found '${text}', expected: identifier`)
    return [text]
  }

  /** The next token; `in` and `notin` are plain words unless an operator is expected. */
  #peek(): Token {
    const token = this.#tokens[this.#at] ?? END
    return token.kind === 'in' || token.kind === 'notin' ? { kind: 'id', text: token.text } : token
  }

  #take(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }
}
