import { MAX_UINT, MIN_INT } from '../arithmetic.ts'
import type { Expression } from '../ast.ts'
import { declareFunction, type FunctionDeclaration, globalOverload, type Implementation, type Library } from '../declarations.ts'
import { compareNumbers } from '../equality.ts'
import { EvaluationError } from '../evaluation-error.ts'
import { type Macro, MacroError } from '../macro.ts'
import { BOOL, type CelType, DOUBLE, DYN, INT, listOf, UINT } from '../types.ts'
import { type CelList, CelUint, type CelValue } from '../values.ts'

type CelNumber = bigint | number | CelUint

const NUMBERS: readonly (readonly [string, CelType])[] = [['double', DOUBLE], ['int', INT], ['uint', UINT]] // biome-ignore format: a table

const ofDouble = (name: string, evaluate: Implementation, result: CelType = DOUBLE): FunctionDeclaration =>
  declareFunction(`math.${name}`, globalOverload(`math_${name}_double`, [DOUBLE], result, evaluate))

/** Bitwise functions of two integers of one type. */
function bitwise(name: string, operate: (a: bigint, b: bigint) => bigint): FunctionDeclaration {
  return declareFunction(
    `math.${name}`,
    globalOverload(`math_${name}_int_int`, [INT, INT], INT, (a: bigint, b: bigint) => BigInt.asIntN(64, operate(a, b))),
    globalOverload(
      `math_${name}_uint_uint`,
      [UINT, UINT],
      UINT,
      (a: CelUint, b: CelUint) => new CelUint(BigInt.asUintN(64, operate(a.value, b.value))),
    ),
  )
}

/** Shifts by 64 and more leave nothing; a shift to the right brings zeroes in, also for `int`. */
function shift(name: string, operate: (bits: bigint, by: bigint) => bigint): FunctionDeclaration {
  const shifted = (bits: bigint, by: bigint) => {
    if (by < 0n) throw new EvaluationError(`math.${name}() negative offset: ${by}`)
    return by >= 64n ? 0n : BigInt.asUintN(64, operate(BigInt.asUintN(64, bits), by))
  }
  return declareFunction(
    `math.${name}`,
    globalOverload(`math_${name}_int_int`, [INT, INT], INT, (a: bigint, by: bigint) => BigInt.asIntN(64, shifted(a, by))),
    globalOverload(`math_${name}_uint_int`, [UINT, INT], UINT, (a: CelUint, by: bigint) => new CelUint(shifted(a.value, by))),
  )
}

/** `math.@min` and `math.@max`, to which the macros `least` and `greatest` come down. */
function extreme(name: 'min' | 'max'): FunctionDeclaration {
  const wanted = name === 'min' ? 1 : -1
  const pick = (a: CelNumber, b: CelNumber): CelNumber => (compareNumbers(a, b) === wanted ? b : a)
  return declareFunction(
    `math.@${name}`,
    ...NUMBERS.map(([id, type]) => globalOverload(`math_@${name}_${id}`, [type], type, (value: CelValue) => value)),
    ...NUMBERS.flatMap(([idA, a]) =>
      NUMBERS.map(([idB, b]) => globalOverload(`math_@${name}_${idA}_${idB}`, [a, b], a === b ? a : DYN, pick)),
    ),
    ...NUMBERS.map(([id, type]) =>
      globalOverload(`math_@${name}_list_${id}`, [listOf(type)], type, (list: CelList) => {
        if (list.size === 0) throw new EvaluationError(`math.@${name}(list) argument must not be empty`)
        const values = [...list] as CelNumber[]
        if (values.some(value => typeof value !== 'bigint' && typeof value !== 'number' && !(value instanceof CelUint))) {
          throw new EvaluationError(`no such overload: math.@${name}`)
        }
        return values.reduce(pick)
      }),
    ),
  )
}

