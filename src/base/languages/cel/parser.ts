import { type Ast, type Expression, type MapEntry, qualifiedName, type StructField } from './ast.ts'
import { RESERVED } from './identifier.ts'
import type { Token, TokenKind } from './lexer.ts'
import { type Macro, MacroError } from './macro.ts'
import { NodeMaker } from './node-maker.ts'
import type { Issue } from './source.ts'
import { EXPRESSION_START, Stop, TokenStream } from './token-stream.ts'
import { LiteralError, unquoteBytes, unquoteString } from './unescape.ts'
import { CelUint, type CelValue } from './values.ts'

/** What cel-go takes by default. */
const MAX_CODE_POINTS = 100_000
const MAX_DEPTH = 250

/** Parses an expression, macros expanded. Issues are worded as ANTLR words them for cel-go. */
export function parse(
  source: string,
  macros: ReadonlyMap<string, Macro>,
  options: { readonly quotedNames?: boolean } = {},
): { readonly ast: Ast } | { readonly issues: readonly Issue[] } {
  const size = source.length <= MAX_CODE_POINTS ? 0 : [...source].length
  if (size > MAX_CODE_POINTS) {
    return { issues: [{ offset: undefined, message: `expression code point size exceeds limit: size: ${size}, limit ${MAX_CODE_POINTS}` }] }
  }
  const parser = new Parser(source, macros, options.quotedNames ?? false)
  const expression = parser.parseAll()
  return expression === undefined || parser.issues.length > 0
    ? { issues: parser.issues }
    : { ast: { source, expression, offsets: parser.offsets } }
}

/** The name under which macros are looked up. */
export function macroKey(name: string, arity: number | undefined, isMember: boolean): string {
  return `${name}/${arity ?? '*'}/${isMember}`
}

const RELATIONS: ReadonlySet<TokenKind> = new Set<TokenKind>(['<', '<=', '>=', '>', '==', '!=', 'in'])
const SUMS: ReadonlySet<TokenKind> = new Set<TokenKind>(['+', '-'])
const PRODUCTS: ReadonlySet<TokenKind> = new Set<TokenKind>(['*', '/', '%'])
const FUNCTION_OF: Readonly<Partial<Record<TokenKind, string>>> = {
  '<': '_<_', '<=': '_<=_', '>=': '_>=_', '>': '_>_', '==': '_==_', '!=': '_!=_', in: '@in', '+': '_+_', '-': '_-_', '*': '_*_', '/': '_/_',
  '%': '_%_',
} // biome-ignore format: a table

class Parser {
  readonly #macros: ReadonlyMap<string, Macro>
  readonly #quotedNames: boolean
  readonly #tokens: TokenStream
  readonly #nodes = new NodeMaker()
  #depth = 0

  constructor(source: string, macros: ReadonlyMap<string, Macro>, quotedNames: boolean) {
    this.#macros = macros
    this.#quotedNames = quotedNames
    this.#tokens = new TokenStream(source)
  }

  /** What was wrong with the source. */
  get issues(): readonly Issue[] {
    return this.#tokens.issues
  }

  /** By the ids of nodes. */
  get offsets(): ReadonlyMap<number, number> {
    return this.#nodes.offsets
  }

  parseAll(): Expression | undefined {
    try {
      const expression = this.#expression()
      this.#tokens.match('<EOF>', [])
      return expression
    } catch (error) {
      if (error instanceof Stop) return undefined
      throw error
    }
  }

