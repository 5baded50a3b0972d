import { type Call, type Comprehension, type Expression, isBind } from './ast.ts'
import type { CheckedAst } from './checker.ts'
import { dispatcher, withArity } from './dispatch.ts'
import { equal } from './equality.ts'
import { EvaluationError, noSuchKey, noSuchOverload } from './evaluation-error.ts'
import { type Evaluate, Lazy } from './frame.ts'
import { GrowingList, GrowingMap } from './growing.ts'
import { conditional, logical, notStrictlyFalse, optionalOr } from './logic.ts'
import { asOptional, find, findPresent, isPresent, lookUp, throughOptional } from './look-up.ts'
import { type CostModel, sizeOf } from './runtime-cost.ts'
import { ArrayList, CelList, CelMap, CelObject, CelOptional, CelUint, type CelValue, EntryMap, keyOf, typeNameOf } from './values.ts'

/** Compiles a checked expression to closures that call one another. */
export function plan(ast: CheckedAst, costs: CostModel): Evaluate {
  return new Planner(ast, costs).plan(ast.expression)
}

// Units of cost, as in cel-go's common/cost.go.
const SELECT_COST = 1
const LIST_COST = 10
const MAP_COST = 30
const STRUCT_COST = 40

class Planner {
  readonly #ast: CheckedAst
  readonly #costs: CostModel
  /** The variables of the macros around, innermost last; the index is the slot. */
  readonly #locals: string[] = []

  constructor(ast: CheckedAst, costs: CostModel) {
    this.#ast = ast
    this.#costs = costs
  }

  plan(node: Expression): Evaluate {
    const reference = this.#ast.references.get(node.id)
    if (reference?.kind === 'constant' && node.kind !== 'struct') {
      const { value } = reference
      return () => value
    }
    if (reference?.kind === 'variable') return this.#variable(reference.name)
    switch (node.kind) {
      case 'literal': {
        const { value } = node
        return () => value
      }
      case 'ident':
        return this.#variable(node.name)
      case 'select':
        return node.testOnly ? this.#presence(node) : this.#select(node)
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

  #variable(name: string): Evaluate {
    const slot = this.#locals.lastIndexOf(name)
    if (slot >= 0) {
      return frame => {
        frame.charge(SELECT_COST)
        const value = frame.locals[slot]!
        if (value instanceof EvaluationError) throw value
        return value instanceof Lazy ? value.value(frame) : value
      }
    }
    return frame => {
      frame.charge(SELECT_COST)
      const value = frame.bindings[name]
      if (value === undefined) throw new EvaluationError(`no such attribute(s): ${name}`)
      return value
    }
  }

  #select(node: Extract<Expression, { kind: 'select' }>): Evaluate {
    const operand = this.#operand(node.operand)
    const { field } = node
    return frame => {
      const target = operand(frame)
      frame.charge(SELECT_COST)
      if (target instanceof CelOptional) {
        return throughOptional(target, value => {
          if (!(value instanceof CelMap || value instanceof CelObject)) throw noSuchKey(field)
          return findPresent(value, field)
        })
      }
      const value = find(target, field)
      if (value === undefined) throw noSuchKey(field)
      return value
    }
  }

