import { divide, duration, int, MAX_INT, MAX_UINT, MIN_INT, remainder, timestamp, truncate, uint } from '../arithmetic.ts'
import {
  declareFunction,
  type FunctionDeclaration,
  globalOverload,
  type Implementation,
  type Library,
  memberOverload,
  type Overload,
} from '../declarations.ts'
import { compare } from '../equality.ts'
import { EvaluationError } from '../evaluation-error.ts'
import { formatDouble } from '../go-numbers.ts'
import { concatLists } from '../growing.ts'
import { STANDARD_MACROS } from '../macro.ts'
import { regex } from '../regex.ts'
import { sizeOf } from '../runtime-cost.ts'
import { formatDuration, formatTimestamp, inZone, milliseconds, parseDuration, parseTimestamp } from '../time.ts'
import {
  BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listOf, mapOf, NULL, STRING, TIMESTAMP, TYPE, typeOf, typeParam, UINT,
} from '../types.ts' // biome-ignore format: one list
import { type CelDuration, type CelList, type CelTimestamp, CelTypeValue, type CelUint, type CelValue, typeNameOf } from '../values.ts'

const A = typeParam('A')
const B = typeParam('B')
const listOfA = listOf(A)
const mapOfAB = mapOf(A, B)

/** Evaluated by the planner itself: its operands are not simply computed first. */
const byPlanner = (): never => {
  throw new Error('operators are compiled, not called')
}

const operator = (name: string, ...overloads: Overload[]): FunctionDeclaration => declareFunction(name, ...overloads)
const binary = (id: string, a: CelType, b: CelType, result: CelType, evaluate: Implementation): Overload =>
  globalOverload(id, [a, b], result, evaluate)

/** `<`, `<=`, `>=`, `>` for all types that have an order, and between numbers of different types. */
function comparison(name: string, word: string, holds: (order: number) => boolean): FunctionDeclaration {
  const evaluate = (a: CelValue, b: CelValue) => {
    const order = compare(a, b)
    return order !== undefined && holds(order)
  }
  const same: readonly (readonly [string, CelType])[] = [
    ['bool', BOOL], ['int64', INT], ['uint64', UINT], ['double', DOUBLE], ['string', STRING], ['bytes', BYTES], ['timestamp', TIMESTAMP],
    ['duration', DURATION],
  ] // biome-ignore format: a table
  const numbers = same.slice(1, 4)
  const mixed = numbers.flatMap(([idA, a]) =>
    numbers.filter(([, b]) => a !== b).map(([idB, b]) => [`${word}_${idA}_${idB}`, a, b] as const),
  )
  return operator(
    name,
    ...same.map(([id, type]) => binary(`${word}_${id}`, type, type, BOOL, evaluate)),
    ...mixed.map(([id, a, b]) => binary(id, a, b, BOOL, evaluate)),
  )
}

