import { isJsonObject } from '../patch/json-object.ts'

/** A rule in CEL that values must keep; as the definition of a custom resource carries it. */
export interface SchemaRule {
  readonly rule: string
  readonly message?: string | undefined
  readonly messageExpression?: string | undefined
  readonly reason?: string | undefined
  readonly fieldPath?: string | undefined
  readonly optionalOldSelf?: boolean | undefined
}

/**
 * A structural schema: JSON Schema in the form of OpenAPI v3 as far as custom resources may use it. It is the very value that stands in a
 * CustomResourceDefinition; nothing is compiled ahead, what is costly (regular expressions) is kept beside the schema on first use.
 *
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
export interface JsonSchema {
  readonly description?: string | undefined
  readonly title?: string | undefined
  readonly type?: string | undefined
  readonly format?: string | undefined
  readonly default?: unknown
  readonly nullable?: boolean | undefined
  readonly maximum?: number | undefined
  readonly exclusiveMaximum?: boolean | undefined
  readonly minimum?: number | undefined
  readonly exclusiveMinimum?: boolean | undefined
  readonly multipleOf?: number | undefined
  readonly maxLength?: number | undefined
  readonly minLength?: number | undefined
  readonly pattern?: string | undefined
  readonly maxItems?: number | undefined
  readonly minItems?: number | undefined
  readonly maxProperties?: number | undefined
  readonly minProperties?: number | undefined
  readonly enum?: readonly unknown[] | undefined
  readonly required?: readonly string[] | undefined
  readonly items?: JsonSchema | readonly JsonSchema[] | undefined
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined
  readonly additionalProperties?: JsonSchema | boolean | undefined
  readonly allOf?: readonly JsonSchema[] | undefined
  readonly anyOf?: readonly JsonSchema[] | undefined
  readonly oneOf?: readonly JsonSchema[] | undefined
  readonly not?: JsonSchema | undefined
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean | undefined
  readonly 'x-kubernetes-embedded-resource'?: boolean | undefined
  readonly 'x-kubernetes-int-or-string'?: boolean | undefined
  readonly 'x-kubernetes-list-map-keys'?: readonly string[] | undefined
  readonly 'x-kubernetes-list-type'?: string | undefined
  readonly 'x-kubernetes-map-type'?: string | undefined
  readonly 'x-kubernetes-validations'?: readonly SchemaRule[] | undefined
}

/** The extensions by their short names. */
export const KEEPS_UNKNOWN = 'x-kubernetes-preserve-unknown-fields'
export const IS_RESOURCE = 'x-kubernetes-embedded-resource'
export const INT_OR_STRING = 'x-kubernetes-int-or-string'
export const LIST_KEYS = 'x-kubernetes-list-map-keys'
export const LIST_TYPE = 'x-kubernetes-list-type'
export const MAP_TYPE = 'x-kubernetes-map-type'
export const RULES = 'x-kubernetes-validations'

/** What every object has, whatever its schema says. */
export const TYPE_AND_METADATA: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** The schema of a list's elements. */
export function itemsOf(schema: JsonSchema | undefined): JsonSchema | undefined {
  const items = schema?.items
  return isSchema(items) ? items : undefined
}

/** The schema of a declared property; names that mean something to JavaScript are names like any other. */
export function propertyOf(schema: JsonSchema, name: string): JsonSchema | undefined {
  return schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
}

/** The schema of the values of a map; undefined also where any value may be. */
export function valuesOf(schema: JsonSchema | undefined): JsonSchema | undefined {
  const values = schema?.additionalProperties
  return isSchema(values) ? values : undefined
}

/** Whether keys that are no declared properties may be there (`additionalProperties`). */
export function isMap(schema: JsonSchema): boolean {
  return schema.additionalProperties !== undefined && schema.additionalProperties !== false
}

/** Whether the schema has a default; `null` is none. */
export function hasDefault(schema: JsonSchema | undefined): boolean {
  return (schema?.default ?? null) !== null
}

export function isSchema(value: JsonSchema['items'] | boolean): value is JsonSchema {
  return isJsonObject(value)
}

/** Calls `visit` for the schema and everything within it, junctors too, until one answers true. */
export function someSchema(schema: JsonSchema, visit: (part: JsonSchema) => boolean): boolean {
  if (visit(schema)) return true
  for (const part of partsOf(schema)) if (someSchema(part, visit)) return true
  return false
}

function* partsOf(schema: JsonSchema): Iterable<JsonSchema> {
  for (const junctor of [schema.allOf, schema.anyOf, schema.oneOf]) yield* junctor ?? []
  if (schema.not) yield schema.not
  yield* structureOf(schema)
}

/** The schemas of properties, of a map's values and of a list's elements. */
export function* structureOf(schema: JsonSchema): Iterable<JsonSchema> {
  if (schema.properties) yield* Object.values(schema.properties)
  const values = valuesOf(schema)
  if (values) yield values
  const items = itemsOf(schema)
  if (items) yield items
}

/** The alternatives that say of an int-or-string what it is. */
export const EITHER_PATTERN: readonly JsonSchema[] = [{ type: 'integer' }, { type: 'string' }]
