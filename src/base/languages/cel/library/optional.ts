import type { Expression } from '../ast.ts'
import { declareFunction, globalOverload, type Library, memberOverload } from '../declarations.ts'
import { EvaluationError } from '../evaluation-error.ts'
import { type ExpressionMaker, type Macro, variableName } from '../macro.ts'
import { sizeOf } from '../runtime-cost.ts'
import { BOOL, DYN, INT, listOf, mapOf, optionalOf, STRING, typeParam } from '../types.ts'
import {
  ArrayList, CelDuration, CelList, CelMap, CelObject, CelOptional, CelTimestamp, CelUint, type CelValue,
} from '../values.ts' // biome-ignore format: one list

const K = typeParam('K')
const V = typeParam('V')
const optionalV = optionalOf(V)
const listV = listOf(V)
const mapKV = mapOf(K, V)

const byPlanner = (): never => {
  throw new Error('operators are compiled, not called')
}

/** A value that nobody set: zero, empty, null. */
function isZero(value: CelValue): boolean {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof CelUint) return value.value === 0n
    if (value instanceof CelDuration) return value.nanoseconds === 0n
    if (value instanceof CelTimestamp) return value.nanoseconds === 0n
    if (value instanceof CelOptional) return value.value === undefined
    if (value instanceof CelList || value instanceof CelMap || value instanceof Uint8Array) return sizeOf(value) === 0
    if (value instanceof CelObject) return [...(value.type.fields?.names() ?? [])].every(field => value.has(field) !== true)
    return false
  }
  return value === null || value === 0n || value === 0 || value === '' || value === false
}

/** `target.optMap(v, f)`: computes on what an optional holds. */
function mapping(name: string, wrap: (make: ExpressionMaker, value: Expression) => Expression): Macro {
  return {
    name,
    arity: 2,
    isMember: true,
    expand(make, target, [variable, transform]) {
      const bound = make.fold({
        range: make.list(),
        variable: '#unused',
        accumulator: variableName(variable!),
        initial: make.member('value', make.copy(target!)),
        condition: make.literal(false),
        step: make.ident(variableName(variable!)),
        result: transform!,
      })
      return make.call('_?_:_', make.member('hasValue', target!), wrap(make, bound), make.call('optional.none'))
    },
  }
}

function unwrapAll(values: CelList): CelValue {
  const held: CelValue[] = []
  for (const value of values) {
    if (!(value instanceof CelOptional)) throw new EvaluationError('value is not optional')
    if (value.value !== undefined) held.push(value.value)
  }
  return new ArrayList(held)
}

function element(list: CelList, index: number): CelOptional {
  return index < 0 || index >= list.size ? CelOptional.none : new CelOptional(list.at(index))
}

/** `a.?b`, `a[?b]`, `optional.of(x)`, `orValue` and what belongs to them: values that may be missing. */
export const OPTIONAL_LIBRARY: Library = {
  types: [optionalOf(DYN)],
  macros: [mapping('optMap', (make, value) => make.call('optional.of', value)), mapping('optFlatMap', (_, value) => value)],
  functions: [
    declareFunction(
      'optional.of',
      globalOverload('optional_of', [V], optionalV, value => new CelOptional(value)),
    ),
    declareFunction(
      'optional.ofNonZeroValue',
      globalOverload('optional_ofNonZeroValue', [V], optionalV, value => (isZero(value) ? CelOptional.none : new CelOptional(value))),
    ),
    declareFunction(
      'optional.none',
      globalOverload('optional_none', [], optionalV, () => CelOptional.none),
    ),
    declareFunction(
      'value',
      memberOverload('optional_value', [optionalV], V, (optional: CelOptional) => {
        if (optional.value === undefined) throw new EvaluationError('optional.none() dereference')
        return optional.value
      }),
    ),
    declareFunction(
      'hasValue',
      memberOverload('optional_hasValue', [optionalV], BOOL, (optional: CelOptional) => optional.value !== undefined),
    ),
    declareFunction('or', memberOverload('optional_or_optional', [optionalV, optionalV], optionalV, byPlanner)),
    declareFunction('orValue', memberOverload('optional_orValue_value', [optionalV, V], V, byPlanner)),
    declareFunction('_?._', globalOverload('select_optional_field', [DYN, STRING], optionalV, byPlanner)),
    declareFunction(
      '_[?_]',
      globalOverload('list_optindex_optional_int', [listV, INT], optionalV, byPlanner),
      globalOverload('optional_list_optindex_optional_int', [optionalOf(listV), INT], optionalV, byPlanner),
      globalOverload('map_optindex_optional_value', [mapKV, K], optionalV, byPlanner),
      globalOverload('optional_map_optindex_optional_value', [optionalOf(mapKV), K], optionalV, byPlanner),
    ),
    declareFunction(
      '_[_]',
      globalOverload('optional_list_index_int', [optionalOf(listV), INT], optionalV, byPlanner),
      globalOverload('optional_map_index_value', [optionalOf(mapKV), K], optionalV, byPlanner),
    ),
    declareFunction(
      'first',
      memberOverload('list_first', [listV], optionalV, (list: CelList) => element(list, 0)),
    ),
    declareFunction(
      'last',
      memberOverload('list_last', [listV], optionalV, (list: CelList) => element(list, list.size - 1)),
    ),
    declareFunction('optional.unwrap', globalOverload('optional_unwrap', [listOf(optionalV)], listV, unwrapAll)),
    declareFunction('unwrapOpt', memberOverload('optional_unwrapOpt', [listOf(optionalV)], listV, unwrapAll)),
  ],
}