const OPERATORS: readonly FunctionDeclaration[] = [
  operator('_&&_', globalOverload('logical_and', [BOOL, BOOL], BOOL, byPlanner)),
  operator('_||_', globalOverload('logical_or', [BOOL, BOOL], BOOL, byPlanner)),
  operator('_?_:_', globalOverload('conditional', [BOOL, A, A], A, byPlanner)),
  operator('@not_strictly_false', globalOverload('not_strictly_false', [BOOL], BOOL, byPlanner)),
  operator('_==_', globalOverload('equals', [A, A], BOOL, byPlanner)),
  operator('_!=_', globalOverload('not_equals', [A, A], BOOL, byPlanner)),
  operator('@in', globalOverload('in_list', [A, listOfA], BOOL, byPlanner), globalOverload('in_map', [A, mapOfAB], BOOL, byPlanner)),
  operator('_[_]', globalOverload('index_list', [listOfA, INT], A, byPlanner), globalOverload('index_map', [mapOfAB, A], B, byPlanner)),
  operator(
    '!_',
    globalOverload('logical_not', [BOOL], BOOL, (a: boolean) => !a),
  ),
  operator(
    '-_',
    globalOverload('negate_int64', [INT], INT, (a: bigint) => int(-a)),
    globalOverload('negate_double', [DOUBLE], DOUBLE, (a: number) => -a),
  ),
  operator(
    '_+_',
    binary('add_int64', INT, INT, INT, (a: bigint, b: bigint) => int(a + b)),
    binary('add_uint64', UINT, UINT, UINT, (a: CelUint, b: CelUint) => uint(a.value + b.value)),
    binary('add_double', DOUBLE, DOUBLE, DOUBLE, (a: number, b: number) => a + b),
    binary('add_string', STRING, STRING, STRING, (a: string, b: string) => a + b),
    binary('add_bytes', BYTES, BYTES, BYTES, joined),
    binary('add_list', listOfA, listOfA, listOfA, (a: CelList, b: CelList) => concatLists(a, b)),
    binary('add_timestamp_duration', TIMESTAMP, DURATION, TIMESTAMP, (a: CelTimestamp, b: CelDuration) =>
      timestamp(a.nanoseconds + b.nanoseconds),
    ),
    binary('add_duration_timestamp', DURATION, TIMESTAMP, TIMESTAMP, (a: CelDuration, b: CelTimestamp) =>
      timestamp(a.nanoseconds + b.nanoseconds),
    ),
    binary('add_duration_duration', DURATION, DURATION, DURATION, (a: CelDuration, b: CelDuration) =>
      duration(a.nanoseconds + b.nanoseconds),
    ),
  ),
  operator(
    '_-_',
    binary('subtract_int64', INT, INT, INT, (a: bigint, b: bigint) => int(a - b)),
    binary('subtract_uint64', UINT, UINT, UINT, (a: CelUint, b: CelUint) => uint(a.value - b.value)),
    binary('subtract_double', DOUBLE, DOUBLE, DOUBLE, (a: number, b: number) => a - b),
    binary('subtract_timestamp_timestamp', TIMESTAMP, TIMESTAMP, DURATION, (a: CelTimestamp, b: CelTimestamp) =>
      duration(a.nanoseconds - b.nanoseconds),
    ),
    binary('subtract_timestamp_duration', TIMESTAMP, DURATION, TIMESTAMP, (a: CelTimestamp, b: CelDuration) =>
      timestamp(a.nanoseconds - b.nanoseconds),
    ),
    binary('subtract_duration_duration', DURATION, DURATION, DURATION, (a: CelDuration, b: CelDuration) =>
      duration(a.nanoseconds - b.nanoseconds),
    ),
  ),
  operator(
    '_*_',
    binary('multiply_int64', INT, INT, INT, (a: bigint, b: bigint) => int(a * b)),
    binary('multiply_uint64', UINT, UINT, UINT, (a: CelUint, b: CelUint) => uint(a.value * b.value)),
    binary('multiply_double', DOUBLE, DOUBLE, DOUBLE, (a: number, b: number) => a * b),
  ),
  operator(
    '_/_',
    binary('divide_int64', INT, INT, INT, (a: bigint, b: bigint) => int(divide(a, b))),
    binary('divide_uint64', UINT, UINT, UINT, (a: CelUint, b: CelUint) => uint(divide(a.value, b.value))),
    binary('divide_double', DOUBLE, DOUBLE, DOUBLE, (a: number, b: number) => a / b),
  ),
  operator(
    '_%_',
    binary('modulo_int64', INT, INT, INT, (a: bigint, b: bigint) => {
      if (a === MIN_INT && b === -1n) throw new EvaluationError('integer overflow')
      return remainder(a, b)
    }),
    binary('modulo_uint64', UINT, UINT, UINT, (a: CelUint, b: CelUint) => uint(remainder(a.value, b.value))),
  ),
  comparison('_<_', 'less', order => order < 0),
  comparison('_<=_', 'less_equals', order => order <= 0),
  comparison('_>_', 'greater', order => order > 0),
  comparison('_>=_', 'greater_equals', order => order >= 0),
]

const sizes: readonly (readonly [string, CelType])[] = [['string', STRING], ['bytes', BYTES], ['list', listOfA], ['map', mapOfAB]] // biome-ignore format: a table
const size = (value: CelValue) => BigInt(sizeOf(value))

