import { declareFunction, globalOverload, type Library } from '../declarations.ts'
import { equal } from '../equality.ts'
import { BOOL, listOf, typeParam } from '../types.ts'
import type { CelList, CelValue } from '../values.ts'

const T = typeParam('T')
const lists = [listOf(T), listOf(T)]

const contains = (list: CelList, sublist: CelList): boolean => [...sublist].every(value => includes(list, value))

/** `sets.contains`, `sets.equivalent` and `sets.intersects`: lists taken as sets. */
export const SETS_LIBRARY: Library = {
  functions: [
    declareFunction('sets.contains', globalOverload('list_sets_contains_list', lists, BOOL, contains)),
    declareFunction(
      'sets.equivalent',
      globalOverload('list_sets_equivalent_list', lists, BOOL, (a: CelList, b: CelList) => contains(a, b) && contains(b, a)),
    ),
    declareFunction(
      'sets.intersects',
      globalOverload('list_sets_intersects_list', lists, BOOL, (a: CelList, b: CelList) => [...a].some(value => includes(b, value))),
    ),
  ],
}

function includes(list: CelList, value: CelValue): boolean {
  for (let i = 0; i < list.size; i++) if (equal(list.at(i), value)) return true
  return false
}
