import type { Issue } from './source.ts'

/** What a token is: for operators and keywords their own text. */
export type TokenKind = 'IDENTIFIER' | 'ESC_IDENTIFIER' | 'NUM_INT' | 'NUM_UINT' | 'NUM_FLOAT' | 'STRING' | 'BYTES' | '<EOF>' | Operator

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly offset: number
}

const OPERATORS = [
  '==', '!=', '<=', '>=', '&&', '||', '<', '>', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%',
] as const // biome-ignore format: a table
type Operator = (typeof OPERATORS)[number] | 'in' | 'true' | 'false' | 'null'
const KEYWORDS: ReadonlySet<string> = new Set(['in', 'true', 'false', 'null'])

const BLANK = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y
const FLOAT = /(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)/y
const INTEGER = /(?:0x[0-9a-fA-F]+|[0-9]+)([uU]?)/y
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y
const ESCAPED_IDENTIFIER = /`[A-Za-z0-9_.\-/ ]+`/y
const ESCAPE = String.raw`\\(?:[abfnrtv"'\\?${'`'}]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})`
const TEXTS = [
  String.raw`[rR]"""[\s\S]*?"""`,
  String.raw`[rR]'''[\s\S]*?'''`,
  String.raw`"""(?:${ESCAPE}|[^\\])*?"""`,
  String.raw`'''(?:${ESCAPE}|[^\\])*?'''`,
  String.raw`[rR]"[^"\n\r]*"`,
  String.raw`[rR]'[^'\n\r]*'`,
  String.raw`"(?:${ESCAPE}|[^\\"\n\r])*"`,
  String.raw`'(?:${ESCAPE}|[^\\'\n\r])*'`,
]
const STRING = new RegExp(`(?:${TEXTS.join('|')})`, 'y')
const BYTES = new RegExp(`[bB](?:${TEXTS.join('|')})`, 'y')

/** Cuts an expression into tokens, the last of which is `<EOF>`. What is no token is an issue, and left out. */
export function tokenize(source: string, issues: Issue[]): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  const take = (kind: TokenKind, text: string) => {
    tokens.push({ kind, text, offset: at })
    at += text.length
  }
  while (at < source.length) {
    const blank = match(BLANK)
    if (blank !== undefined) {
      at += blank.length
      continue
    }
    const bytes = match(BYTES)
    if (bytes !== undefined) {
      take('BYTES', bytes)
      continue
    }
    const text = match(STRING)
    if (text !== undefined) {
      take('STRING', text)
      continue
    }
    const float = match(FLOAT)
    if (float !== undefined) {
      take('NUM_FLOAT', float)
      continue
    }
    const integer = match(INTEGER)
    if (integer !== undefined) {
      take(/[uU]$/.test(integer) ? 'NUM_UINT' : 'NUM_INT', integer)
      continue
    }
    const word = match(IDENTIFIER)
    if (word !== undefined) {
      take(KEYWORDS.has(word) ? (word as Operator) : 'IDENTIFIER', word)
      continue
    }
    const escaped = match(ESCAPED_IDENTIFIER)
    if (escaped !== undefined) {
      take('ESC_IDENTIFIER', escaped)
      continue
    }
    const operator = OPERATORS.find(candidate => source.startsWith(candidate, at))
    if (operator !== undefined) {
      take(operator, operator)
      continue
    }
    const unknown = unknownText(source, at)
    issues.push({ offset: at, message: `Syntax error: token recognition error at: '${unknown}'` })
    at += unknown.length
  }
  tokens.push({ kind: '<EOF>', text: '<EOF>', offset: source.length })
  return tokens
}

/** What the lexer had read when it gave up: half an operator takes the character after it along; a text without end, the rest of its line. */
function unknownText(source: string, at: number): string {
  const first = source[at]!
  if (first === '"' || first === "'") return brokenText(source, at, first)
  const length = (character: string | undefined) => (character === undefined ? 0 : String.fromCodePoint(character.codePointAt(0)!).length)
  const own = length(String.fromCodePoint(source.codePointAt(at)!))
  if ('&|=`'.includes(first) && at + own < source.length)
    return source.slice(at, at + own + length(String.fromCodePoint(source.codePointAt(at + own)!)))
  return source.slice(at, at + own)
}

/** A text up to what cannot be in it: the end of its line, an escape that there is not. */
function brokenText(source: string, at: number, quote: string): string {
  let end = at + 1
  while (end < source.length) {
    const character = source[end]!
    if (character === '\n' || character === '\r') return source.slice(at, end + 1)
    if (character === quote && end > at + 1) return source.slice(at, end)
    if (character !== '\\') {
      end++
      continue
    }
    ESCAPE_START.lastIndex = end
    const start = ESCAPE_START.exec(source)![0]
    WHOLE_ESCAPE.lastIndex = end
    const whole = WHOLE_ESCAPE.exec(source)
    if (whole === null) return source.slice(at, end + start.length + 1)
    end += whole[0].length
  }
  return source.slice(at)
}

const WHOLE_ESCAPE = new RegExp(ESCAPE, 'y')
/** As far as an escape that goes wrong is right. */
const ESCAPE_START = /\\(?:[0-3][0-7]?|[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7})?/y
