import type { Expression } from '../ast.ts'
import { declareFunction, globalOverload, type Library } from '../declarations.ts'
import { EvaluationError } from '../evaluation-error.ts'
import { GrowingMap } from '../growing.ts'
import { ACCUMULATOR, all, type ExpressionMaker, exists, existsOne, type Fold, type Macro, MacroError, variableName } from '../macro.ts'
import { mapOf, typeParam } from '../types.ts'
import { type CelMap, type CelValue, keyOf } from '../values.ts'

const K = typeParam('K')
const V = typeParam('V')
const mapKV = mapOf(K, V)
const INSERT = 'cel.@mapInsert'

/** Macros with a variable for the index or key and one for the value. */
export const TWO_VARIABLE_COMPREHENSIONS: Library = {
  macros: [
    quantifier('all', all),
    quantifier('exists', exists),
    quantifier('existsOne', existsOne),
    quantifier('exists_one', existsOne),
    ...transformation(
      'transformList',
      make => make.list(),
      (make, _, value) => make.call('_+_', make.ident(ACCUMULATOR), make.list(value)),
    ),
    ...transformation(
      'transformMap',
      make => make.map(),
      (make, key, value) => make.call(INSERT, make.ident(ACCUMULATOR), make.ident(key), value),
    ),
    ...transformation(
      'transformMapEntry',
      make => make.map(),
      (make, _, entry) => make.call(INSERT, make.ident(ACCUMULATOR), entry),
    ),
  ],
  functions: [
    declareFunction(
      INSERT,
      globalOverload('@mapInsert_map_key_value', [mapKV, K, V], mapKV, insert),
      globalOverload('@mapInsert_map_map', [mapKV, mapKV], mapKV, (map: CelMap, added: CelMap) => {
        let result: CelMap = map
        for (const key of added.keys()) result = insert(result, key, added.get(key)!)
        return result
      }),
    ),
  ],
}

function insert(map: CelMap, key: CelValue, value: CelValue): CelMap {
  const plain = keyOf(key)
  if (plain === undefined) throw new EvaluationError('unsupported key type')
  if (map.get(key) !== undefined) throw new EvaluationError(`insert failed: key ${String(plain)} already exists`)
  if (map instanceof GrowingMap) return map.with(key, value)
  let grown = new GrowingMap()
  for (const known of map.keys()) grown = grown.with(known, map.get(known)!)
  return grown.with(key, value)
}

function quantifier(name: string, fold: (make: ExpressionMaker, predicate: Expression) => Fold): Macro {
  return {
    name,
    arity: 3,
    isMember: true,
    expand(make, target, [first, second, predicate]) {
      return make.fold({ range: target!, ...twoNames(first!, second!), ...fold(make, predicate!) })
    },
  }
}

/** A macro with and without a filter. */
function transformation(
  name: string,
  initial: (make: ExpressionMaker) => Expression,
  add: (make: ExpressionMaker, key: string, value: Expression) => Expression,
): readonly Macro[] {
  const expand = (
    make: ExpressionMaker,
    target: Expression,
    names: readonly Expression[],
    filter: Expression | undefined,
    value: Expression,
  ) => {
    const variables = twoNames(names[0]!, names[1]!)
    const added = add(make, variables.variable, value)
    return make.fold({
      range: target,
      ...variables,
      initial: initial(make),
      condition: make.literal(true),
      step: filter === undefined ? added : make.call('_?_:_', filter, added, make.ident(ACCUMULATOR)),
      result: make.ident(ACCUMULATOR),
    })
  }
  return [
    { name, arity: 3, isMember: true, expand: (make, target, args) => expand(make, target!, args, undefined, args[2]!) },
    { name, arity: 4, isMember: true, expand: (make, target, args) => expand(make, target!, args, args[2], args[3]!) },
  ]
}

function twoNames(first: Expression, second: Expression): { variable: string; variable2: string } {
  const simple = (argument: Expression) => {
    if (argument.kind !== 'ident') throw new MacroError('argument must be a simple name', argument)
    return variableName(argument)
  }
  const variable = simple(first)
  const variable2 = simple(second)
  if (variable === variable2) throw new MacroError(`duplicate variable name: ${variable}`, second)
  return { variable, variable2 }
}
