import type { Expression } from '../ast.ts'
import { declareFunction, globalOverload, type Library, memberOverload, type Overload } from '../declarations.ts'
import { compare, equal } from '../equality.ts'
import { EvaluationError } from '../evaluation-error.ts'
import { type ExpressionMaker, variableName } from '../macro.ts'
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listOf, STRING, TIMESTAMP, typeParam, UINT } from '../types.ts'
import { ArrayList, CelList, type CelValue } from '../values.ts'

const T = typeParam('T')
const listT = listOf(T)
/** No list of numbers that an expression asks for gets longer. */
const MAX_RANGE = 1_000_000n

const COMPARABLE: readonly (readonly [string, CelType])[] = [
  ['int', INT], ['uint', UINT], ['double', DOUBLE], ['bool', BOOL], ['duration', DURATION], ['timestamp', TIMESTAMP], ['string', STRING],
  ['bytes', BYTES],
] // biome-ignore format: a table

/** cel-go's list functions; Kubernetes has others, see machinery/cel. */
export const LISTS_LIBRARY: Library = {
  functions: [
    declareFunction(
      'slice',
      memberOverload('list_slice', [listT, INT, INT], listT, (list: CelList, start: bigint, end: bigint) => {
        if (start < 0n || end < 0n) throw new EvaluationError(`cannot slice(${start}, ${end}), negative indexes not supported`)
        if (start > end) throw new EvaluationError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
        if (end > BigInt(list.size)) throw new EvaluationError(`cannot slice(${start}, ${end}), list is length ${list.size}`)
        return new ArrayList([...list].slice(Number(start), Number(end)))
      }),
    ),
    declareFunction(
      'flatten',
      memberOverload('list_flatten', [listOf(listT)], listT, (list: CelList) => new ArrayList(flatten(list, 1n))),
      memberOverload('list_flatten_int', [listOf(DYN), INT], listOf(DYN), (list: CelList, depth: bigint) => {
        if (depth < 0n) throw new EvaluationError('level must be non-negative')
        return new ArrayList(flatten(list, depth))
      }),
    ),
    declareFunction(
      'lists.range',
      globalOverload('lists_range', [INT], listOf(INT), (count: bigint) => {
        if (count > MAX_RANGE) throw new EvaluationError(`range exceeds ${MAX_RANGE}`)
        return new ArrayList(Array.from({ length: Math.max(Number(count), 0) }, (_, i) => BigInt(i)))
      }),
    ),
    declareFunction(
      'reverse',
      memberOverload('list_reverse', [listT], listT, (list: CelList) => new ArrayList([...list].reverse())),
    ),
    declareFunction('distinct', memberOverload('list_distinct', [listT], listT, distinct)),
    declareFunction('sort', ...COMPARABLE.map(([id, type]) => sortOf(id, type))),
    declareFunction(
      '@sortByAssociatedKeys',
      ...COMPARABLE.map(([id, type]) =>
        memberOverload(`list_${id}_sortByAssociatedKeys`, [listT, listOf(type)], listT, (list: CelList, keys: CelList) => {
          const pairs = [...list].map((value, i) => ({ value, key: keys.at(i) }))
          return new ArrayList(pairs.sort((a, b) => compare(a.key, b.key) ?? 0).map(pair => pair.value))
        }),
      ),
    ),
  ],
  macros: [
    {
      name: 'sortBy',
      arity: 2,
      isMember: true,
      expand(make, target, [variable, key]) {
        const name = '@__sortBy_input__'
        const keys = mapped(make, make.ident(name), variableName(variable!), key!)
        return make.fold({
          range: make.list(),
          variable: '#unused',
          accumulator: name,
          initial: target!,
          condition: make.literal(false),
          step: make.ident(name),
          result: make.member('@sortByAssociatedKeys', make.ident(name), keys),
        })
      },
    },
  ],
}

function mapped(make: ExpressionMaker, range: Expression, variable: string, transform: Expression): Expression {
  return make.fold({
    range,
    variable,
    initial: make.list(),
    condition: make.literal(true),
    step: make.call('_+_', make.ident('@result'), make.list(transform)),
    result: make.ident('@result'),
  })
}

function sortOf(id: string, type: CelType): Overload {
  return memberOverload(`list_${id}_sort`, [listOf(type)], listOf(type), (list: CelList) => {
    return new ArrayList([...list].sort((a, b) => compare(a, b) ?? 0))
  })
}

function flatten(list: CelList, depth: bigint): CelValue[] {
  const flat: CelValue[] = []
  for (const value of list) {
    if (value instanceof CelList && depth > 0n) flat.push(...flatten(value, depth - 1n))
    else flat.push(value)
  }
  return flat
}

function distinct(list: CelList): CelList {
  const seen: CelValue[] = []
  const strings = new Set<string>()
  for (const value of list) {
    if (typeof value === 'string') {
      if (strings.has(value)) continue
      strings.add(value)
      seen.push(value)
    } else if (!seen.some(other => equal(other, value))) seen.push(value)
  }
  return new ArrayList(seen)
}