/** Conversions from one type each. */
const conversion = (id: string, from: CelType, to: CelType, evaluate: Implementation): Overload => globalOverload(id, [from], to, evaluate)
const identity = (value: CelValue) => value

const CONVERSIONS: readonly FunctionDeclaration[] = [
  declareFunction(
    'type',
    globalOverload('type', [A], typeOf(A), value => new CelTypeValue(typeNameOf(value))),
  ),
  declareFunction('dyn', globalOverload('to_dyn', [A], DYN, identity)),
  declareFunction('bool', conversion('bool_to_bool', BOOL, BOOL, identity), conversion('string_to_bool', STRING, BOOL, boolOf)),
  declareFunction(
    'bytes',
    conversion('bytes_to_bytes', BYTES, BYTES, identity),
    conversion('string_to_bytes', STRING, BYTES, (value: string) => new TextEncoder().encode(value)),
  ),
  declareFunction(
    'double',
    conversion('double_to_double', DOUBLE, DOUBLE, identity),
    conversion('int64_to_double', INT, DOUBLE, (value: bigint) => Number(value)),
    conversion('uint64_to_double', UINT, DOUBLE, (value: CelUint) => Number(value.value)),
    conversion('string_to_double', STRING, DOUBLE, doubleOf),
  ),
  declareFunction(
    'duration',
    conversion('duration_to_duration', DURATION, DURATION, identity),
    conversion('int64_to_duration', INT, DURATION, (value: bigint) => duration(value)),
    conversion('string_to_duration', STRING, DURATION, parseDuration),
  ),
  declareFunction(
    'int',
    conversion('int64_to_int64', INT, INT, identity),
    conversion('double_to_int64', DOUBLE, INT, (value: number) => {
      // What a double of 2^63 stands for is not certain, so cel-go refuses it at both ends.
      if (value <= -(2 ** 63) || value >= 2 ** 63) throw new EvaluationError('integer overflow')
      return truncate(value, MIN_INT, MAX_INT, 'integer overflow')
    }),
    conversion('duration_to_int64', DURATION, INT, (value: CelDuration) => value.nanoseconds),
    conversion('string_to_int64', STRING, INT, intOf),
    conversion('timestamp_to_int64', TIMESTAMP, INT, (value: CelTimestamp) => floorSeconds(value.nanoseconds)),
    conversion('uint64_to_int64', UINT, INT, (value: CelUint) => int(value.value)),
  ),
  declareFunction(
    'string',
    conversion('string_to_string', STRING, STRING, identity),
    conversion('bool_to_string', BOOL, STRING, String),
    conversion('bytes_to_string', BYTES, STRING, textOf),
    conversion('double_to_string', DOUBLE, STRING, formatDouble),
    conversion('duration_to_string', DURATION, STRING, formatDuration),
    conversion('int64_to_string', INT, STRING, String),
    conversion('timestamp_to_string', TIMESTAMP, STRING, formatTimestamp),
    conversion('uint64_to_string', UINT, STRING, (value: CelUint) => String(value.value)),
  ),
  declareFunction(
    'timestamp',
    conversion('timestamp_to_timestamp', TIMESTAMP, TIMESTAMP, identity),
    conversion('int64_to_timestamp', INT, TIMESTAMP, (value: bigint) => timestamp(value * 1_000_000_000n)),
    conversion('string_to_timestamp', STRING, TIMESTAMP, parseTimestamp),
  ),
  declareFunction(
    'uint',
    conversion('uint64_to_uint64', UINT, UINT, identity),
    conversion('double_to_uint64', DOUBLE, UINT, (value: number) => {
      if (value < 0 || value >= 2 ** 64) throw new EvaluationError('unsigned integer overflow')
      return uint(truncate(value, 0n, MAX_UINT, 'unsigned integer overflow'))
    }),
    conversion('int64_to_uint64', INT, UINT, (value: bigint) => uint(value)),
    conversion('string_to_uint64', STRING, UINT, (value: string) => {
      if (!/^\d+$/.test(value)) throw new EvaluationError(`strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`)
      return uint(BigInt(value))
    }),
  ),
]