function extremeMacro(name: 'least' | 'greatest', target: 'min' | 'max'): Macro {
  return {
    name,
    arity: undefined,
    isMember: true,
    expand(make, receiver, args) {
      if (receiver?.kind !== 'ident' || receiver.name !== 'math') return undefined
      const [only] = args
      if (only === undefined) throw new MacroError(`math.${name}() requires at least one argument`, receiver)
      if (args.length === 1) {
        const isFine = only.kind === 'list' ? only.elements.length > 0 && only.elements.every(mayBeNumber) : mayBeNumber(only)
        if (!isFine) throw new MacroError(`math.${name}() invalid single argument value`, only)
        return make.call(`math.@${target}`, only)
      }
      for (const argument of args) {
        if (!mayBeNumber(argument)) throw new MacroError(`math.${name}() simple literal arguments must be numeric`, argument)
      }
      return args.length === 2 ? make.call(`math.@${target}`, ...args) : make.call(`math.@${target}`, make.list(...args))
    },
  }
}

function mayBeNumber(node: Expression): boolean {
  if (node.kind === 'list' || node.kind === 'map' || node.kind === 'struct') return false
  if (node.kind !== 'literal') return true
  return typeof node.value === 'bigint' || typeof node.value === 'number' || node.value instanceof CelUint
}

/** cel-go's extension for numbers. */
export const MATH_LIBRARY: Library = {
  macros: [extremeMacro('least', 'min'), extremeMacro('greatest', 'max')],
  functions: [
    extreme('min'),
    extreme('max'),
    ofDouble('ceil', Math.ceil),
    ofDouble('floor', Math.floor),
    // Half goes away from zero, as in Go; JavaScript's own goes up.
    ofDouble('round', (value: number) => Math.sign(value) * Math.round(Math.abs(value))),
    ofDouble('trunc', Math.trunc),
    ofDouble('isInf', (value: number) => value === Infinity || value === -Infinity, BOOL),
    ofDouble('isNaN', Number.isNaN, BOOL),
    ofDouble('isFinite', Number.isFinite, BOOL),
    declareFunction(
      'math.abs',
      globalOverload('math_abs_double', [DOUBLE], DOUBLE, Math.abs),
      globalOverload('math_abs_int', [INT], INT, (value: bigint) => {
        if (value === MIN_INT) throw new EvaluationError('integer overflow')
        return value < 0n ? -value : value
      }),
      globalOverload('math_abs_uint', [UINT], UINT, (value: CelValue) => value),
    ),
    declareFunction(
      'math.sign',
      globalOverload('math_sign_double', [DOUBLE], DOUBLE, Math.sign),
      globalOverload('math_sign_int', [INT], INT, (value: bigint) => (value > 0n ? 1n : value < 0n ? -1n : 0n)),
      globalOverload('math_sign_uint', [UINT], UINT, (value: CelUint) => new CelUint(value.value === 0n ? 0n : 1n)),
    ),
    declareFunction(
      'math.sqrt',
      globalOverload('math_sqrt_double', [DOUBLE], DOUBLE, Math.sqrt),
      globalOverload('math_sqrt_int', [INT], DOUBLE, (value: bigint) => Math.sqrt(Number(value))),
      globalOverload('math_sqrt_uint', [UINT], DOUBLE, (value: CelUint) => Math.sqrt(Number(value.value))),
    ),
    bitwise('bitAnd', (a, b) => a & b),
    bitwise('bitOr', (a, b) => a | b),
    bitwise('bitXor', (a, b) => a ^ b),
    declareFunction(
      'math.bitNot',
      globalOverload('math_bitNot_int_int', [INT], INT, (value: bigint) => ~value),
      globalOverload('math_bitNot_uint_uint', [UINT], UINT, (value: CelUint) => new CelUint(MAX_UINT ^ value.value)),
    ),
    shift('bitShiftLeft', (bits, by) => bits << by),
    shift('bitShiftRight', (bits, by) => bits >> by),
  ],
}
