import { noSuchOverload } from './evaluation-error.ts'
import {
  CelDuration, CelList, CelMap, CelObject, CelOpaque, CelOptional, CelTimestamp, CelTypeValue, CelUint, type CelValue, elementKey,
} from './values.ts' // biome-ignore format: one list

/** `a == b`: numbers by their value whatever their types; values of different types are not equal. */
export function equal(a: CelValue, b: CelValue): boolean {
  if (a === b) return true
  if (typeof a === 'string' || typeof a === 'boolean' || a === null || b === null) return false
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b)
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0
  if (a instanceof CelTimestamp) return b instanceof CelTimestamp && a.nanoseconds === b.nanoseconds
  if (a instanceof CelDuration) return b instanceof CelDuration && a.nanoseconds === b.nanoseconds
  if (a instanceof CelTypeValue) return b instanceof CelTypeValue && a.name === b.name
  if (a instanceof CelOptional) {
    if (!(b instanceof CelOptional)) return false
    return a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value)
  }
  if (a instanceof CelObject) return b instanceof CelObject && a.equals(b, equal)
  return a instanceof CelOpaque && b instanceof CelOpaque && a.equals(b)
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.size !== b.size) return false
  if (a.keyedBy !== undefined && b.keyedBy !== undefined) return equalInAnyOrder(a, b, a.keyedBy)
  for (let i = 0; i < a.size; i++) if (!equal(a.at(i), b.at(i))) return false
  return true
}

/** Lists that are sets, or maps by some fields of their elements. */
function equalInAnyOrder(a: CelList, b: CelList, keys: readonly string[]): boolean {
  const others = new Map<string, CelValue>()
  for (const element of b) others.set(elementKey(element, keys), element)
  for (const element of a) {
    const other = others.get(elementKey(element, keys))
    if (other === undefined || !equal(element, other)) return false
  }
  return true
}

function equalMaps(a: CelMap, b: CelMap): boolean {
  if (a.size !== b.size) return false
  for (const key of a.keys()) {
    const other = b.get(key)
    if (other === undefined || !equal(a.get(key)!, other)) return false
  }
  return true
}

/** Negative, zero or positive; undefined where a NaN has no order. Throws where the types have none. */
export function compare(a: CelValue, b: CelValue): number | undefined {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b)
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  if (a instanceof CelTimestamp && b instanceof CelTimestamp) return sign(a.nanoseconds - b.nanoseconds)
  if (a instanceof CelDuration && b instanceof CelDuration) return sign(a.nanoseconds - b.nanoseconds)
  throw noSuchOverload()
}

export function isNumber(value: CelValue): value is bigint | number | CelUint {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof CelUint
}

/** Integers exactly; an integer and a double as doubles, as cel-go does. Undefined beside a NaN. */
export function compareNumbers(a: bigint | number | CelUint, b: bigint | number | CelUint): number | undefined {
  const x = a instanceof CelUint ? a.value : a
  const y = b instanceof CelUint ? b.value : b
  return typeof x === 'bigint' && typeof y === 'bigint' ? sign(x - y) : compareDoubles(Number(x), Number(y))
}

function compareDoubles(x: number, y: number): number | undefined {
  if (x < y) return -1
  if (x > y) return 1
  return Number.isNaN(x) || Number.isNaN(y) ? undefined : 0
}

function sign(difference: bigint): number {
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** By code points, as UTF-8 orders them; UTF-16 would put surrogates before U+E000. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1
    return x - y
  }
  return a.length - b.length
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
