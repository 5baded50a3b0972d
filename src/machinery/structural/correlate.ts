import { isJsonObject, valueAt } from '../patch/json-object.ts'
import { itemsOf, type JsonSchema, LIST_KEYS, LIST_TYPE, propertyOf } from './json-schema.ts'

/** Finds the element of the old list that an element of the new one was; undefined where that cannot be told. */
export type FindOld = (item: unknown) => unknown

/** How elements of a list are told to be the same before and after an update: by their keys in a map list, and not at all in others. */
export function correlatedItem(schema: JsonSchema, old: unknown): FindOld {
  return schema[LIST_TYPE] === 'map' && Array.isArray(old) ? keyed(schema, old) : () => undefined
}

/** The values of an element's keys as one text, those that are not there by their defaults; undefined if it is no object. */
export function keyOf(schema: JsonSchema, item: unknown): string | undefined {
  if (!isJsonObject(item)) return undefined
  const items = itemsOf(schema)
  const values = (schema[LIST_KEYS] ?? []).map(key => valueAt(item, key) ?? (items && propertyOf(items, key)?.default) ?? null)
  return JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
}

function keyed(schema: JsonSchema, old: readonly unknown[]): FindOld {
  let byKey: Map<string, unknown> | undefined
  return item => {
    if (!byKey) {
      byKey = new Map()
      for (const element of old) {
        const key = keyOf(schema, element)
        if (key !== undefined && !byKey.has(key)) byKey.set(key, element)
      }
    }
    const key = keyOf(schema, item)
    return key === undefined ? undefined : byKey.get(key)
  }
}
