import { CelList, CelMap, type CelValue } from './values.ts'

/** What a call costs: always the same, or by its arguments and result. */
export type CallCost = number | ((args: readonly CelValue[], result: CelValue) => number)

/** What calls cost when they are made. */
export interface CostModel {
  callCost(name: string, overloadId: string): CallCost
}

/** Per character of a string or byte. */
export const STRING_FACTOR = 0.1
/** Per character of a pattern. */
export const PATTERN_FACTOR = 0.25

const traversal = (factor: number) => (args: readonly CelValue[]) => Math.ceil(sizeOf(args[0]!) * factor)
const smaller = (args: readonly CelValue[]) => Math.ceil(Math.min(sizeOf(args[0]!), sizeOf(args[1]!)) * STRING_FACTOR)
const sum = (args: readonly CelValue[]) => Math.ceil((sizeOf(args[0]!) + sizeOf(args[1]!)) * STRING_FACTOR)

/** As cel-go's `CostTracker`; what is not listed costs one. */
const STANDARD_COSTS: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ...['starts_with_string', 'ends_with_string', 'string_to_bytes', 'bytes_to_string'].map(id => [id, traversal(STRING_FACTOR)] as const),
  ...['less', 'greater', 'less_equals', 'greater_equals'].flatMap(id =>
    [`${id}_string`, `${id}_bytes`].map(each => [each, smaller] as const),
  ),
  ['add_string', sum],
  ['add_bytes', sum],
  ['matches', matchCost],
  ['matches_string', matchCost],
  ['contains_string', args => Math.ceil(sizeOf(args[0]!) * STRING_FACTOR) * Math.ceil(sizeOf(args[1]!) * STRING_FACTOR)],
])

export function matchCost(args: readonly CelValue[]): number {
  return Math.ceil((1 + sizeOf(args[0]!)) * STRING_FACTOR) * Math.ceil(sizeOf(args[1]!) * PATTERN_FACTOR)
}

export const STANDARD_COST_MODEL: CostModel = { callCost: (_, overloadId) => STANDARD_COSTS.get(overloadId) ?? 1 }

/** What `size()` says of a value; one where it says nothing. */
export function sizeOf(value: CelValue): number {
  if (typeof value === 'string') return codePoints(value)
  if (value instanceof Uint8Array) return value.length
  if (value instanceof CelList || value instanceof CelMap) return value.size
  return 1
}

/** How many code points a string has. */
export function codePoints(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(i + 1)
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--
      i++
    }
  }
  return count
}
