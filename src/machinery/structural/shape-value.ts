import { isJsonObject, setAt, valueAt } from '../patch/json-object.ts'
import {
  hasDefault,
  IS_RESOURCE,
  isMap,
  itemsOf,
  type JsonSchema,
  KEEPS_UNKNOWN,
  propertyOf,
  TYPE_AND_METADATA,
  valuesOf,
} from './json-schema.ts'

/** What is done to a value, and what is noted down. */
export interface ShapeContext {
  /** Fill in what has a default and is not there. */
  readonly defaults: boolean
  /** The paths of what no schema knows and is dropped. */
  readonly unknown: string[]
  /** The canonical metadata of an object within the object, at `path`. */
  metadata(value: unknown, path: string): unknown
}

/**
 * `value` as its schema wants it: unknown fields dropped, defaults filled in, `null` gone where it is not allowed. Types are not looked at:
 * that is validation's. Nothing of the input is changed; parts that nobody describes are shared with the result.
 */
export function shapeValue(value: unknown, schema: JsonSchema, path: string, context: ShapeContext): unknown {
  return shaped(value, schema, path, context, true)
}

/** The fields of a whole object but for its type and metadata, which are not the schema's. */
export function shapeFields(value: Readonly<Record<string, unknown>>, schema: JsonSchema, context: ShapeContext): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  shapeEntries(value, schema, '', context, true, result, TYPE_AND_METADATA)
  return result
}

function shaped(value: unknown, schema: JsonSchema | undefined, path: string, context: ShapeContext, prunes: boolean): unknown {
  const drops = prunes && !schema?.[KEEPS_UNKNOWN]
  if (Array.isArray(value)) return shapedList(value, schema, path, context, drops)
  if (!isJsonObject(value)) return value
  if (!schema) {
    if (!prunes) return value
    for (const key of Object.keys(value)) context.unknown.push(join(path, key))
    return {}
  }
  const result: Record<string, unknown> = {}
  shapeEntries(value, schema, path, context, prunes, result, NOTHING)
  return result
}

const NOTHING: ReadonlySet<string> = new Set()

function shapeEntries(
  value: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
  path: string,
  context: ShapeContext,
  prunes: boolean,
  result: Record<string, unknown>,
  skipped: ReadonlySet<string>,
): void {
  const drops = prunes && !schema[KEEPS_UNKNOWN]
  const isResource = schema[IS_RESOURCE] === true
  for (const key of Object.keys(value)) {
    if (skipped.has(key)) continue
    const item = value[key]
    const at = join(path, key)
    if (isResource && TYPE_AND_METADATA.has(key)) {
      setAt(result, key, key === 'metadata' ? context.metadata(item, at) : item)
      continue
    }
    const property = propertyOf(schema, key)
    if (!property && !isMap(schema)) {
      if (drops) context.unknown.push(at)
      else setAt(result, key, item)
      continue
    }
    const inner = property ?? valuesOf(schema)
    const kept = orDefault(item, inner, context)
    if (kept !== undefined) setAt(result, key, shaped(kept, inner, at, context, true))
  }
  if (context.defaults) addDefaults(schema, path, context, result, skipped)
}

function addDefaults(
  schema: JsonSchema,
  path: string,
  context: ShapeContext,
  result: Record<string, unknown>,
  skipped: ReadonlySet<string>,
): void {
  for (const key of Object.keys(schema.properties ?? {})) {
    const property = propertyOf(schema, key)
    if (skipped.has(key) || !hasDefault(property) || valueAt(result, key) !== undefined) continue
    setAt(result, key, shaped(property!.default, property, join(path, key), context, true))
  }
}

function shapedList(
  list: readonly unknown[],
  schema: JsonSchema | undefined,
  path: string,
  context: ShapeContext,
  drops: boolean,
): unknown {
  const items = itemsOf(schema)
  if (!items && !drops) return list
  return list.map((item, index) => {
    const given = item === null && items && context.defaults && !items.nullable && hasDefault(items) ? items.default : item
    return shaped(given, items, `${path}[${index}]`, context, drops)
  })
}

/** A `null` that is not allowed is the default, or nothing (undefined). */
function orDefault(value: unknown, schema: JsonSchema | undefined, context: ShapeContext): unknown {
  if (value !== null || !schema || schema.nullable) return value
  return context.defaults && hasDefault(schema) ? schema.default : undefined
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
