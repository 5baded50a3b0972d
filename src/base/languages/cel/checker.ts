import { type Ast, type Call, type Comprehension, type Expression, qualifiedName } from './ast.ts'
import type { FunctionDeclaration, Overload } from './declarations.ts'
import type { Issue } from './source.ts'
import {
  BOOL, BYTES, type CelType, DOUBLE, DYN, ERROR, formatFunction, formatType, INT, isDyn, isDynOrError, isOptional, listOf, mapOf, NULL,
  optionalOf, STRING, sameType, typeParam, UINT, unwrapOptional,
} from './types.ts' // biome-ignore format: one list
import { mostGeneral, Substitutions, withFreshParameters } from './unify.ts'
import { CelUint, type CelValue } from './values.ts'

/** What names mean where an expression is checked. */
export interface Scope {
  /** The namespace in which names are looked up first. */
  readonly container: string
  variable(name: string): CelType | undefined
  /** A name that stands for a value: a type, a constant of an enumeration. */
  constant(name: string): { readonly type: CelType; readonly value: CelValue } | undefined
  function(name: string): FunctionDeclaration | undefined
  /** Whether a list or map literal may mix types. */
  readonly mixedLiterals: boolean
  /** Leaves types to the values: nothing is refused for its type. */
  readonly dynamic: boolean
}

/** A checked expression: what every node is, by its id. */
export interface CheckedAst extends Ast {
  readonly types: ReadonlyMap<number, CelType>
  readonly references: ReadonlyMap<number, Reference>
}

/** What a node refers to. */
export type Reference =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: CelValue }
  | { readonly kind: 'function'; readonly name: string; readonly overloads: readonly Overload[]; readonly isNamespaced: boolean }
  /** `name{…}`: the type that is made. */
  | { readonly kind: 'type'; readonly type: CelType }

/** Finds the type of every node, or what is wrong. */
export function check(ast: Ast, scope: Scope): { readonly checked: CheckedAst } | { readonly issues: readonly Issue[] } {
  const checker = new Checker(ast, scope)
  checker.check(ast.expression)
  if (checker.issues.length > 0) return { issues: checker.issues }
  return { checked: { ...ast, types: checker.resolvedTypes(), references: checker.references } }
}

class Checker {
  readonly issues: Issue[] = []
  readonly references = new Map<number, Reference>()
  readonly #types = new Map<number, CelType>()
  readonly #substitutions = new Substitutions()
  readonly #locals: Map<string, CelType>[] = []
  readonly #ast: Ast
  readonly #scope: Scope
  #freeVariables = 0

  constructor(ast: Ast, scope: Scope) {
    this.#ast = ast
    this.#scope = scope
  }

  resolvedTypes(): Map<number, CelType> {
    for (const [id, type] of this.#types) this.#types.set(id, this.#substitutions.resolve(type, true))
    return this.#types
  }

  check(node: Expression): CelType {
    const found = this.#typeOf(node)
    const type = this.#scope.dynamic ? DYN : found
    this.#types.set(node.id, type)
    return type
  }

  #typeOf(node: Expression): CelType {
    switch (node.kind) {
      case 'literal':
        return literalType(node.value)
      case 'ident':
        return this.#ident(node.id, node.name) ?? this.#undeclared(node.id, node.name)
      case 'select':
        return this.#select(node)
      case 'call':
        return this.#call(node)
      case 'list':
        return this.#list(node)
      case 'map':
        return this.#map(node)
      case 'struct':
        return this.#struct(node)
      case 'comprehension':
        return this.#comprehension(node)
    }
  }

  /** Looks a name up: the variables of macros first, then from the container outwards. */
  #ident(id: number, name: string): CelType | undefined {
    for (let i = this.#locals.length - 1; i >= 0; i--) {
      const type = this.#locals[i]!.get(name)
      if (type === undefined) continue
      this.references.set(id, { kind: 'variable', name })
      return type
    }
    for (const candidate of candidates(this.#scope.container, name)) {
      const type = this.#scope.variable(candidate)
      if (type !== undefined) {
        this.references.set(id, { kind: 'variable', name: candidate })
        return type
      }
      const constant = this.#scope.constant(candidate)
      if (constant !== undefined) {
        this.references.set(id, { kind: 'constant', value: constant.value })
        return constant.type
      }
    }
    return undefined
  }

