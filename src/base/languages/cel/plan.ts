import { type Call, type Comprehension, type Expression, isBind } from './ast.ts'
import type { CheckedAst } from './checker.ts'
import type { Overload } from './declarations.ts'
import { equal } from './equality.ts'
import { BudgetExceeded, EvaluationError, noSuchKey, noSuchOverload } from './evaluation-error.ts'
import { GrowingList, GrowingMap } from './growing.ts'
import type { Bindings } from './program.ts'
import { type CallCost, type CostModel, sizeOf } from './runtime-cost.ts'
import type { CelType } from './types.ts'
import {
  ArrayList, CelDuration, CelList, CelMap, CelObject, CelOpaque, CelOptional, CelTimestamp, CelTypeValue, CelUint, type CelValue, EntryMap,
  keyOf, typeNameOf,
} from './values.ts' // biome-ignore format: one list

/** One evaluation: where variables are looked up, the variables of macros, and what was spent. */
export class Frame {
  readonly bindings: Bindings
  /** By slot. An error stands for a value that could not be computed, and is thrown when it is asked for. */
  readonly locals: (CelValue | EvaluationError | Lazy)[] = []
  readonly #budget: number
  cost = 0

  constructor(bindings: Bindings, budget: number) {
    this.bindings = bindings
    this.#budget = budget
  }

