import { type Call, type Comprehension, type Expression, isBind } from './ast.ts'
import type { CheckedAst } from './checker.ts'
import { ACCUMULATOR } from './macro.ts'
import type { CostRange } from './program.ts'
import { codePoints, PATTERN_FACTOR, STRING_FACTOR } from './runtime-cost.ts'
import type { CelKind, CelType } from './types.ts'
import { CelUint } from './values.ts'

/** How long a value is, at least and at most. */
export type SizeRange = CostRange

/** No cost or size exceeds it: upstream counts in 64 bits. */
export const MAX_COST = 2 ** 64

export const UNKNOWN_SIZE: SizeRange = { min: 0, max: MAX_COST }

export function fixed(cost: number): CostRange {
  return { min: cost, max: cost }
}

export function plus(a: CostRange, b: CostRange): CostRange {
  return { min: Math.min(a.min + b.min, MAX_COST), max: Math.min(a.max + b.max, MAX_COST) }
}

export function times(a: CostRange, b: CostRange): CostRange {
  return { min: Math.min(a.min * b.min, MAX_COST), max: Math.min(a.max * b.max, MAX_COST) }
}

/** A part of it for each, rounded up. */
export function scaled(a: CostRange, factor: number): CostRange {
  return { min: Math.min(Math.ceil(a.min * factor), MAX_COST), max: Math.min(Math.ceil(a.max * factor), MAX_COST) }
}

export function spanning(a: CostRange, b: CostRange): CostRange {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}

/** An operand as estimates see it. */
export interface EstimatedNode {
  readonly type: CelType
  /** Where its value stands in a variable: the variable, then field names, `@items`, `@keys` and `@values`. */
  readonly path: readonly string[] | undefined
  readonly expression: Expression | undefined
  /** What the expression itself says. */
  readonly size: SizeRange | undefined
}

/** What a call costs beside its arguments, and how long its result gets. */
export interface CallEstimate {
  readonly cost: CostRange
  readonly size?: SizeRange | undefined
}

/** What calls of libraries are estimated to cost. */
export interface EstimateModel {
  estimateCall(
    name: string,
    overloadId: string,
    target: EstimatedNode | undefined,
    args: readonly EstimatedNode[],
    sizeOf: (node: EstimatedNode) => SizeRange,
  ): CallEstimate | undefined
}

export const STANDARD_ESTIMATES: EstimateModel = { estimateCall: () => undefined }

/**
 * What evaluating an expression costs at least and at most, without a value in sight: as cel-go's checker/cost.go. Sizes of variables come
 * from their types' `maxSize`.
 */
export function estimateCost(ast: CheckedAst, model: EstimateModel, variables: ReadonlyMap<string, CelType>): CostRange {
  return new Estimator(ast, model, variables).cost(ast.expression)
}

/** How long keys or indexes and values of a list or map are. */
interface EntrySize {
  readonly kind: 'list' | 'map'
  readonly key: SizeRange
  readonly value: SizeRange
}

interface Local {
  readonly path: readonly string[] | undefined
  readonly size: SizeRange | undefined
  readonly entry: EntrySize | undefined
}

const ONE = fixed(1)
const ZERO = fixed(0)
const NOTHING_YET: SizeRange = { min: MAX_COST, max: 0 }
const SCALARS: ReadonlySet<CelKind> = new Set<CelKind>(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])
const COMPARISONS = /^(?:less|greater|less_equals|greater_equals)_(?:string|bytes)$|^(?:not_)?equals$/

class Estimator {
  readonly #ast: CheckedAst
  readonly #model: EstimateModel
  readonly #variables: ReadonlyMap<string, CelType>
  readonly #paths = new Map<number, readonly string[]>()
  readonly #sizes = new Map<number, SizeRange>()
  readonly #entries = new Map<number, EntrySize>()
  readonly #locals = new Map<string, Local[]>()

  constructor(ast: CheckedAst, model: EstimateModel, variables: ReadonlyMap<string, CelType>) {
    this.#ast = ast
    this.#model = model
    this.#variables = variables
  }

