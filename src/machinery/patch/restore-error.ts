import { canonicalQuantity } from '../quantity/quantity.ts'
import { type AnySchema, type Shape, shapeOf } from '../schema/schema.ts'
import { canonicalMicroTime, canonicalTime } from '../time/time.ts'
import { isJsonObject } from './json-object.ts'

/**
 * What is said of an object that a strategic merge patch left with a value of the wrong type, or undefined if it is fine. Upstream decodes
 * the outcome of that patch in another way than JSON that was sent, and so in other words: `cannot restore slice from string`.
 */
export function restoreError(value: unknown, schema: AnySchema): string | undefined {
  if (value === null || value === undefined) return undefined
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'list':
      return Array.isArray(value) ? firstError(value, () => shape.of) : `cannot restore slice from ${kindOf(value)}`
    case 'map':
      return isJsonObject(value) ? firstError(Object.values(value), () => shape.of) : `cannot restore map from ${kindOf(value)}`
    case 'message': {
      if (!isJsonObject(value)) return `cannot restore struct from: ${kindOf(value)}`
      const names = Object.keys(shape.fields).filter(name => Object.hasOwn(value, name))
      return firstError(
        names.map(name => value[name]),
        index => shape.fields[names[index]!]!.schema,
      )
    }
    case 'bytes':
      return typeof value === 'string' ? undefined : `cannot restore slice from ${kindOf(value)}`
    case 'raw':
      return undefined
    default:
      return scalarError(value, shape)
  }
}

function firstError(values: readonly unknown[], schemaAt: (index: number) => AnySchema): string | undefined {
  for (let index = 0; index < values.length; index++) {
    const error = restoreError(values[index], schemaAt(index))
    if (error !== undefined) return error
  }
  return undefined
}

function scalarError(value: unknown, shape: Shape): string | undefined {
  switch (shape.type) {
    case 'string':
      return typeof value === 'string' ? undefined : cannotConvert(value, 'string')
    case 'boolean':
      return typeof value === 'boolean' ? undefined : cannotConvert(value, 'bool')
    case 'integer':
      return isWhole(value) ? undefined : cannotConvert(value, `int${shape.bits}`)
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? undefined : cannotConvert(value, 'float64')
    case 'quantity':
      return typeof value === 'number' || typeof value === 'bigint' ? undefined : unmarshalError(value, canonicalQuantity)
    case 'time':
      return unmarshalError(value, canonicalTime)
    case 'microTime':
      return unmarshalError(value, canonicalMicroTime)
    case 'intOrString':
      return typeof value === 'string' || isWhole(value)
        ? undefined
        : `json: cannot unmarshal ${jsonKindOf(value)} into Go value of type int32`
    default:
      return undefined
  }
}

/** Types that read themselves say what they say of JSON. */
function unmarshalError(value: unknown, read: (text: string) => string): string | undefined {
  if (typeof value !== 'string') return `json: cannot unmarshal ${jsonKindOf(value)} into Go value of type string`
  try {
    read(value)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function isWhole(value: unknown): boolean {
  return typeof value === 'bigint' || Number.isInteger(value)
}

function cannotConvert(value: unknown, type: string): string {
  return `cannot convert ${goTypeOf(value)} to ${type}`
}

/** Go's `reflect.Kind` of a JSON value. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice'
  return isJsonObject(value) ? 'map' : goTypeOf(value)
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (isJsonObject(value)) return 'map[string]interface {}'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return isWhole(value) ? 'int64' : 'float64'
}

function jsonKindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'bigint' ? 'number' : typeof value
}
