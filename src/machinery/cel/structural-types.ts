import {
  BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listOf, mapOf, objectType, STRING, sized, TIMESTAMP,
} from '#base/languages/cel/types.ts' // biome-ignore format: one list
import { itemsOf, type JsonSchema } from '../structural/json-schema.ts'
import { escapeProperty } from './names.ts'

/** No request is larger, so no value is. */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024

/**
 * The type of the values that a schema describes; undefined where it does not say (and no rule can look at them). Sizes that the schema does
 * not limit are what fits in a request. `isResourceRoot`: apiVersion, kind, metadata.name and metadata.generateName are there as well.
 * Upstream's `SchemaDeclType`.
 */
export function typeOfStructuralSchema(schema: JsonSchema, isResourceRoot = false): CelType | undefined {
  return declared(schema, isResourceRoot, 'object')?.type
}

/** How many values of a schema fit in a request: each takes its least, and a comma. Undefined where it does not say what they are. */
export function mostInRequest(schema: JsonSchema, isResourceRoot = false): number | undefined {
  const one = declared(schema, isResourceRoot, 'object')
  return one && Math.floor(MAX_REQUEST_BYTES / (one.minBytes + 1))
}

interface Declared {
  readonly type: CelType
  /** The least that a value takes in JSON. */
  readonly minBytes: number
}

function declared(schema: JsonSchema, isResourceRoot: boolean, name: string): Declared | undefined {
  if (schema['x-kubernetes-int-or-string']) return { type: sized(DYN, MAX_REQUEST_BYTES - 2), minBytes: 1 }
  const whole = isResourceRoot ? withObjectMeta(schema) : schema
  switch (whole.type) {
    case 'array':
      return listType(whole, name)
    case 'object':
      return typeof whole.additionalProperties === 'object' ? mapType(whole, whole.additionalProperties, name) : objectOf(whole, name)
    case 'string':
      return stringType(whole)
    case 'boolean':
      return { type: BOOL, minBytes: 4 }
    case 'number':
      return { type: DOUBLE, minBytes: 1 }
    case 'integer':
      return { type: INT, minBytes: 1 }
    default:
      return undefined
  }
}

function listType(schema: JsonSchema, name: string): Declared | undefined {
  const items = itemsOf(schema)
  if (items === undefined) return undefined
  const element = declared(items, items['x-kubernetes-embedded-resource'] === true, `${name}.@items`)
  if (element === undefined) return undefined
  const maxItems =
    schema.maxItems === undefined ? Math.floor((MAX_REQUEST_BYTES - 2) / (element.minBytes + 1)) : Math.max(schema.maxItems, 0)
  const kind = schema['x-kubernetes-list-type']
  const type = listOf(element.type, maxItems)
  if (kind !== 'set' && kind !== 'map') return { type, minBytes: 2 }
  const keys = kind === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : []
  return { type: { ...type, keyedBy: keys.map(key => escapeProperty(key) ?? key) }, minBytes: 2 }
}

function mapType(schema: JsonSchema, values: JsonSchema, name: string): Declared | undefined {
  const value = declared(values, values['x-kubernetes-embedded-resource'] === true, `${name}.@values`)
  if (value === undefined) return undefined
  const { maxProperties } = schema
  const max = maxProperties === undefined ? Math.floor((MAX_REQUEST_BYTES - 2) / (value.minBytes + 6)) : Math.max(maxProperties, 0)
  return { type: mapOf(STRING, value.type, max), minBytes: 2 }
}

function objectOf(schema: JsonSchema, name: string): Declared {
  const types = new Map<string, CelType>()
  const keys = new Map<string, string>()
  const required = new Set(schema.required ?? [])
  let minBytes = 2
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const field = declared(property, property['x-kubernetes-embedded-resource'] === true, `${name}.${key}`)
    if (field === undefined) continue
    const escaped = escapeProperty(key)
    if (escaped !== undefined) {
      types.set(escaped, field.type)
      keys.set(escaped, key)
    }
    if (required.has(key) && property.default === undefined) minBytes += key.length + field.minBytes + 4
  }
  const type = objectType(name, { get: field => types.get(field), names: () => types.keys(), keyOf: field => keys.get(field) ?? field })
  return { type, minBytes }
}

function stringType({ format, maxLength, enum: values }: JsonSchema): Declared {
  switch (format) {
    case 'byte':
      return { type: sized(BYTES, maxLength === undefined ? MAX_REQUEST_BYTES - 2 : Math.max(maxLength, 0)), minBytes: 2 }
    case 'duration':
      return { type: sized(DURATION, 32), minBytes: 3 }
    case 'date':
      return { type: sized(TIMESTAMP, 12), minBytes: 12 }
    case 'date-time':
      return { type: sized(TIMESTAMP, 32), minBytes: 21 }
  }
  // maxLength counts characters, of up to four bytes each.
  if (maxLength !== undefined) return { type: sized(STRING, Math.max(maxLength, 0) * 4), minBytes: 2 }
  const longest = (values ?? []).reduce<number>((most, value) => Math.max(most, typeof value === 'string' ? value.length : 0), 0)
  return { type: sized(STRING, (values ?? []).length > 0 ? longest : MAX_REQUEST_BYTES - 2), minBytes: 2 }
}

/** With what every object has, whether its schema says so or not. */
function withObjectMeta(schema: JsonSchema): JsonSchema {
  const { properties = {} } = schema
  const text: JsonSchema = { type: 'string' }
  return {
    ...schema,
    type: 'object',
    properties: {
      ...properties,
      kind: text,
      apiVersion: text,
      metadata: {
        ...properties['metadata'],
        type: 'object',
        properties: { ...properties['metadata']?.properties, name: text, generateName: text },
      },
    },
  }
}
