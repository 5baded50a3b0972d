import type { Overload } from './declarations.ts'
import { EvaluationError, noSuchOverload } from './evaluation-error.ts'
import type { Evaluate } from './frame.ts'
import type { CallCost } from './runtime-cost.ts'
import type { CelType } from './types.ts'
import {
  CelDuration,
  CelList,
  CelMap,
  CelObject,
  CelOpaque,
  CelOptional,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  type CelValue,
  typeNameOf,
} from './values.ts'

/** Chooses the overload by the values, where the types left several open or hid what comes. */
export function dispatcher(name: string, overloads: readonly Overload[], types: readonly CelType[]): (...args: CelValue[]) => CelValue {
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
export function withArity(args: readonly Evaluate[], evaluate: (...args: CelValue[]) => CelValue, cost: CallCost): Evaluate {
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
