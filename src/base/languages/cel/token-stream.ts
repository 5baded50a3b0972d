import { type Token, type TokenKind, tokenize } from './lexer.ts'
import type { Issue } from './source.ts'

/** Parsing cannot go on; the reason is among the issues. */
export class Stop extends Error {}

/** What an expression may start with. */
export const EXPRESSION_START: readonly TokenKind[] = [
  '[', '{', '(', '.', '-', '!', 'true', 'false', 'null', 'NUM_FLOAT', 'NUM_INT', 'NUM_UINT', 'STRING', 'BYTES', 'IDENTIFIER',
] // biome-ignore format: a table

/** The tokens of a source, read one after the other. Where one does not fit, it is told of and mended as ANTLR does. */
export class TokenStream {
  readonly issues: Issue[] = []
  readonly #tokens: readonly Token[]
  #at = 0
  /** A syntax error was told, and nothing fitted since: more of them would say nothing new. */
  #isRecovering = false
  /** What may follow the innermost bracket that is open. */
  readonly #closers: TokenKind[] = ['<EOF>']

  constructor(source: string) {
    this.#tokens = tokenize(source, this.issues)
  }

  get token(): Token {
    return this.#tokens[this.#at]!
  }

  peek(ahead = 1): TokenKind {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!.kind
  }

  textAt(ahead: number): string {
    return this.#tokens[this.#at + ahead]!.text
  }

  skip(count: number): void {
    this.#at += count
  }

  is(kind: TokenKind): boolean {
    return this.token.kind === kind
  }

  take(): Token {
    const token = this.token
    this.#isRecovering = false
    if (this.#at < this.#tokens.length - 1) this.#at++
    return token
  }

  /** Takes a token of a kind, or does what ANTLR does: drops one that is too many, makes up one that is missing, or gives up. */
  match(kind: TokenKind, follow: readonly TokenKind[]): Token {
    const token = this.token
    if (token.kind === kind) return this.take()
    if (token.kind !== '<EOF>' && this.peek() === kind) {
      this.drop([kind])
      return this.take()
    }
    if (follow.includes(token.kind)) {
      this.syntaxError(token, `missing ${quoted([kind])} at '${token.text}'`)
      throw new Stop()
    }
    return this.mismatch([kind])
  }

  /** Leaves out a token that is too many. */
  drop(expected: readonly TokenKind[]): void {
    this.syntaxError(this.token, `extraneous input '${this.token.text}' expecting ${quoted(expected)}`)
    this.take()
  }

  mismatch(expected: readonly TokenKind[]): never {
    this.syntaxError(this.token, `mismatched input '${this.token.text}' expecting ${quoted(expected)}`)
    throw new Stop()
  }

  syntaxError(token: Token, message: string): void {
    if (this.#isRecovering) return
    this.#isRecovering = true
    this.issues.push({ offset: token.offset, message: `Syntax error: ${message}` })
  }

  /** Sees to it that an expression starts here: one token too many is dropped. False where none starts, but what is around it may go on. */
  expectStart(others: readonly TokenKind[] = []): boolean {
    const expected = [...EXPRESSION_START, ...others]
    if (expected.includes(this.token.kind)) return true
    if (!this.is('<EOF>') && expected.includes(this.peek())) {
      this.drop(expected)
      return true
    }
    if (!RESUMED.has(this.token.kind) && !this.#closers.includes(this.token.kind)) this.mismatch(expected)
    if (this.is('<EOF>')) this.mismatch(expected)
    this.syntaxError(this.token, `mismatched input '${this.token.text}' expecting ${quoted(expected)}`)
    return false
  }

  /** Takes the comma between two entries. */
  expectSeparator(closer: ']' | '}'): void {
    if (this.is(',')) {
      this.take()
      return
    }
    const expected: TokenKind[] = [closer, ',']
    if (!this.is('<EOF>') && expected.includes(this.peek())) {
      this.drop(expected)
      if (this.is(',')) this.take()
      return
    }
    this.mismatch(expected)
  }

  /** Parses what stands before a closing bracket. */
  within<T>(closer: TokenKind, parsePart: () => T): T {
    this.#closers.push(closer)
    const part = parsePart()
    this.#closers.pop()
    return part
  }

  /** What may follow the bracket that closes here. */
  afterClosing(): readonly TokenKind[] {
    const closer = this.#closers.at(-1)!
    return [...AFTER_EXPRESSION, closer, ...(closer === '<EOF>' ? [] : [',' as const])]
  }
}

/** In ANTLR's order, in which it lists what it expected. */
const TOKEN_ORDER: readonly TokenKind[] = [
  '<EOF>', '==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%', 'true',
  'false', 'null', 'NUM_FLOAT', 'NUM_INT', 'NUM_UINT', 'STRING', 'BYTES', 'IDENTIFIER', 'ESC_IDENTIFIER',
] // biome-ignore format: a table
const AFTER_EXPRESSION: readonly TokenKind[] = ['==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||', '[', '.', '-', '?', '+', '*', '/', '%']

/** Where one of these stands instead of an expression, what is around it goes on with it. */
const RESUMED: ReadonlySet<TokenKind> = new Set<TokenKind>([
  '==',
  '!=',
  'in',
  '<',
  '<=',
  '>=',
  '>',
  '&&',
  '||',
  '?',
  '+',
  '*',
  '/',
  '%',
  ')',
  ']',
  '}',
])

/** What was expected, as ANTLR writes a set of tokens. */
function quoted(kinds: readonly TokenKind[]): string {
  const names = TOKEN_ORDER.filter(kind => kinds.includes(kind)).map(kind => (/^(<EOF>|[A-Z_]+)$/.test(kind) ? kind : `'${kind}'`))
  return names.length === 1 ? names[0]! : `{${names.join(', ')}}`
}