  #deeper<T>(parsePart: () => T): T {
    if (++this.#depth >= MAX_DEPTH) {
      this.#tokens.issues.push({ offset: undefined, message: `expression recursion limit exceeded: ${MAX_DEPTH}` })
      throw new Stop()
    }
    const part = parsePart()
    this.#depth--
    return part
  }

  #checkLength(length: number): void {
    if (length < MAX_DEPTH) return
    this.#tokens.issues.push({ offset: undefined, message: 'max recursion depth exceeded' })
    throw new Stop()
  }

  #expression(): Expression {
    return this.#deeper(() => {
      const condition = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()))
      if (!this.#tokens.is('?')) return condition
      const id = this.#nodes.idOf(this.#tokens.take())
      const ifTrue = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()))
      this.#tokens.match(':', EXPRESSION_START)
      return this.#call(id, '_?_:_', undefined, [condition, ifTrue, this.#expression()])
    })
  }

  /** A chain of one logical operator, as a tree of little depth. */
  #logical(operator: '||' | '&&', name: string, part: () => Expression): Expression {
    const terms = [part()]
    const ids: number[] = []
    while (this.#tokens.is(operator)) {
      const token = this.#tokens.take()
      terms.push(part())
      ids.push(this.#nodes.idOf(token))
    }
    const balanced = (from: number, to: number): Expression => {
      if (from === to) return terms[from]!
      const middle = Math.floor((from + to + 1) / 2)
      return this.#call(ids[middle - 1]!, name, undefined, [balanced(from, middle - 1), balanced(middle, to)])
    }
    return balanced(0, terms.length - 1)
  }

  #relation(): Expression {
    return this.#chain(RELATIONS, () => this.#chain(SUMS, () => this.#chain(PRODUCTS, () => this.#unary())))
  }

  /** Operators of one rank, from left to right. */
  #chain(operators: ReadonlySet<TokenKind>, part: () => Expression): Expression {
    let left = part()
    for (let length = 1; operators.has(this.#tokens.token.kind); length++) {
      this.#checkLength(length)
      const token = this.#tokens.take()
      const id = this.#nodes.idOf(token)
      left = this.#call(id, FUNCTION_OF[token.kind]!, undefined, [left, part()])
    }
    return left
  }

  #unary(): Expression {
    if (!this.#tokens.expectStart()) return this.#nothing()
    const operator = this.#tokens.token.kind
    const isSignedLiteral = operator === '-' && (this.#tokens.peek() === 'NUM_INT' || this.#tokens.peek() === 'NUM_FLOAT')
    if ((operator !== '!' && operator !== '-') || isSignedLiteral) return this.#member()
    const first = this.#tokens.token
    let count = 0
    while (this.#tokens.is(operator)) {
      this.#tokens.take()
      count++
    }
    // ANTLR cannot tell a sign from the start of a number, and says so beside what is missing.
    if (operator === '-' && this.#tokens.is('<EOF>')) {
      this.#tokens.issues.push({ offset: this.#tokens.token.offset, message: "Syntax error: no viable alternative at input '-'" })
    }
    if (!this.#tokens.expectStart()) return this.#nothing()
    if (count % 2 === 0) return this.#member()
    const id = this.#nodes.idOf(first)
    return this.#call(id, operator === '!' ? '!_' : '-_', undefined, [this.#member()])
  }

  /** Stands for an expression that is not there; what is wrong was said. */
  #nothing(): Expression {
    return this.#nodes.node({ kind: 'literal', value: null }, this.#nodes.newId(this.#tokens.token.offset))
  }

  #member(): Expression {
    let operand = this.#primary()
    for (let length = 1; ; length++) {
      if (this.#tokens.is('.')) operand = this.#selection(operand)
      else if (this.#tokens.is('[')) operand = this.#index(operand)
      else return operand
      this.#checkLength(length)
    }
  }

  #selection(operand: Expression): Expression {
    const dot = this.#tokens.take()
    const isOptional = this.#tokens.is('?')
    if (isOptional) this.#tokens.take()
    if (!this.#tokens.is('IDENTIFIER') && !this.#tokens.is('ESC_IDENTIFIER')) {
      // After plain names ANTLR still has the name of a message in mind.
      if (!this.#tokens.is('<EOF>') && qualifiedName(operand) !== undefined) this.#tokens.mismatch(['IDENTIFIER'])
      this.#tokens.syntaxError(
        this.#tokens.token,
        `no viable alternative at input '.${this.#tokens.is('<EOF>') ? '' : this.#tokens.token.text}'`,
      )
      throw new Stop()
    }
    const name = this.#tokens.take()
    const isEscaped = name.kind === 'ESC_IDENTIFIER'
    this.#checkQuoted(name)
    const field = isEscaped ? name.text.slice(1, -1) : name.text
    if (!isEscaped && !isOptional && this.#tokens.is('(')) {
      const open = this.#tokens.take()
      const id = this.#nodes.idOf(open)
      return this.#call(id, field, operand, this.#arguments())
    }
    const id = this.#nodes.idOf(dot)
    if (!isOptional) return this.#nodes.node({ kind: 'select', operand, field, testOnly: false }, id)
    return this.#call(id, '_?._', undefined, [operand, this.#nodes.node({ kind: 'literal', value: field }, this.#nodes.idOf(name))])
  }

  #checkQuoted(name: Token): void {
    if (name.kind === 'ESC_IDENTIFIER' && !this.#quotedNames)
      this.#tokens.issues.push({ offset: name.offset, message: "unsupported syntax: '`'" })
  }

  #index(operand: Expression): Expression {
    const id = this.#nodes.idOf(this.#tokens.take())
    const isOptional = this.#tokens.is('?')
    if (isOptional) this.#tokens.take()
    const index = this.#tokens.within(']', () => this.#expression())
    this.#tokens.match(']', this.#tokens.afterClosing())
    return this.#call(id, isOptional ? '_[?_]' : '_[_]', undefined, [operand, index])
  }

  #arguments(): Expression[] {
    const args: Expression[] = []
    if (!this.#tokens.is(')')) {
      this.#tokens.expectStart([')'])
      this.#tokens.within(')', () => {
        if (this.#tokens.is(')')) return
        args.push(this.#expression())
        while (this.#tokens.is(',')) {
          this.#tokens.take()
          args.push(this.#expression())
        }
      })
    }
    this.#tokens.match(')', this.#tokens.afterClosing())
    return args
  }

  #primary(): Expression {
    const token = this.#tokens.token
    switch (token.kind) {
      case '(': {
        this.#tokens.take()
        const inner = this.#tokens.within(')', () => this.#expression())
        this.#tokens.match(')', this.#tokens.afterClosing())
        return inner
      }
      case '[':
        return this.#list()
      case '{':
        return this.#map()
      case '.':
      case 'IDENTIFIER':
        return this.#name()
      default:
        return this.#literal()
    }
  }

  #name(): Expression {
    const start = this.#tokens.token
    const hasDot = this.#tokens.is('.')
    if (hasDot) this.#tokens.take()
    const first = this.#tokens.match('IDENTIFIER', [])
    const message = this.#messageName(first)
    if (message !== undefined) {
      const id = this.#nodes.idOf(this.#tokens.take())
      return this.#nodes.node({ kind: 'struct', typeName: `${hasDot ? '.' : ''}${message}`, fields: this.#structFields() }, id)
    }
    const name = `${hasDot ? '.' : ''}${first.text}`
    if (RESERVED.has(first.text)) {
      this.#tokens.issues.push({ offset: start.offset, message: `reserved identifier: ${first.text}` })
      if (this.#tokens.is('(')) {
        this.#tokens.take()
        this.#arguments()
      }
      return this.#nodes.node({ kind: 'literal', value: null }, this.#nodes.idOf(first))
    }
    if (this.#tokens.is('(')) {
      const id = this.#nodes.idOf(this.#tokens.take())
      return this.#call(id, name, undefined, this.#arguments())
    }
    return this.#nodes.node({ kind: 'ident', name }, this.#nodes.idOf(first))
  }

  /** If `a.b.c{` stands here: its name, up to the brace. */
  #messageName(first: Token): string | undefined {
    let ahead = 0
    let name = first.text
    while (this.#tokens.peek(ahead) === '.' && this.#tokens.peek(ahead + 1) === 'IDENTIFIER') {
      name += `.${this.#tokens.textAt(ahead + 1)}`
      ahead += 2
    }
    if (this.#tokens.peek(ahead) !== '{') return undefined
    this.#tokens.skip(ahead)
    return name
  }

  #structFields(): StructField[] {
    const fields: StructField[] = []
    this.#tokens.within('}', () => {
      while (!this.#tokens.is('}')) {
        if (fields.length > 0) {
          this.#tokens.expectSeparator('}')
          if (this.#tokens.is('}')) break
        }
        if (fields.length === 0 && this.#tokens.is(',') && this.#tokens.peek() === '}') {
          this.#tokens.take()
          break
        }
        const isOptional = this.#tokens.is('?')
        if (isOptional) this.#tokens.take()
        if (!this.#tokens.is('IDENTIFIER') && !this.#tokens.is('ESC_IDENTIFIER')) {
          const names: readonly TokenKind[] = isOptional ? ['IDENTIFIER', 'ESC_IDENTIFIER'] : ['?', 'IDENTIFIER', 'ESC_IDENTIFIER']
          const expected: readonly TokenKind[] = fields.length === 0 && !isOptional ? ['}', ',', ...names] : names
          if (!expected.includes(this.#tokens.peek())) this.#tokens.mismatch(expected)
          this.#tokens.drop(expected)
          continue
        }
        const token = this.#tokens.take()
        this.#checkQuoted(token)
        const name = token.kind === 'ESC_IDENTIFIER' ? token.text.slice(1, -1) : token.text
        const colon = this.#tokens.match(':', EXPRESSION_START)
        const id = this.#nodes.idOf(colon)
        fields.push({ id, name, value: this.#expression(), optional: isOptional })
      }
    })
    this.#tokens.match('}', this.#tokens.afterClosing())
    return fields
  }

  #list(): Expression {
    const id = this.#nodes.idOf(this.#tokens.take())
    const elements: Expression[] = []
    const optionals = new Set<number>()
    this.#tokens.within(']', () => {
      if (!this.#tokens.is(']') && !this.#tokens.is(',')) this.#tokens.expectStart([']', ',', '?'])
      while (!this.#tokens.is(']')) {
        if (elements.length > 0) {
          this.#tokens.expectSeparator(']')
          if (this.#tokens.is(']')) break
        } else if (this.#tokens.is(',') && this.#tokens.peek() === ']') {
          this.#tokens.take()
          break
        }
        if (this.#tokens.is('?')) {
          this.#tokens.take()
          optionals.add(elements.length)
        }
        elements.push(this.#expression())
      }
    })
    this.#tokens.match(']', this.#tokens.afterClosing())
    return this.#nodes.node({ kind: 'list', elements, optionals }, id)
  }

  #map(): Expression {
    const id = this.#nodes.idOf(this.#tokens.take())
    const entries: MapEntry[] = []
    this.#tokens.within('}', () => {
      if (!this.#tokens.is('}') && !this.#tokens.is(',')) this.#tokens.expectStart(['}', ',', '?'])
      while (!this.#tokens.is('}')) {
        if (entries.length > 0) {
          this.#tokens.expectSeparator('}')
          if (this.#tokens.is('}')) break
        } else if (this.#tokens.is(',') && this.#tokens.peek() === '}') {
          this.#tokens.take()
          break
        }
        const isOptional = this.#tokens.is('?')
        if (isOptional) this.#tokens.take()
        const key = this.#expression()
        const colon = this.#tokens.match(':', EXPRESSION_START)
        const entryId = this.#nodes.idOf(colon)
        entries.push({ id: entryId, key, value: this.#expression(), optional: isOptional })
      }
    })
    this.#tokens.match('}', this.#tokens.afterClosing())
    return this.#nodes.node({ kind: 'map', entries }, id)
  }

  #literal(): Expression {
    const start = this.#tokens.token
    const isNegative = this.#tokens.is('-')
    if (isNegative) this.#tokens.take()
    const token = this.#tokens.take()
    const literal = (value: CelValue) => this.#nodes.node({ kind: 'literal', value }, this.#nodes.idOf(start))
    const fail = (message: string) => {
      this.#tokens.issues.push({ offset: start.offset, message })
      return literal(null)
    }
    switch (token.kind) {
      case 'NUM_INT': {
        const value = isNegative ? -BigInt(token.text) : BigInt(token.text)
        return BigInt.asIntN(64, value) === value ? literal(value) : fail('invalid int literal')
      }
      case 'NUM_UINT': {
        const value = BigInt(token.text.slice(0, -1))
        return BigInt.asUintN(64, value) === value ? literal(new CelUint(value)) : fail('invalid uint literal')
      }
      case 'NUM_FLOAT': {
        const value = Number(token.text)
        return Number.isFinite(value) ? literal(isNegative ? -value : value) : fail('invalid double literal')
      }
      case 'true':
        return literal(true)
      case 'false':
        return literal(false)
      case 'null':
        return literal(null)
      default:
        try {
          return literal(token.kind === 'BYTES' ? unquoteBytes(token.text) : unquoteString(token.text))
        } catch (error) {
          if (error instanceof LiteralError) return fail(error.message)
          throw error
        }
    }
  }

  #call(id: number, name: string, target: Expression | undefined, args: readonly Expression[]): Expression {
    const isMember = target !== undefined
    const macro = this.#macros.get(macroKey(name, args.length, isMember)) ?? this.#macros.get(macroKey(name, undefined, isMember))
    if (macro !== undefined) {
      try {
        const expanded = macro.expand(this.#nodes.maker(id), target, args)
        if (expanded !== undefined) return expanded
      } catch (error) {
        if (!(error instanceof MacroError)) throw error
        this.#tokens.issues.push({ offset: this.#nodes.offsets.get(error.at?.id ?? id), message: error.message })
        return this.#nodes.node({ kind: 'literal', value: null }, id)
      }
    }
    return { id, kind: 'call', function: name, target, arguments: args }
  }
}
