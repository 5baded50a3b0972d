import { type Ast, type Expression, type MapEntry, qualifiedName, type StructField } from './ast.ts'
import { type Token, type TokenKind, tokenize } from './lexer.ts'
import { ACCUMULATOR, type ExpressionMaker, type Macro, MacroError } from './macro.ts'
import type { Issue } from './source.ts'
import { LiteralError, unquoteBytes, unquoteString } from './unescape.ts'
import { CelUint, type CelValue } from './values.ts'

/** What cel-go takes by default. */
const MAX_CODE_POINTS = 100_000
const MAX_DEPTH = 250

/** Cannot stand for a variable. */
const RESERVED: ReadonlySet<string> = new Set([
  'as', 'break', 'const', 'continue', 'else', 'false', 'for', 'function', 'if', 'import', 'in', 'let', 'loop', 'package', 'namespace',
  'null', 'return', 'true', 'var', 'void', 'while',
]) // biome-ignore format: a table

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

/** Parsing cannot go on; the reason is among the issues. */
class Stop extends Error {}

/** In ANTLR's order, in which it lists what it expected. */
const TOKEN_ORDER: readonly TokenKind[] = [
  '<EOF>', '==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%', 'true',
  'false', 'null', 'NUM_FLOAT', 'NUM_INT', 'NUM_UINT', 'STRING', 'BYTES', 'IDENTIFIER', 'ESC_IDENTIFIER',
] // biome-ignore format: a table
const EXPRESSION_START: readonly TokenKind[] = [
  '[', '{', '(', '.', '-', '!', 'true', 'false', 'null', 'NUM_FLOAT', 'NUM_INT', 'NUM_UINT', 'STRING', 'BYTES', 'IDENTIFIER',
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
const RELATIONS: ReadonlySet<TokenKind> = new Set<TokenKind>(['<', '<=', '>=', '>', '==', '!=', 'in'])
const FUNCTION_OF: Readonly<Partial<Record<TokenKind, string>>> = {
  '<': '_<_', '<=': '_<=_', '>=': '_>=_', '>': '_>_', '==': '_==_', '!=': '_!=_', in: '@in', '+': '_+_', '-': '_-_', '*': '_*_', '/': '_/_',
  '%': '_%_',
} // biome-ignore format: a table

class Parser {
  readonly issues: Issue[] = []
  readonly offsets = new Map<number, number>()
  readonly #macros: ReadonlyMap<string, Macro>
  readonly #tokens: readonly Token[]
  #at = 0
  #nextId = 1
  #depth = 0
  readonly #quotedNames: boolean
  /** A syntax error was told, and nothing fitted since: more of them would say nothing new. */
  #isRecovering = false
  /** What may follow the innermost bracket that is open. */
  readonly #closers: TokenKind[] = ['<EOF>']

  constructor(source: string, macros: ReadonlyMap<string, Macro>, quotedNames: boolean) {
    this.#macros = macros
    this.#quotedNames = quotedNames
    this.#tokens = tokenize(source, this.issues)
  }

  parseAll(): Expression | undefined {
    try {
      const expression = this.#expression()
      this.#match('<EOF>', [])
      return expression
    } catch (error) {
      if (error instanceof Stop) return undefined
      throw error
    }
  }

  get #token(): Token {
    return this.#tokens[this.#at]!
  }

  #peek(ahead = 1): TokenKind {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!.kind
  }

  #is(kind: TokenKind): boolean {
    return this.#token.kind === kind
  }

  #take(): Token {
    const token = this.#token
    this.#isRecovering = false
    if (this.#at < this.#tokens.length - 1) this.#at++
    return token
  }

  /** Takes a token of a kind, or does what ANTLR does: drops one that is too many, makes up one that is missing, or gives up. */
  #match(kind: TokenKind, follow: readonly TokenKind[]): Token {
    const token = this.#token
    if (token.kind === kind) return this.#take()
    if (token.kind !== '<EOF>' && this.#peek() === kind) {
      this.#syntaxError(token, `extraneous input '${token.text}' expecting ${quoted([kind])}`)
      this.#take()
      return this.#take()
    }
    if (follow.includes(token.kind)) {
      this.#syntaxError(token, `missing ${quoted([kind])} at '${token.text}'`)
      throw new Stop()
    }
    return this.#mismatch([kind])
  }

  #mismatch(expected: readonly TokenKind[]): never {
    this.#syntaxError(this.#token, `mismatched input '${this.#token.text}' expecting ${quoted(expected)}`)
    throw new Stop()
  }

  #syntaxError(token: Token, message: string): void {
    if (this.#isRecovering) return
    this.#isRecovering = true
    this.issues.push({ offset: token.offset, message: `Syntax error: ${message}` })
  }

  /** Sees to it that an expression starts here: one token too many is dropped. False where none starts, but what is around it may go on. */
  #expectStart(others: readonly TokenKind[] = []): boolean {
    const expected = [...EXPRESSION_START, ...others]
    if (expected.includes(this.#token.kind)) return true
    if (!this.#is('<EOF>') && expected.includes(this.#peek())) {
      this.#syntaxError(this.#token, `extraneous input '${this.#token.text}' expecting ${quoted(expected)}`)
      this.#take()
      return true
    }
    if (!RESUMED.has(this.#token.kind) && !this.#closers.includes(this.#token.kind)) this.#mismatch(expected)
    if (this.#is('<EOF>')) this.#mismatch(expected)
    this.#syntaxError(this.#token, `mismatched input '${this.#token.text}' expecting ${quoted(expected)}`)
    return false
  }

  #deeper<T>(parsePart: () => T): T {
    if (++this.#depth >= MAX_DEPTH) {
      this.issues.push({ offset: undefined, message: `expression recursion limit exceeded: ${MAX_DEPTH}` })
      throw new Stop()
    }
    const part = parsePart()
    this.#depth--
    return part
  }

  #checkLength(length: number): void {
    if (length < MAX_DEPTH) return
    this.issues.push({ offset: undefined, message: 'max recursion depth exceeded' })
    throw new Stop()
  }

  #expression(): Expression {
    return this.#deeper(() => {
      const condition = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()))
      if (!this.#is('?')) return condition
      const id = this.#idOf(this.#take())
      const ifTrue = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()))
      this.#match(':', EXPRESSION_START)
      return this.#call(id, '_?_:_', undefined, [condition, ifTrue, this.#expression()])
    })
  }

  /** A chain of one logical operator, as a tree of little depth. */
  #logical(operator: '||' | '&&', name: string, part: () => Expression): Expression {
    const terms = [part()]
    const ids: number[] = []
    while (this.#is(operator)) {
      const token = this.#take()
      terms.push(part())
      ids.push(this.#idOf(token))
    }
    const balanced = (from: number, to: number): Expression => {
      if (from === to) return terms[from]!
      const middle = Math.floor((from + to + 1) / 2)
      return this.#call(ids[middle - 1]!, name, undefined, [balanced(from, middle - 1), balanced(middle, to)])
    }
    return balanced(0, terms.length - 1)
  }

  #relation(): Expression {
    let left = this.#sum()
    for (let length = 1; RELATIONS.has(this.#token.kind); length++) {
      this.#checkLength(length)
      const token = this.#take()
      const id = this.#idOf(token)
      left = this.#call(id, FUNCTION_OF[token.kind]!, undefined, [left, this.#sum()])
    }
    return left
  }

  #sum(): Expression {
    let left = this.#product()
    for (let length = 1; this.#is('+') || this.#is('-'); length++) {
      this.#checkLength(length)
      const token = this.#take()
      const id = this.#idOf(token)
      left = this.#call(id, FUNCTION_OF[token.kind]!, undefined, [left, this.#product()])
    }
    return left
  }

  #product(): Expression {
    let left = this.#unary()
    for (let length = 1; this.#is('*') || this.#is('/') || this.#is('%'); length++) {
      this.#checkLength(length)
      const token = this.#take()
      const id = this.#idOf(token)
      left = this.#call(id, FUNCTION_OF[token.kind]!, undefined, [left, this.#unary()])
    }
    return left
  }

  #unary(): Expression {
    if (!this.#expectStart()) return this.#nothing()
    const operator = this.#token.kind
    const isSignedLiteral = operator === '-' && (this.#peek() === 'NUM_INT' || this.#peek() === 'NUM_FLOAT')
    if ((operator !== '!' && operator !== '-') || isSignedLiteral) return this.#member()
    const first = this.#token
    let count = 0
    while (this.#is(operator)) {
      this.#take()
      count++
    }
    // ANTLR cannot tell a sign from the start of a number, and says so beside what is missing.
    if (operator === '-' && this.#is('<EOF>')) {
      this.issues.push({ offset: this.#token.offset, message: "Syntax error: no viable alternative at input '-'" })
    }
    if (!this.#expectStart()) return this.#nothing()
    if (count % 2 === 0) return this.#member()
    const id = this.#idOf(first)
    return this.#call(id, operator === '!' ? '!_' : '-_', undefined, [this.#member()])
  }

  /** Stands for an expression that is not there; what is wrong was said. */
  #nothing(): Expression {
    return this.#node({ kind: 'literal', value: null }, this.#newId(this.#token.offset))
  }

  #member(): Expression {
    let operand = this.#primary()
    for (let length = 1; ; length++) {
      if (this.#is('.')) operand = this.#selection(operand)
      else if (this.#is('[')) operand = this.#index(operand)
      else return operand
      this.#checkLength(length)
    }
  }

  #selection(operand: Expression): Expression {
    const dot = this.#take()
    const isOptional = this.#is('?')
    if (isOptional) this.#take()
    if (!this.#is('IDENTIFIER') && !this.#is('ESC_IDENTIFIER')) {
      // After plain names ANTLR still has the name of a message in mind.
      if (!this.#is('<EOF>') && qualifiedName(operand) !== undefined) this.#mismatch(['IDENTIFIER'])
      this.#syntaxError(this.#token, `no viable alternative at input '.${this.#is('<EOF>') ? '' : this.#token.text}'`)
      throw new Stop()
    }
    const name = this.#take()
    const isEscaped = name.kind === 'ESC_IDENTIFIER'
    this.#checkQuoted(name)
    const field = isEscaped ? name.text.slice(1, -1) : name.text
    if (!isEscaped && !isOptional && this.#is('(')) {
      const open = this.#take()
      const id = this.#idOf(open)
      return this.#call(id, field, operand, this.#arguments())
    }
    const id = this.#idOf(dot)
    if (!isOptional) return this.#node({ kind: 'select', operand, field, testOnly: false }, id)
    return this.#call(id, '_?._', undefined, [operand, this.#node({ kind: 'literal', value: field }, this.#idOf(name))])
  }

  #checkQuoted(name: Token): void {
    if (name.kind === 'ESC_IDENTIFIER' && !this.#quotedNames) this.issues.push({ offset: name.offset, message: "unsupported syntax: '`'" })
  }

  #index(operand: Expression): Expression {
    const id = this.#idOf(this.#take())
    const isOptional = this.#is('?')
    if (isOptional) this.#take()
    const index = this.#within(']', () => this.#expression())
    this.#match(']', this.#afterClosing())
    return this.#call(id, isOptional ? '_[?_]' : '_[_]', undefined, [operand, index])
  }

  #arguments(): Expression[] {
    const args: Expression[] = []
    if (!this.#is(')')) {
      this.#expectStart([')'])
      this.#within(')', () => {
        if (this.#is(')')) return
        args.push(this.#expression())
        while (this.#is(',')) {
          this.#take()
          args.push(this.#expression())
        }
      })
    }
    this.#match(')', this.#afterClosing())
    return args
  }

  #within<T>(closer: TokenKind, parsePart: () => T): T {
    this.#closers.push(closer)
    const part = parsePart()
    this.#closers.pop()
    return part
  }

  #afterClosing(): readonly TokenKind[] {
    const closer = this.#closers.at(-1)!
    return [...AFTER_EXPRESSION, closer, ...(closer === '<EOF>' ? [] : [',' as const])]
  }

  #primary(): Expression {
    const token = this.#token
    switch (token.kind) {
      case '(': {
        this.#take()
        const inner = this.#within(')', () => this.#expression())
        this.#match(')', this.#afterClosing())
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
    const start = this.#token
    const hasDot = this.#is('.')
    if (hasDot) this.#take()
    const first = this.#match('IDENTIFIER', [])
    const message = this.#messageName(first)
    if (message !== undefined) {
      const id = this.#idOf(this.#take())
      return this.#node({ kind: 'struct', typeName: `${hasDot ? '.' : ''}${message}`, fields: this.#structFields() }, id)
    }
    const name = `${hasDot ? '.' : ''}${first.text}`
    if (RESERVED.has(first.text)) {
      this.issues.push({ offset: start.offset, message: `reserved identifier: ${first.text}` })
      if (this.#is('(')) {
        this.#take()
        this.#arguments()
      }
      return this.#node({ kind: 'literal', value: null }, this.#idOf(first))
    }
    if (this.#is('(')) {
      const id = this.#idOf(this.#take())
      return this.#call(id, name, undefined, this.#arguments())
    }
    return this.#node({ kind: 'ident', name }, this.#idOf(first))
  }

  /** If `a.b.c{` stands here: its name, up to the brace. */
  #messageName(first: Token): string | undefined {
    let ahead = 0
    let name = first.text
    while (this.#peek(ahead) === '.' && this.#peek(ahead + 1) === 'IDENTIFIER') {
      name += `.${this.#tokens[this.#at + ahead + 1]!.text}`
      ahead += 2
    }
    if (this.#peek(ahead) !== '{') return undefined
    this.#at += ahead
    return name
  }

  #structFields(): StructField[] {
    const fields: StructField[] = []
    this.#within('}', () => {
      while (!this.#is('}')) {
        if (fields.length > 0) {
          this.#expectSeparator('}')
          if (this.#is('}')) break
        }
        if (fields.length === 0 && this.#is(',') && this.#peek() === '}') {
          this.#take()
          break
        }
        const isOptional = this.#is('?')
        if (isOptional) this.#take()
        if (!this.#is('IDENTIFIER') && !this.#is('ESC_IDENTIFIER')) {
          const names: readonly TokenKind[] = isOptional ? ['IDENTIFIER', 'ESC_IDENTIFIER'] : ['?', 'IDENTIFIER', 'ESC_IDENTIFIER']
          const expected: readonly TokenKind[] = fields.length === 0 && !isOptional ? ['}', ',', ...names] : names
          if (!expected.includes(this.#peek())) this.#mismatch(expected)
          this.#syntaxError(this.#token, `extraneous input '${this.#token.text}' expecting ${quoted(expected)}`)
          this.#take()
          continue
        }
        const token = this.#take()
        this.#checkQuoted(token)
        const name = token.kind === 'ESC_IDENTIFIER' ? token.text.slice(1, -1) : token.text
        const colon = this.#match(':', EXPRESSION_START)
        const id = this.#idOf(colon)
        fields.push({ id, name, value: this.#expression(), optional: isOptional })
      }
    })
    this.#match('}', this.#afterClosing())
    return fields
  }

  #list(): Expression {
    const id = this.#idOf(this.#take())
    const elements: Expression[] = []
    const optionals = new Set<number>()
    this.#within(']', () => {
      if (!this.#is(']') && !this.#is(',')) this.#expectStart([']', ',', '?'])
      while (!this.#is(']')) {
        if (elements.length > 0) {
          this.#expectSeparator(']')
          if (this.#is(']')) break
        } else if (this.#is(',') && this.#peek() === ']') {
          this.#take()
          break
        }
        if (this.#is('?')) {
          this.#take()
          optionals.add(elements.length)
        }
        elements.push(this.#expression())
      }
    })
    this.#match(']', this.#afterClosing())
    return this.#node({ kind: 'list', elements, optionals }, id)
  }

  #map(): Expression {
    const id = this.#idOf(this.#take())
    const entries: MapEntry[] = []
    this.#within('}', () => {
      if (!this.#is('}') && !this.#is(',')) this.#expectStart(['}', ',', '?'])
      while (!this.#is('}')) {
        if (entries.length > 0) {
          this.#expectSeparator('}')
          if (this.#is('}')) break
        } else if (this.#is(',') && this.#peek() === '}') {
          this.#take()
          break
        }
        const isOptional = this.#is('?')
        if (isOptional) this.#take()
        const key = this.#expression()
        const colon = this.#match(':', EXPRESSION_START)
        const entryId = this.#idOf(colon)
        entries.push({ id: entryId, key, value: this.#expression(), optional: isOptional })
      }
    })
    this.#match('}', this.#afterClosing())
    return this.#node({ kind: 'map', entries }, id)
  }

  /** Takes the comma between two entries. */
  #expectSeparator(closer: ']' | '}'): void {
    if (this.#is(',')) {
      this.#take()
      return
    }
    const expected: TokenKind[] = [closer, ',']
    if (!this.#is('<EOF>') && expected.includes(this.#peek())) {
      this.#syntaxError(this.#token, `extraneous input '${this.#token.text}' expecting ${quoted(expected)}`)
      this.#take()
      if (this.#is(',')) this.#take()
      return
    }
    this.#mismatch(expected)
  }

  #literal(): Expression {
    const start = this.#token
    const isNegative = this.#is('-')
    if (isNegative) this.#take()
    const token = this.#take()
    const literal = (value: CelValue) => this.#node({ kind: 'literal', value }, this.#idOf(start))
    const fail = (message: string) => {
      this.issues.push({ offset: start.offset, message })
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
        const expanded = macro.expand(this.#maker(id), target, args)
        if (expanded !== undefined) return expanded
      } catch (error) {
        if (!(error instanceof MacroError)) throw error
        this.issues.push({ offset: this.offsets.get(error.at?.id ?? id), message: error.message })
        return this.#node({ kind: 'literal', value: null }, id)
      }
    }
    return { id, kind: 'call', function: name, target, arguments: args }
  }

  #maker(callId: number): ExpressionMaker {
    const id = () => this.#newId(this.offsets.get(callId)!)
    return {
      literal: value => ({ id: id(), kind: 'literal', value }),
      ident: name => ({ id: id(), kind: 'ident', name }),
      select: (operand, field, testOnly = false) => ({ id: id(), kind: 'select', operand, field, testOnly }),
      call: (name, ...args) => ({ id: id(), kind: 'call', function: name, target: undefined, arguments: args }),
      member: (name, target, ...args) => ({ id: id(), kind: 'call', function: name, target, arguments: args }),
      list: (...elements) => ({ id: id(), kind: 'list', elements, optionals: new Set() }),
      map: () => ({ id: id(), kind: 'map', entries: [] }),
      copy: expression => this.#copy(expression),
      fold: ({ variable2, accumulator = ACCUMULATOR, ...parts }) => ({
        id: id(),
        kind: 'comprehension',
        ...parts,
        variable2,
        accumulator,
      }),
    }
  }

  #copy(node: Expression): Expression {
    const id = this.#newId(this.offsets.get(node.id)!)
    const copy = (child: Expression) => this.#copy(child)
    switch (node.kind) {
      case 'select':
        return { ...node, id, operand: copy(node.operand) }
      case 'call':
        return { ...node, id, target: node.target && copy(node.target), arguments: node.arguments.map(copy) }
      case 'list':
        return { ...node, id, elements: node.elements.map(copy) }
      case 'map':
        return { ...node, id, entries: node.entries.map(entry => ({ ...entry, key: copy(entry.key), value: copy(entry.value) })) }
      case 'struct':
        return { ...node, id, fields: node.fields.map(field => ({ ...field, value: copy(field.value) })) }
      case 'comprehension': {
        const { range, initial, condition, step, result } = node
        return {
          ...node,
          id,
          range: copy(range),
          initial: copy(initial),
          condition: copy(condition),
          step: copy(step),
          result: copy(result),
        }
      }
      default:
        return { ...node, id }
    }
  }

  #node(node: DistributiveOmit<Expression, 'id'>, id: number): Expression {
    return { id, ...node } as Expression
  }

  #idOf(token: Token): number {
    return this.#newId(token.offset)
  }

  #newId(offset: number): number {
    const id = this.#nextId++
    this.offsets.set(id, offset)
    return id
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** What was expected, as ANTLR writes a set of tokens. */
function quoted(kinds: readonly TokenKind[]): string {
  const names = TOKEN_ORDER.filter(kind => kinds.includes(kind)).map(kind => (/^(<EOF>|[A-Z_]+)$/.test(kind) ? kind : `'${kind}'`))
  return names.length === 1 ? names[0]! : `{${names.join(', ')}}`
}

/** Whether a name may be a variable: an identifier that the language does not keep for itself. */
export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name)
}

/** The dotted name that an expression is, for functions that live in a namespace. */
export { qualifiedName }
