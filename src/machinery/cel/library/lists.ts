import { duration, int, uint } from '#base/languages/cel/arithmetic.ts'
import { declareFunction, type Library, memberOverload, type Overload } from '#base/languages/cel/declarations.ts'
import { compare, equal } from '#base/languages/cel/equality.ts'
import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import {
  BOOL, BYTES, type CelType, DOUBLE, DURATION, INT, listOf, STRING, TIMESTAMP, typeParam, UINT,
} from '#base/languages/cel/types.ts' // biome-ignore format: one list
import type { CelDuration, CelList, CelUint, CelValue } from '#base/languages/cel/values.ts'

const T = typeParam('T')
const COMPARABLE: readonly (readonly [string, CelType])[] = [
  ['int', INT], ['uint', UINT], ['double', DOUBLE], ['bool', BOOL], ['duration', DURATION], ['timestamp', TIMESTAMP], ['string', STRING],
  ['bytes', BYTES],
] // biome-ignore format: a table

const forEach = (name: string, result: (type: CelType) => CelType, evaluate: (list: CelList) => CelValue): Overload[] =>
  COMPARABLE.map(([id, type]) => memberOverload(`list_${id}_${name}_${id}`, [listOf(type)], result(type), evaluate))

/** Upstream's functions for lists: `isSorted`, `sum`, `min`, `max`, `indexOf`, `lastIndexOf`. */
export const LISTS_LIBRARY: Library = {
  functions: [
    declareFunction(
      'isSorted',
      ...forEach(
        'is_sorted',
        () => BOOL,
        list => {
          for (let i = 1; i < list.size; i++) if (order(list.at(i - 1), list.at(i)) > 0) return false
          return true
        },
      ),
    ),
    declareFunction(
      'sum',
      memberOverload('list_int_sum_int', [listOf(INT)], INT, (list: CelList) => fold(list, 0n as bigint, (a, b) => int(a + (b as bigint)))),
      memberOverload('list_uint_sum_uint', [listOf(UINT)], UINT, (list: CelList) =>
        fold(list, uint(0n), (a, b) => uint(a.value + (b as CelUint).value)),
      ),
      memberOverload('list_double_sum_double', [listOf(DOUBLE)], DOUBLE, (list: CelList) =>
        fold(list, 0 as number, (a, b) => a + (b as number)),
      ),
      memberOverload('list_duration_sum_duration', [listOf(DURATION)], DURATION, (list: CelList) =>
        fold(list, duration(0n), (a, b) => duration(a.nanoseconds + (b as CelDuration).nanoseconds)),
      ),
    ),
    declareFunction(
      'max',
      ...forEach(
        'max',
        type => type,
        list => extreme('max', list, 1),
      ),
    ),
    declareFunction(
      'min',
      ...forEach(
        'min',
        type => type,
        list => extreme('min', list, -1),
      ),
    ),
    declareFunction(
      'indexOf',
      memberOverload('list_a_index_of_int', [listOf(T), T], INT, (list: CelList, value: CelValue) => {
        for (let i = 0; i < list.size; i++) if (equal(list.at(i), value)) return BigInt(i)
        return -1n
      }),
    ),
    declareFunction(
      'lastIndexOf',
      memberOverload('list_a_last_index_of_int', [listOf(T), T], INT, (list: CelList, value: CelValue) => {
        for (let i = list.size - 1; i >= 0; i--) if (equal(list.at(i), value)) return BigInt(i)
        return -1n
      }),
    ),
  ],
}

function order(a: CelValue, b: CelValue): number {
  return compare(a, b) ?? 0
}

function fold<V extends CelValue>(list: CelList, start: V, add: (sum: V, element: CelValue) => V): V {
  let sum = start
  for (const element of list) {
    if (typeof element !== typeof start) throw new EvaluationError('no such overload')
    sum = add(sum, element)
  }
  return sum
}

function extreme(name: string, list: CelList, wanted: 1 | -1): CelValue {
  if (list.size === 0) throw new EvaluationError(`${name} called on empty list`)
  let found = list.at(0)
  for (const element of list) if (order(element, found) * wanted > 0) found = element
  return found
}
