import { isJsonObject, valueAt } from '../patch/json-object.ts'
import type { FieldErrors } from '../status/field-errors.ts'
import { keyOf } from './correlate.ts'
import { itemsOf, type JsonSchema, LIST_KEYS, LIST_TYPE, propertyOf, valuesOf } from './json-schema.ts'

/** Elements of a set, and keys of a map list, stand in it once. */
export function validateListTypes(value: unknown, schema: JsonSchema, errors: FieldErrors): void {
  if (Array.isArray(value)) {
    if (schema[LIST_TYPE] === 'set')
      validateUnique(
        value,
        errors,
        item => canonical(item),
        item => item,
      )
    else if (schema[LIST_TYPE] === 'map')
      validateUnique(
        value,
        errors,
        item => keyOf(schema, item),
        item => keysOf(schema, item),
      )
    const items = itemsOf(schema)
    if (items) value.forEach((item, index) => void validateListTypes(item, items, errors.index(index)))
  } else if (isJsonObject(value)) {
    const values = valuesOf(schema)
    for (const key of Object.keys(value)) {
      const property = propertyOf(schema, key)
      if (property) validateListTypes(value[key], property, errors.at(key))
      else if (values) validateListTypes(value[key], values, errors.key(key))
    }
  }
}

function validateUnique(
  list: readonly unknown[],
  errors: FieldErrors,
  identity: (item: unknown) => string | undefined,
  shown: (item: unknown) => unknown,
): void {
  const seen = new Set<string>()
  list.forEach((item, index) => {
    const id = identity(item)
    if (id === undefined) return
    if (seen.has(id)) errors.index(index).duplicate(shown(item))
    seen.add(id)
  })
}

function keysOf(schema: JsonSchema, item: unknown): unknown {
  if (!isJsonObject(item)) return item
  const keys = (schema[LIST_KEYS] ?? []).filter(key => valueAt(item, key) !== undefined)
  return Object.fromEntries(keys.map(key => [key, valueAt(item, key)]))
}

/** The same text for the same value, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    return isJsonObject(part) ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1))) : part
  })
}