  #select(node: Extract<Expression, { kind: 'select' }>): CelType {
    const name = qualifiedName(node)
    if (name !== undefined && !this.#isLocal(name)) {
      const type = this.#ident(node.id, name)
      if (type !== undefined) return type
    }
    const type = this.#field(node.id, node.operand, node.field, false)
    return node.testOnly ? BOOL : this.#substitutions.resolve(type)
  }

  #isLocal(qualified: string): boolean {
    const [first] = qualified.split('.')
    return this.#locals.some(locals => locals.has(first!))
  }

  #field(id: number, operand: Expression, field: string, optional: boolean): CelType {
    const operandType = this.#substitutions.resolve(this.check(operand))
    const target = unwrapOptional(operandType)
    const result = this.#fieldOf(id, target, field)
    return optional || isOptional(operandType) ? optionalOf(result) : result
  }

  #fieldOf(id: number, target: CelType, field: string): CelType {
    switch (target.kind) {
      case 'map':
        return target.parameters[1]!
      case 'object': {
        const type = target.fields?.get(field)
        if (type !== undefined) return type
        this.#issue(id, target.fields === undefined ? `unexpected failed resolution of '${target.name}'` : `undefined field '${field}'`)
        return ERROR
      }
      case 'typeParam':
        this.#substitutions.assign(DYN, target)
        return DYN
      default:
        if (!isDynOrError(target)) this.#issue(id, `type '${formatType(target)}' does not support field selection`)
        return DYN
    }
  }

  #call(node: Call): CelType {
    if (node.function === '_?._') {
      const [operand, field] = node.arguments
      this.references.set(node.id, { kind: 'function', name: '_?._', overloads: [], isNamespaced: false })
      if (field?.kind !== 'literal' || typeof field.value !== 'string') {
        this.#issue(field!.id, 'unsupported optional field selection')
        return ERROR
      }
      this.#types.set(field.id, STRING)
      return this.#substitutions.resolve(this.#field(node.id, operand!, field.value, true))
    }
    for (const argument of node.arguments) this.check(argument)
    if (node.target === undefined) {
      for (const name of candidates(this.#scope.container, node.function)) {
        const found = this.#scope.function(name)
        if (found !== undefined) return this.#overload(node, found, undefined)
      }
      return this.#undeclared(node.id, node.function)
    }
    const prefix = qualifiedName(node.target)
    if (prefix !== undefined && !this.#isLocal(prefix)) {
      for (const name of candidates(this.#scope.container, `${prefix}.${node.function}`)) {
        const found = this.#scope.function(name)
        if (found !== undefined) return this.#overload(node, found, undefined)
      }
    }
    this.check(node.target)
    const found = this.#scope.function(node.function)
    return found === undefined ? this.#undeclared(node.id, node.function) : this.#overload(node, found, node.target)
  }

  #overload(node: Call, declared: FunctionDeclaration, target: Expression | undefined): CelType {
    const operands = target === undefined ? node.arguments : [target, ...node.arguments]
    const given = operands.map(operand => this.#types.get(operand.id)!)
    if (declared.name === '_&&_' || declared.name === '_||_') return this.#logical(node, declared, given)
    const fitting: Overload[] = []
    let result: CelType | undefined
    for (const overload of declared.overloads) {
      if (overload.isMember !== (target !== undefined) || overload.parameters.length !== given.length) continue
      const instance = withFreshParameters(overload.result, overload.parameters, () => this.#freeVariable())
      const [overloadResult, ...parameters] = instance.parameters
      if (!this.#substitutions.assignAll(given, parameters)) continue
      fitting.push(overload)
      const resolved = this.#substitutions.resolve(overloadResult!)
      if (result === undefined) result = resolved
      else if (!isDyn(result) && !sameType(resolved, result)) result = DYN
    }
    if (result === undefined) {
      const shown = given.map(type => this.#substitutions.resolve(type, true))
      this.#issue(
        node.id,
        `found no matching overload for '${declared.name}' applied to '${formatFunction(undefined, shown, target !== undefined)}'`,
      )
      return ERROR
    }
    const isNamespaced = node.target !== undefined && target === undefined
    this.references.set(node.id, { kind: 'function', name: declared.name, overloads: fitting, isNamespaced })
    return result
  }

  #logical(node: Call, declared: FunctionDeclaration, given: readonly CelType[]): CelType {
    let type: CelType = BOOL
    given.forEach((operand, i) => {
      if (this.#substitutions.assign(operand, BOOL)) return
      this.#mismatch(node.arguments[i]!.id, BOOL, operand)
      type = ERROR
    })
    this.references.set(node.id, { kind: 'function', name: declared.name, overloads: declared.overloads, isNamespaced: false })
    return type
  }

  #list(node: Extract<Expression, { kind: 'list' }>): CelType {
    let element: CelType | undefined
    node.elements.forEach((child, i) => {
      const type = this.check(child)
      element = this.#join(child, element, node.optionals.has(i) ? this.#unwrapped(child, type) : type)
    })
    return listOf(element ?? this.#freeVariable())
  }

  #map(node: Extract<Expression, { kind: 'map' }>): CelType {
    let key: CelType | undefined
    let value: CelType | undefined
    for (const entry of node.entries) {
      key = this.#join(entry.key, key, this.check(entry.key))
      const type = this.check(entry.value)
      value = this.#join(entry.value, value, entry.optional ? this.#unwrapped(entry.value, type) : type)
    }
    return mapOf(key ?? this.#freeVariable(), value ?? this.#freeVariable())
  }

  #struct(node: Extract<Expression, { kind: 'struct' }>): CelType {
    let found: { readonly type: CelType; readonly value: CelValue } | undefined
    for (const candidate of candidates(this.#scope.container, node.typeName)) {
      found ??= this.#scope.constant(candidate)
    }
    if (found === undefined) {
      this.#undeclared(node.id, node.typeName)
      return ERROR
    }
    const made = found.type.kind === 'type' ? found.type.parameters[0] : undefined
    if (made === undefined) {
      this.#issue(node.id, `'${found.type.name}' is not a type`)
      return ERROR
    }
    if (made.fields === undefined) {
      this.#issue(node.id, `'${made.name}' is not a message type`)
      return ERROR
    }
    this.references.set(node.id, { kind: 'type', type: made })
    for (const field of node.fields) {
      const given = this.check(field.value)
      const type = field.optional ? this.#unwrapped(field.value, given) : given
      const declared = made.fields.get(field.name)
      if (declared === undefined) this.#issue(field.id, `undefined field '${field.name}'`)
      else if (!this.#substitutions.assign(declared, type)) {
        const shown = formatType(this.#substitutions.resolve(type))
        this.#issue(field.id, `expected type of field '${field.name}' is '${formatType(declared)}' but provided type is '${shown}'`)
      }
    }
    return made.instance ?? made
  }

  #comprehension(node: Comprehension): CelType {
    const range = this.#substitutions.resolve(this.check(node.range))
    const accumulator = this.check(node.initial)
    const [first, second] = this.#iterated(node, range)
    this.#locals.push(new Map([[node.accumulator, accumulator]]))
    this.#locals.push(new Map([[node.variable, first], ...(node.variable2 === undefined ? [] : ([[node.variable2, second]] as const))]))
    this.#expect(node.condition, BOOL)
    this.#expect(node.step, accumulator)
    this.#locals.pop()
    const result = this.check(node.result)
    this.#locals.pop()
    return this.#substitutions.resolve(result)
  }

  /** The types of a macro's variables. */
  #iterated(node: Comprehension, range: CelType): readonly [CelType, CelType] {
    const isPair = node.variable2 !== undefined
    switch (range.kind) {
      case 'list':
        return isPair ? [INT, range.parameters[0]!] : [range.parameters[0]!, ERROR]
      case 'map':
        return [range.parameters[0]!, range.parameters[1]!]
      case 'any':
      case 'dyn':
      case 'error':
      case 'typeParam':
        this.#substitutions.assign(DYN, range)
        return [DYN, DYN]
      default:
        this.#issue(
          node.range.id,
          `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        )
        return [ERROR, ERROR]
    }
  }

  #expect(node: Expression, expected: CelType): void {
    const type = this.check(node)
    if (!this.#substitutions.assign(expected, type)) this.#mismatch(node.id, expected, type)
  }

  #unwrapped(node: Expression, type: CelType): CelType {
    if (!isOptional(type) && !isDyn(type)) this.#mismatch(node.id, optionalOf(type), type)
    return unwrapOptional(type)
  }

  /** The type of both an earlier and a further element. */
  #join(node: Expression, previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current
    if (this.#substitutions.assign(previous, current)) return mostGeneral(previous, current)
    if (this.#scope.mixedLiterals || this.#scope.dynamic) return DYN
    this.#mismatch(node.id, previous, current)
    return ERROR
  }

  #freeVariable(): CelType {
    return typeParam(`_var${this.#freeVariables++}`)
  }

  #undeclared(id: number, name: string): CelType {
    // It may be a variable that nobody declared; if nobody binds it either, evaluating says so.
    if (this.#scope.dynamic) return DYN
    this.#issue(id, `undeclared reference to '${name}' (in container '${this.#scope.container}')`)
    return ERROR
  }

  #mismatch(id: number, expected: CelType, actual: CelType): void {
    this.#issue(id, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`)
  }

  #issue(id: number, message: string): void {
    this.issues.push({ offset: this.#ast.offsets.get(id), message })
  }
}

/** The names that `name` may stand for within a container, the innermost first. */
export function candidates(container: string, name: string): readonly string[] {
  if (name.startsWith('.')) return [name.slice(1)]
  if (container === '') return [name]
  const parts = container.split('.')
  return [...parts.map((_, i) => `${parts.slice(0, parts.length - i).join('.')}.${name}`), name]
}

function literalType(value: CelValue): CelType {
  switch (typeof value) {
    case 'bigint':
      return INT
    case 'number':
      return DOUBLE
    case 'string':
      return STRING
    case 'boolean':
      return BOOL
    default:
      if (value === null) return NULL
      return value instanceof CelUint ? UINT : BYTES
  }
}