  charge(cost: number): void {
    this.cost += cost
    if (this.cost > this.#budget) throw new BudgetExceeded()
  }
}

/** A node of an expression, compiled. */
export type Evaluate = (frame: Frame) => CelValue

/** Compiles a checked expression to closures that call one another. */
export function plan(ast: CheckedAst, costs: CostModel): Evaluate {
  return new Planner(ast, costs).plan(ast.expression)
}

/** What `cel.bind` binds: computed when it is first used. */
class Lazy {
  readonly #evaluate: Evaluate
  #value: CelValue | undefined
  constructor(evaluate: Evaluate) {
    this.#evaluate = evaluate
  }
  value(frame: Frame): CelValue {
    this.#value ??= this.#evaluate(frame)
    return this.#value
  }
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
    const evaluate = dispatcher(name, overloads, operands.map(operand => this.#ast.types.get(operand.id)!)) // biome-ignore format: one thought
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

/** `&&` and `||`: what decides wins, even over an error on the other side. */
function logical(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return frame => {
    let failure: EvaluationError | undefined
    try {
      const value = left(frame)
      if (value === decisive) return decisive
      if (value !== !decisive) failure = noSuchOverload()
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      failure = error
    }
    if (failure === undefined) {
      const value = right(frame)
      if (typeof value !== 'boolean') throw noSuchOverload()
      return value
    }
    try {
      if (right(frame) === decisive) return decisive
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
    }
    throw failure
  }
}

/** `or` and `orValue`: the other side is evaluated only where the first has no value. */
function optionalOr(left: Evaluate, right: Evaluate, held: (optional: CelOptional) => CelValue): Evaluate {
  return frame => {
    const optional = left(frame)
    if (!(optional instanceof CelOptional)) throw noSuchOverload()
    return optional.value === undefined ? right(frame) : held(optional)
  }
}

function conditional(condition: Evaluate, ifTrue: Evaluate, ifFalse: Evaluate): Evaluate {
  return frame => {
    const value = condition(frame)
    if (value === true) return ifTrue(frame)
    if (value === false) return ifFalse(frame)
    throw noSuchOverload()
  }
}

function notStrictlyFalse(argument: Evaluate): Evaluate {
  return frame => {
    try {
      return argument(frame) !== false
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      return true
    }
  }
}

/** The value of a field or key; undefined where there is none. */
function find(target: CelValue, field: string): CelValue | undefined {
  if (target instanceof CelMap || target instanceof CelObject) return target.get(field)
  return undefined
}

/** As {@link find}; a field of an object that is not set is not there. */
function findPresent(target: CelValue, field: string): CelValue | undefined {
  return isPresent(target, field) ? find(target, field) : undefined
}

function isPresent(target: CelValue, field: string): boolean {
  if (target instanceof CelMap) return target.get(field) !== undefined
  if (!(target instanceof CelObject)) return false
  const isSet = target.has(field)
  if (isSet === undefined) throw new EvaluationError(`no such field '${field}'`)
  return isSet
}

function lookUp(target: CelValue, key: CelValue): CelValue | undefined {
  if (target instanceof CelMap) {
    if (keyOf(key) === undefined && typeof key !== 'number') throw noSuchOverload()
    return target.get(key)
  }
  if (target instanceof CelList) {
    const index = key instanceof CelUint ? Number(key.value) : typeof key === 'bigint' || typeof key === 'number' ? Number(key) : undefined
    if (index === undefined) throw new EvaluationError(`unsupported index type '${typeNameOf(key)}' in list`)
    if (!Number.isInteger(index)) throw new EvaluationError(`unsupported index value ${index} in list`)
    return index >= 0 && index < target.size ? target.at(index) : undefined
  }
  if (target instanceof CelObject && typeof key === 'string') return target.get(key)
  throw noSuchOverload()
}

function throughOptional(optional: CelOptional, step: (value: CelValue) => CelValue | undefined): CelOptional {
  if (optional.value === undefined) return optional
  const value = step(optional.value)
  return value === undefined ? CelOptional.none : asOptional(value)
}

function asOptional(value: CelValue): CelOptional {
  return value instanceof CelOptional ? value : new CelOptional(value)
}

function constantOf(node: Extract<Expression, { kind: 'list' }>): CelList | undefined {
  if (node.elements.length === 0 || node.optionals.size > 0) return undefined
  const values: CelValue[] = []
  for (const element of node.elements) {
    if (element.kind !== 'literal') return undefined
    values.push(element.value)
  }
  return new ArrayList(values)
}

/** Chooses the overload by the values, where the types left several open or hid what comes. */
function dispatcher(name: string, overloads: readonly Overload[], types: readonly CelType[]): (...args: CelValue[]) => CelValue {
  const [only] = overloads
  const isCertain = overloads.length === 1 && only!.parameters.every((parameter, i) => isCertainly(types[i]!, parameter))
  if (isCertain) return only!.evaluate
  const guarded = overloads.map(overload => ({ evaluate: overload.evaluate, guards: overload.parameters.map(guardOf) }))
  const isOperator = /^[-_!@]/.test(name)
  return (...args) => {
    for (const { evaluate, guards } of guarded) if (args.every((arg, i) => guards[i]!(arg))) return evaluate(...args)
    throw isOperator ? noSuchOverload() : new EvaluationError(`no such overload: ${name}(${args.map(typeNameOf).join(', ')})`)
  }
}

function isCertainly(given: CelType, parameter: CelType): boolean {
  if (parameter.kind === 'dyn' || parameter.kind === 'any' || parameter.kind === 'typeParam') return true
  return given.kind === parameter.kind
}

/** Whether a value is of a type, as far as that is seen from outside. */
function guardOf(type: CelType): (value: CelValue) => boolean {
  switch (type.kind) {
    case 'string':
      return value => typeof value === 'string'
    case 'int':
      return value => typeof value === 'bigint'
    case 'double':
      return value => typeof value === 'number'
    case 'bool':
      return value => typeof value === 'boolean'
    case 'null':
      return value => value === null
    case 'uint':
      return value => value instanceof CelUint
    case 'bytes':
      return value => value instanceof Uint8Array
    case 'timestamp':
      return value => value instanceof CelTimestamp
    case 'duration':
      return value => value instanceof CelDuration
    case 'list':
      return value => value instanceof CelList
    case 'map':
      return value => value instanceof CelMap || value instanceof CelObject
    case 'type':
      return value => value instanceof CelTypeValue
    case 'object':
      return value => value instanceof CelObject && value.type.name === type.name
    case 'opaque':
      if (type.name === 'optional_type') return value => value instanceof CelOptional
      return value => value instanceof CelOpaque && value.type.name === type.name
    case 'wrapper': {
      const inner = guardOf(type.parameters[0]!)
      return value => value === null || inner(value)
    }
    default:
      return () => true
  }
}

/** Calls with one, two or three arguments need no array for them. */
function withArity(args: readonly Evaluate[], evaluate: (...args: CelValue[]) => CelValue, cost: CallCost): Evaluate {
  const charge = typeof cost === 'number' ? undefined : cost
  const fixed = typeof cost === 'number' ? cost : 0
  const [first, second, third] = args
  switch (args.length) {
    case 1:
      return frame => {
        const a = first!(frame)
        if (charge === undefined) frame.charge(fixed)
        const result = evaluate(a)
        if (charge !== undefined) frame.charge(charge([a], result))
        return result
      }
    case 2:
      return frame => {
        const a = first!(frame)
        const b = second!(frame)
        if (charge === undefined) frame.charge(fixed)
        const result = evaluate(a, b)
        if (charge !== undefined) frame.charge(charge([a, b], result))
        return result
      }
    case 3:
      return frame => {
        const a = first!(frame)
        const b = second!(frame)
        const c = third!(frame)
        if (charge === undefined) frame.charge(fixed)
        const result = evaluate(a, b, c)
        if (charge !== undefined) frame.charge(charge([a, b, c], result))
        return result
      }
    default:
      return frame => {
        const values = args.map(arg => arg(frame))
        const result = evaluate(...values)
        frame.charge(charge === undefined ? fixed : charge(values, result))
        return result
      }
  }
}