  cost(node: Expression): CostRange {
    switch (node.kind) {
      case 'literal':
        return ZERO
      case 'ident':
        this.#paths.set(node.id, this.#local(node.name)?.path ?? (this.#local(node.name) ? [] : [node.name]))
        return ONE
      case 'select':
        return this.#selectCost(node)
      case 'call':
        return this.#callCost(node)
      case 'list':
        return this.#listCost(node)
      case 'map':
        return this.#mapCost(node)
      case 'struct':
        return node.fields.reduce((sum, field) => plus(sum, this.cost(field.value)), fixed(40))
      case 'comprehension':
        return isBind(node) ? this.#bindCost(node) : this.#foldCost(node)
    }
  }

  #selectCost(node: Extract<Expression, { kind: 'select' }>): CostRange {
    const reference = this.#ast.references.get(node.id)
    if (reference?.kind === 'variable') {
      this.#paths.set(node.id, [reference.name])
      return ONE
    }
    if (reference?.kind === 'constant') return ZERO
    const operand = this.cost(node.operand)
    if (node.testOnly) return operand
    this.#paths.set(node.id, [...(this.#pathOf(node.operand) ?? []), node.field])
    return ['map', 'object', 'typeParam'].includes(this.#typeOf(node.operand).kind) ? plus(operand, ONE) : operand
  }

  #callCost(node: Call): CostRange {
    const [first] = node.arguments
    if (node.function === 'dyn') {
      const cost = plus(ONE, this.cost(first!))
      this.#copySizes(node, first!)
      return cost
    }
    const argCosts = node.arguments.map(argument => this.cost(argument))
    const args = node.arguments.map(argument => this.#estimated(argument))
    const reference = this.#ast.references.get(node.id)
    if (reference?.kind !== 'function') return ZERO
    let sum: CostRange = ZERO
    let target: EstimatedNode | undefined
    if (node.target !== undefined && !reference.isNamespaced) {
      sum = this.cost(node.target)
      target = this.#estimated(node.target)
    }
    const ids = reference.overloads.length === 0 ? ['select_optional_field'] : reference.overloads.map(overload => overload.id)
    let cost: CostRange = NOTHING_YET
    let size: SizeRange | undefined
    for (const id of ids) {
      const estimate = this.#overloadCost(node, reference.name, id, target, args, argCosts)
      cost = spanning(cost, estimate.cost)
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : spanning(size, estimate.size)
      if ((id === 'index_list' || id === 'index_map') && first !== undefined) {
        size = this.#entryOf(first)?.value
        this.#paths.set(node.id, [...(this.#pathOf(first) ?? []), id === 'index_list' ? '@items' : '@values'])
      }
      size ??= this.#sizeOf(node)
    }
    if (size !== undefined) this.#sizes.set(node.id, size)
    return plus(sum, cost)
  }