  /** Of a selection: what is no variable or selection itself costs one more, for it begins a path. */
  #operand(node: Expression): Evaluate {
    const operand = this.plan(node)
    const isPath = node.kind === 'ident' || (node.kind === 'select' && !node.testOnly) || (node.kind === 'call' && PATHS.has(node.function))
    if (isPath) return operand
    return frame => {
      const value = operand(frame)
      frame.charge(SELECT_COST)
      return value
    }
  }

  #presence(node: Extract<Expression, { kind: 'select' }>): Evaluate {
    const operand = this.plan(node.operand)
    const { field } = node
    return frame => {
      const target = operand(frame)
      if (target instanceof CelOptional) return target.value !== undefined && isPresent(target.value, field)
      return isPresent(target, field)
    }
  }

  #call(node: Call): Evaluate {
    const [a, b, c] = node.arguments
    switch (node.function) {
      case '_&&_':
        return logical(this.plan(a!), this.plan(b!), false)
      case '_||_':
        return logical(this.plan(a!), this.plan(b!), true)
      case '_?_:_':
        return conditional(this.plan(a!), this.plan(b!), this.plan(c!))
      case '@not_strictly_false':
        return notStrictlyFalse(this.plan(a!))
      case '_==_':
        return this.#equality(a!, b!, true)
      case '_!=_':
        return this.#equality(a!, b!, false)
      case '@in':
        return this.#membership(a!, b!)
      case '_[_]':
        return this.#index(a!, b!, false)
      case '_[?_]':
        return this.#index(a!, b!, true)
      case '_?._':
        return this.#optionalSelect(a!, (b as Extract<Expression, { kind: 'literal' }>).value as string)
      default:
        return this.#function(node)
    }
  }

  #equality(a: Expression, b: Expression, wanted: boolean): Evaluate {
    const left = this.plan(a)
    const right = this.plan(b)
    return frame => {
      const x = left(frame)
      const y = right(frame)
      frame.charge(Math.ceil(Math.min(sizeOf(x), sizeOf(y)) * 0.1))
      return equal(x, y) === wanted
    }
  }

  #membership(a: Expression, b: Expression): Evaluate {
    const element = this.plan(a)
    const container = this.plan(b)
    return frame => {
      const x = element(frame)
      const within = container(frame)
      if (within instanceof CelMap) {
        frame.charge(1)
        if (keyOf(x) === undefined && typeof x !== 'number') return false
        return within.get(x) !== undefined
      }
      if (!(within instanceof CelList)) throw noSuchOverload()
      frame.charge(within.size)
      for (let i = 0; i < within.size; i++) if (equal(x, within.at(i))) return true
      return false
    }
  }

  #index(a: Expression, b: Expression, isOptional: boolean): Evaluate {
    const operand = this.#operand(a)
    const index = this.plan(b)
    return frame => {
      const target = operand(frame)
      const key = index(frame)
      frame.charge(SELECT_COST)
      if (target instanceof CelOptional) return throughOptional(target, value => lookUp(value, key))
      const value = lookUp(target, key)
      if (isOptional) return value === undefined ? CelOptional.none : asOptional(value)
      if (value !== undefined) return value
      if (target instanceof CelList) throw new EvaluationError(`index out of bounds: ${String(key instanceof CelUint ? key.value : key)}`)
      throw noSuchKey(key instanceof CelUint ? key.value : key)
    }
  }

  #optionalSelect(operandNode: Expression, field: string): Evaluate {
    const operand = this.#operand(operandNode)
    return frame => {
      const target = operand(frame)
      frame.charge(SELECT_COST)
      if (target instanceof CelOptional) return throughOptional(target, value => findPresent(value, field))
      const value = findPresent(target, field)
      return value === undefined ? CelOptional.none : asOptional(value)
    }
  }

  #function(node: Call): Evaluate {
    const reference = this.#ast.references.get(node.id)
    if (reference?.kind !== 'function') {
      const error = new EvaluationError(`no such overload: ${node.function}`)
      return () => {
        throw error
      }
    }
    const [overload] = reference.overloads
    if (overload?.id === 'optional_or_optional')
      return optionalOr(this.plan(node.target!), this.plan(node.arguments[0]!), optional => optional)
    if (overload?.id === 'optional_orValue_value') {
      return optionalOr(this.plan(node.target!), this.plan(node.arguments[0]!), optional => optional.value!)
    }
    const operands = node.target === undefined || reference.isNamespaced ? node.arguments : [node.target, ...node.arguments]
    const { overloads, name } = reference
    const cost = this.#costs.callCost(name, overloads.length === 1 ? overloads[0]!.id : '')
    const types = operands.map(operand => this.#ast.types.get(operand.id)!)
    const evaluate = dispatcher(name, overloads, types)
    const args = operands.map(operand => this.plan(operand))
    return withArity(args, evaluate, cost)
  }

  #list(node: Extract<Expression, { kind: 'list' }>): Evaluate {
    const constant = constantOf(node)
    if (constant !== undefined) return () => constant
    const elements = node.elements.map(element => this.plan(element))
    const { optionals } = node
    return frame => {
      const values: CelValue[] = []
      for (let i = 0; i < elements.length; i++) {
        const value = elements[i]!(frame)
        if (!optionals.has(i)) values.push(value)
        else if (!(value instanceof CelOptional))
          throw new EvaluationError(`cannot initialize optional list element from non-optional value`)
        else if (value.value !== undefined) values.push(value.value)
      }
      frame.charge(LIST_COST)
      return new ArrayList(values)
    }
  }

  #map(node: Extract<Expression, { kind: 'map' }>): Evaluate {
    const entries = node.entries.map(entry => ({
      key: this.plan(entry.key),
      value: this.plan(entry.value),
      optional: entry.optional,
    }))
    return frame => {
      const pairs: (readonly [CelValue, CelValue])[] = []
      const seen = new Set<unknown>()
      for (const entry of entries) {
        const key = entry.key(frame)
        const value = entry.value(frame)
        const plain = typeof key === 'number' ? undefined : keyOf(key)
        if (plain === undefined) throw new EvaluationError(`unsupported key type: ${typeNameOf(key)}`)
        if (seen.has(plain)) throw new EvaluationError(`Failed with repeated key: ${String(plain)}`)
        seen.add(plain)
        if (!entry.optional) pairs.push([key, value])
        else if (!(value instanceof CelOptional))
          throw new EvaluationError(`cannot initialize optional entry '${String(plain)}' from non-optional value`)
        else if (value.value !== undefined) pairs.push([key, value.value])
      }
      frame.charge(MAP_COST)
      return new EntryMap(pairs)
    }
  }

  #struct(node: Extract<Expression, { kind: 'struct' }>): Evaluate {
    const reference = this.#ast.references.get(node.id)
    if (reference?.kind !== 'type') throw new Error(`the construction of ${node.typeName} was not checked`)
    const { type } = reference
    const fields = node.fields.map(field => ({ name: field.name, value: this.plan(field.value), optional: field.optional }))
    return frame => {
      const given = new Map<string, CelValue>()
      for (const field of fields) {
        const value = field.value(frame)
        if (!field.optional) given.set(field.name, value)
        else if (!(value instanceof CelOptional))
          throw new EvaluationError(`cannot initialize optional entry '${field.name}' from non-optional value`)
        else if (value.value !== undefined) given.set(field.name, value.value)
      }
      frame.charge(STRUCT_COST)
      if (type.construct === undefined) throw new EvaluationError(`unknown type '${type.name}'`)
      return type.construct(given)
    }
  }

  #comprehension(node: Comprehension): Evaluate {
    if (isBind(node)) return this.#bind(node)
    const range = this.plan(node.range)
    const initial = this.plan(node.initial)
    const accumulator = this.#locals.push(node.accumulator) - 1
    const first = this.#locals.push(node.variable) - 1
    const second = node.variable2 === undefined ? undefined : this.#locals.push(node.variable2) - 1
    const condition = node.condition.kind === 'literal' && node.condition.value === true ? undefined : this.plan(node.condition)
    const step = this.plan(node.step)
    this.#locals.length = first
    const result = this.plan(node.result)
    this.#locals.length = accumulator
    const growing =
      node.initial.kind === 'list' ? () => new GrowingList([]) : node.initial.kind === 'map' ? () => new GrowingMap() : undefined
    return frame => {
      const source = range(frame)
      if (!(source instanceof CelList) && !(source instanceof CelMap)) throw noSuchOverload()
      const { locals } = frame
      const start = initial(frame)
      locals[accumulator] = growing === undefined || (start as CelList | CelMap).size > 0 ? start : growing()
      const size = source.size
      const keys = source instanceof CelMap ? [...source.keys()] : undefined
      for (let i = 0; i < size; i++) {
        if (keys === undefined) {
          const element = (source as CelList).at(i)
          locals[first] = second === undefined ? element : BigInt(i)
          if (second !== undefined) locals[second] = element
        } else {
          locals[first] = keys[i]!
          if (second !== undefined) locals[second] = source instanceof CelMap ? source.get(keys[i]!)! : null
        }
        if (condition === undefined) {
          locals[accumulator] = step(frame)
          continue
        }
        if (condition(frame) === false) break
        try {
          locals[accumulator] = step(frame)
        } catch (error) {
          if (!(error instanceof EvaluationError)) throw error
          locals[accumulator] = error
        }
      }
      return result(frame)
    }
  }

  #bind(node: Comprehension): Evaluate {
    const initial = this.plan(node.initial)
    const slot = this.#locals.push(node.accumulator) - 1
    const result = this.plan(node.result)
    this.#locals.length = slot
    return frame => {
      frame.charge(LIST_COST)
      frame.locals[slot] = new Lazy(initial)
      return result(frame)
    }
  }
}

/** Calls that are steps of a path. */
const PATHS: ReadonlySet<string> = new Set(['_[_]', '_[?_]', '_?._'])

function constantOf(node: Extract<Expression, { kind: 'list' }>): CelList | undefined {
  if (node.elements.length === 0 || node.optionals.size > 0) return undefined
  const values: CelValue[] = []
  for (const element of node.elements) {
    if (element.kind !== 'literal') return undefined
    values.push(element.value)
  }
  return new ArrayList(values)
}