const TEXTS: readonly FunctionDeclaration[] = [
  declareFunction(
    'size',
    ...sizes.map(([id, type]) => globalOverload(`size_${id}`, [type], INT, size)),
    ...sizes.map(([id, type]) => memberOverload(`${id}_size`, [type], INT, size)),
  ),
  declareFunction(
    'contains',
    memberOverload('contains_string', [STRING, STRING], BOOL, (text: string, part: string) => text.includes(part)),
  ),
  declareFunction(
    'endsWith',
    memberOverload('ends_with_string', [STRING, STRING], BOOL, (text: string, part: string) => text.endsWith(part)),
  ),
  declareFunction(
    'startsWith',
    memberOverload('starts_with_string', [STRING, STRING], BOOL, (text: string, part: string) => text.startsWith(part)),
  ),
  declareFunction(
    'matches',
    globalOverload('matches', [STRING, STRING], BOOL, matches),
    memberOverload('matches_string', [STRING, STRING], BOOL, matches),
  ),
]

/** `getHours()` of a moment, in UTC or a zone. */
function moment(
  name: string,
  id: string,
  of: (wall: Date, value: CelTimestamp) => number | bigint,
  ofDuration?: bigint,
): FunctionDeclaration {
  const evaluate = (value: CelTimestamp, zone = '') => BigInt(of(inZone(value, zone), value))
  const overloads = [
    memberOverload(`timestamp_to_${id}`, [TIMESTAMP], INT, evaluate),
    memberOverload(`timestamp_to_${id}_with_tz`, [TIMESTAMP, STRING], INT, evaluate),
  ]
  if (ofDuration !== undefined) {
    overloads.push(memberOverload(`duration_to_${id}`, [DURATION], INT, (value: CelDuration) => value.nanoseconds / ofDuration))
  }
  return declareFunction(name, ...overloads)
}

const TIMES: readonly FunctionDeclaration[] = [
  moment('getFullYear', 'year', wall => wall.getUTCFullYear()),
  moment('getMonth', 'month', wall => wall.getUTCMonth()),
  moment('getDayOfYear', 'day_of_year', wall => {
    const start = new Date(wall)
    start.setUTCMonth(0, 1)
    return Math.round((wall.getTime() - start.getTime()) / 86_400_000)
  }),
  moment('getDayOfMonth', 'day_of_month', wall => wall.getUTCDate() - 1),
  moment('getDate', 'day_of_month_1_based', wall => wall.getUTCDate()),
  moment('getDayOfWeek', 'day_of_week', wall => wall.getUTCDay()),
  moment('getHours', 'hours', wall => wall.getUTCHours(), 3_600_000_000_000n),
  moment('getMinutes', 'minutes', wall => wall.getUTCMinutes(), 60_000_000_000n),
  moment('getSeconds', 'seconds', wall => wall.getUTCSeconds(), 1_000_000_000n),
  moment('getMilliseconds', 'milliseconds', (_, value) => milliseconds(value), 1_000_000n),
]

/** What every expression may use. */
export const STANDARD_LIBRARY: Library = {
  functions: [...OPERATORS, ...CONVERSIONS, ...TEXTS, ...TIMES],
  macros: STANDARD_MACROS,
  types: [
    BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL, TYPE, listOf(DYN), mapOf(DYN, DYN), TIMESTAMP, DURATION,
  ],
} // biome-ignore format: one list

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

function boolOf(value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw new EvaluationError(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
}

function doubleOf(value: string): number {
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) return Number(value)
  if (/^[+-]?inf(?:inity)?$/i.test(value)) return value.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(value)) return Number.NaN
  throw new EvaluationError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`)
}

function intOf(value: string): bigint {
  if (!/^[+-]?\d+$/.test(value)) throw new EvaluationError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  const parsed = BigInt(value.startsWith('+') ? value.slice(1) : value)
  if (parsed < MIN_INT || parsed > MAX_INT)
    throw new EvaluationError(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`)
  return parsed
}

function textOf(value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    throw new EvaluationError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

function floorSeconds(nanoseconds: bigint): bigint {
  const nanos = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  return (nanoseconds - nanos) / 1_000_000_000n
}

function matches(text: string, pattern: string): boolean {
  return regex(pattern).matcher(text).find()
}
