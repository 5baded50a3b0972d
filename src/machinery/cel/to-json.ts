import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { JsonList, JsonMap, JsonObject } from '#base/languages/cel/json-values.ts'
import { formatDuration, formatTimestamp } from '#base/languages/cel/time.ts'
import { CelDuration, CelList, CelMap, CelObject, CelOptional, CelTimestamp, CelUint, type CelValue, describeValue } from '#base/languages/cel/values.ts' // biome-ignore format: one list
import { setAt } from '../patch/json-object.ts'

/** The JSON that a value stands for. What was read from JSON is given back as it is. Throws an {@link EvaluationError} for what has none. */
export function toJson(value: CelValue): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'bigint') return integer(value)
  if (value instanceof CelUint) return integer(value.value)
  if (value instanceof JsonList || value instanceof JsonMap || value instanceof JsonObject) return value.json
  if (value instanceof Uint8Array) return btoa(Array.from(value, byte => String.fromCharCode(byte)).join(''))
  if (value instanceof CelTimestamp) return formatTimestamp(value)
  if (value instanceof CelDuration) return formatDuration(value)
  if (value instanceof CelOptional) return value.value === undefined ? null : toJson(value.value)
  if (value instanceof CelList) return [...value].map(toJson)
  if (value instanceof CelMap) {
    const object: Record<string, unknown> = {}
    for (const key of value.keys()) {
      if (typeof key !== 'string') throw new EvaluationError(`unsupported type conversion: a key is ${describeValue(key)}`)
      setAt(object, key, toJson(value.get(key)!))
    }
    return object
  }
  if (value instanceof CelObject && 'fields' in value) {
    const object: Record<string, unknown> = {}
    for (const [name, field] of value.fields as ReadonlyMap<string, CelValue>) setAt(object, name, toJson(field))
    return object
  }
  throw new EvaluationError(`unsupported type conversion from ${describeValue(value)} to JSON`)
}

/** A number where it holds the integer exactly. */
function integer(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