  #overloadCost(
    node: Call,
    name: string,
    id: string,
    target: EstimatedNode | undefined,
    args: readonly EstimatedNode[],
    argCosts: readonly CostRange[],
  ): CallEstimate {
    const all = argCosts.reduce(plus, ZERO)
    const own = this.#model.estimateCall(name, id, target, args, operand => this.#sizeOrUnknown(operand))
    if (own !== undefined) return { cost: plus(own.cost, all), size: own.size }
    const [a, b, c] = args
    const sizeOf = (operand: EstimatedNode) => this.#sizeOrUnknown(operand)
    switch (id) {
      case 'string_format':
        if (target !== undefined) return { cost: plus(scaled(sizeOf(target), STRING_FACTOR), all) }
        break
      case 'string_to_bytes':
        return {
          cost: plus(scaled(sizeOf(a!), STRING_FACTOR), all),
          size: { min: sizeOf(a!).min, max: Math.min(sizeOf(a!).max * 4, MAX_COST) },
        }
      case 'bytes_to_string':
        return { cost: plus(scaled(sizeOf(a!), STRING_FACTOR), all), size: { min: Math.floor(sizeOf(a!).min / 4), max: sizeOf(a!).max } }
      case 'strings_quote':
        return {
          cost: plus(scaled(sizeOf(a!), STRING_FACTOR), all),
          size: { min: sizeOf(a!).min + 2, max: Math.min(sizeOf(a!).max * 2 + 2, MAX_COST) },
        }
      case 'starts_with_string':
      case 'ends_with_string':
        return { cost: plus(scaled(sizeOf(a!), STRING_FACTOR), all) }
      case 'in_list':
        return { cost: plus(sizeOf(b!), all) }
      case 'matches_string':
        if (target !== undefined) {
          return { cost: plus(times(scaled(plus(sizeOf(target), ONE), STRING_FACTOR), scaled(sizeOf(a!), PATTERN_FACTOR)), all) }
        }
        break
      case 'contains_string':
        if (target !== undefined)
          return { cost: plus(times(scaled(sizeOf(target), STRING_FACTOR), scaled(sizeOf(a!), STRING_FACTOR)), all) }
        break
      case 'logical_or':
      case 'logical_and':
        return { cost: { min: argCosts[0]!.min, max: plus(argCosts[0]!, argCosts[1]!).max } }
      case 'conditional': {
        const entry = spanningEntries(this.#entryOf(node.arguments[1]!), this.#entryOf(node.arguments[2]!))
        if (entry !== undefined) this.#entries.set(node.id, entry)
        return { cost: plus(argCosts[0]!, spanning(argCosts[1]!, argCosts[2]!)), size: spanning(sizeOf(b!), sizeOf(c!)) }
      }
      case 'add_string':
      case 'add_bytes':
      case 'add_list': {
        const size = plus(sizeOf(a!), sizeOf(b!))
        const entry = spanningEntries(this.#entryOf(node.arguments[0]!), this.#entryOf(node.arguments[1]!))
        if (entry !== undefined) this.#entries.set(node.id, entry)
        return { cost: plus(id === 'add_list' ? ONE : scaled(size, STRING_FACTOR), all), size }
      }
    }
    if (COMPARISONS.test(id)) {
      const max = Math.min(sizeOf(a!).max, sizeOf(b!).max)
      return { cost: plus(scaled({ min: max > 0 ? 1 : 0, max }, STRING_FACTOR), all) }
    }
    return { cost: plus(ONE, all) }
  }

  #listCost(node: Extract<Expression, { kind: 'list' }>): CostRange {
    let sum: CostRange = fixed(10)
    let value: SizeRange = node.elements.length === 0 ? ZERO : NOTHING_YET
    for (const element of node.elements) {
      sum = plus(sum, this.cost(element))
      value = spanning(value, this.#sizeOf(element) ?? UNKNOWN_SIZE)
    }
    this.#entries.set(node.id, { kind: 'list', key: ONE, value })
    return sum
  }

  #mapCost(node: Extract<Expression, { kind: 'map' }>): CostRange {
    let sum: CostRange = fixed(30)
    let key: SizeRange = node.entries.length === 0 ? ZERO : NOTHING_YET
    let value = key
    for (const entry of node.entries) {
      sum = plus(sum, plus(this.cost(entry.key), this.cost(entry.value)))
      key = spanning(key, this.#sizeOf(entry.key) ?? UNKNOWN_SIZE)
      value = spanning(value, this.#sizeOf(entry.value) ?? UNKNOWN_SIZE)
    }
    this.#entries.set(node.id, { kind: 'map', key, value })
    return sum
  }

  #foldCost(node: Comprehension): CostRange {
    let sum = plus(this.cost(node.range), this.cost(node.initial))
    this.#push(node.accumulator, { path: this.#pathOf(node.initial), size: this.#sizeOf(node.initial), entry: this.#entryOf(node.initial) })
    const entry = this.#entryOf(node.range)
    const container = entry?.kind ?? this.#typeOf(node.range).kind
    const below = (part: string) => [...(this.#pathOf(node.range) ?? []), part]
    const key: Local = { path: below(container === 'list' ? '@indices' : '@keys'), size: entry?.key, entry: undefined }
    const value: Local = { path: below(container === 'list' ? '@items' : '@values'), size: entry?.value, entry: undefined }
    if (node.variable2 === undefined) this.#push(node.variable, container === 'list' ? value : key)
    else {
      this.#push(node.variable, key)
      this.#push(node.variable2, value)
    }
    const loop = plus(this.cost(node.step), this.cost(node.condition))
    this.#pop(node.variable)
    if (node.variable2 !== undefined) this.#pop(node.variable2)
    sum = plus(sum, this.cost(node.result))
    this.#pop(node.accumulator)
    const count = this.#sizeOf(node.range) ?? UNKNOWN_SIZE
    sum = plus(sum, times(count, loop))
    if (node.initial.kind === 'literal') {
      const size = this.#sizeOf(node.initial)
      if (size !== undefined) this.#sizes.set(node.id, size)
    } else if (node.initial.kind === 'list' || node.initial.kind === 'map') {
      this.#sizes.set(node.id, count)
      const stepEntry = this.#entryOf(node.step)
      if (stepEntry !== undefined) this.#entries.set(node.id, stepEntry)
    }
    return sum
  }

  #bindCost(node: Comprehension): CostRange {
    const sum = plus(this.cost(node.range), this.cost(node.initial))
    this.#push(node.accumulator, { path: this.#pathOf(node.initial), size: this.#sizeOf(node.initial), entry: this.#entryOf(node.initial) })
    const cost = plus(sum, this.cost(node.result))
    this.#pop(node.accumulator)
    this.#copySizes(node, node.result)
    return cost
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name)
    if (stack === undefined) this.#locals.set(name, [local])
    else stack.push(local)
  }

  #pop(name: string): void {
    this.#locals.get(name)!.pop()
  }

  #typeOf(node: Expression): CelType {
    return this.#ast.types.get(node.id)!
  }

  #pathOf(node: Expression): readonly string[] | undefined {
    if (node.kind === 'ident') {
      const local = this.#local(node.name)
      if (local !== undefined) return local.path
    }
    return this.#paths.get(node.id)
  }

  #estimated(node: Expression): EstimatedNode {
    const path = this.#pathOf(node)
    return {
      expression: node,
      path: path === undefined || path[0] === ACCUMULATOR ? undefined : path,
      type: this.#typeOf(node),
      size: this.#sizeOf(node),
    }
  }

  #sizeOrUnknown(node: EstimatedNode): SizeRange {
    return node.size ?? this.#declaredSize(node.path) ?? UNKNOWN_SIZE
  }

  #copySizes(to: Expression, from: Expression): void {
    const size = this.#sizeOf(from)
    if (size !== undefined) this.#sizes.set(to.id, size)
    const entry = this.#entryOf(from)
    if (entry !== undefined) this.#entries.set(to.id, entry)
  }

  #sizeOf(node: Expression): SizeRange | undefined {
    const known = this.#sizes.get(node.id) ?? literalSize(node)
    if (known !== undefined) return known
    const declared = this.#declaredSize(this.#pathOf(node))
    if (declared !== undefined) {
      this.#sizes.set(node.id, declared)
      return declared
    }
    if (isScalar(this.#typeOf(node))) return ONE
    return node.kind === 'ident' ? this.#local(node.name)?.size : undefined
  }

  #entryOf(node: Expression): EntrySize | undefined {
    return this.#entries.get(node.id) ?? (node.kind === 'ident' ? this.#local(node.name)?.entry : undefined)
  }

  /** What the type of a variable says of a value within it. */
  #declaredSize(path: readonly string[] | undefined): SizeRange | undefined {
    const [variable, ...parts] = path ?? []
    let type = variable === undefined ? undefined : this.#variables.get(variable)
    for (const part of parts) {
      if (type === undefined) return undefined
      if (type.kind === 'list') type = part === '@items' ? type.parameters[0] : undefined
      else if (type.kind === 'map') type = part === '@keys' ? type.parameters[0] : type.parameters[1]
      else type = type.fields?.get(part)
    }
    return type?.maxSize === undefined ? undefined : { min: 0, max: type.maxSize }
  }
}

function spanningEntries(a: EntrySize | undefined, b: EntrySize | undefined): EntrySize | undefined {
  if (a === undefined || b === undefined) return undefined
  return { kind: a.kind, key: spanning(a.key, b.key), value: spanning(a.value, b.value) }
}

function literalSize(node: Expression): SizeRange | undefined {
  if (node.kind === 'list') return fixed(node.elements.length)
  if (node.kind === 'map') return fixed(node.entries.length)
  if (node.kind !== 'literal') return undefined
  const { value } = node
  if (typeof value === 'string') return fixed(codePoints(value))
  if (value instanceof Uint8Array) return fixed(value.length)
  return value === null || typeof value !== 'object' || value instanceof CelUint ? ONE : undefined
}

function isScalar(type: CelType): boolean {
  if (type.kind === 'opaque' && type.name === 'optional_type') return isScalar(type.parameters[0]!)
  return SCALARS.has(type.kind)
}
