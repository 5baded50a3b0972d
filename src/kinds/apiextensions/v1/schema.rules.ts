import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { fieldPath } from '#machinery/structural/field-path.ts'
import {
  hasDefault,
  IS_RESOURCE,
  isSchema,
  type JsonSchema,
  KEEPS_UNKNOWN,
  LIST_KEYS,
  LIST_TYPE,
  MAP_TYPE,
  propertyOf,
  RULES,
  type SchemaRule,
  TYPE_AND_METADATA,
} from '#machinery/structural/json-schema.ts'
import { internal, sortedEntries } from '../../meta/v1/rules.ts'
import type { JSONSchemaProps } from './json-schema-props.ts'

/** Where in a schema a check stands, as far as it matters to what may be said there. */
interface Place {
  readonly isRoot: boolean
  /** Why no default may be given here; undefined where one may. */
  readonly noDefaults?: string
  /** Within the type or metadata of an object. */
  readonly isMeta?: boolean
}

/** What of OpenAPI a definition may use, and what goes with what. Structure, defaults and rules in CEL are checked elsewhere. */
export function validateOpenApiSchema(schema: JSONSchemaProps, errors: FieldErrors): void {
  validate(schema, { isRoot: true }, errors)
}

function validate(schema: JSONSchemaProps, place: Place, errors: FieldErrors): void {
  validateWords(schema, place, errors)
  if (schema.uniqueItems) {
    errors.at('uniqueItems').forbidden('uniqueItems cannot be set to true since the runtime complexity becomes quadratic')
  }
  validateProperties(schema, place, errors)
  const inner: Place = { ...place, isRoot: false }
  if (schema.not) validate(schema.not, inner, errors.at('not'))
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const) {
    schema[junctor]?.forEach((part, index) => void validate(part, inner, errors.at(junctor).index(index)))
  }
  for (const [name, part] of sortedEntries(schema.definitions)) validate(part, inner, errors.at('definitions').key(name))
  const { items } = schema
  if (Array.isArray(items)) items.forEach((part: JSONSchemaProps, index) => void validate(part, inner, errors.at('items').index(index)))
  else if (items) validate(items as JSONSchemaProps, inner, errors.at('items'))
  if (schema[KEEPS_UNKNOWN] === false) errors.at(KEEPS_UNKNOWN).invalid(false, 'must be true or undefined')
  validateMapType(schema as JsonSchema, errors)
  validateListType(schema as JsonSchema, errors)
  schema[RULES]?.forEach((rule, index) => void validateRuleWords(rule, schema as JsonSchema, errors.at(RULES).index(index)))
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']

function validateWords(schema: JSONSchemaProps, { noDefaults, isMeta }: Place, errors: FieldErrors): void {
  const { type = '', id, additionalItems, patternProperties, definitions, dependencies, items } = schema
  if (type !== '' && !TYPES.includes(type)) errors.at('type').notSupported(type, TYPES)
  if (noDefaults !== undefined && hasDefault(schema as JsonSchema)) errors.at('default').forbidden(`must not be set ${noDefaults}`)
  if (id) errors.at('id').forbidden('id is not supported')
  if (additionalItems !== undefined) errors.at('additionalItems').forbidden('additionalItems is not supported')
  if (patternProperties) errors.at('patternProperties').forbidden('patternProperties is not supported')
  if (definitions) errors.at('definitions').forbidden('definitions is not supported')
  if (dependencies) errors.at('dependencies').forbidden('dependencies is not supported')
  if (schema.$ref !== undefined) errors.at('$ref').forbidden('$ref is not supported')
  if (type === 'null') errors.at('type').forbidden('type cannot be set to null, use nullable as an alternative')
  if (Array.isArray(items)) errors.at('items').forbidden('items must be a schema object and not an array')
  if (isMeta && schema[IS_RESOURCE]) errors.at(IS_RESOURCE).forbidden('must not be used inside of resource meta')
}

function validateProperties(schema: JSONSchemaProps, place: Place, errors: FieldErrors): void {
  const { additionalProperties } = schema
  const properties = sortedEntries(schema.properties)
  if (additionalProperties !== undefined) {
    if (properties.length > 0 && additionalProperties !== true) {
      errors.at('additionalProperties').forbidden('additionalProperties and properties are mutual exclusive')
    }
    if (isSchema(additionalProperties as JsonSchema)) {
      const noDefaults = place.isMeta ? { noDefaults: 'inside additionalProperties applying to object metadata' } : {}
      validate(additionalProperties as JSONSchemaProps, { ...place, isRoot: false, ...noDefaults }, errors.at('additionalProperties'))
    }
  }
  for (const [name, part] of properties) {
    const isMeta = (place.isRoot || schema[IS_RESOURCE]) && TYPE_AND_METADATA.has(name)
    const meta = isMeta ? { isMeta: true, ...(place.isRoot ? { noDefaults: `in top-level ${name}` } : {}) } : {}
    validate(part, { ...place, isRoot: false, ...meta }, errors.at('properties').key(name))
  }
}

function validateMapType(schema: JsonSchema, errors: FieldErrors): void {
  const mapType = schema[MAP_TYPE]
  if (mapType === undefined) return
  const detail = `must be object if ${MAP_TYPE} is specified`
  if (!schema.type) errors.at('type').required(detail)
  else if (schema.type !== 'object') errors.at('type').invalid(schema.type, detail)
  if (mapType !== 'atomic' && mapType !== 'granular') errors.at(MAP_TYPE).notSupported(mapType, ['atomic', 'granular'])
}

function validateListType(schema: JsonSchema, errors: FieldErrors): void {
  const listType = schema[LIST_TYPE]
  const keys = schema[LIST_KEYS] ?? []
  const items = isSchema(schema.items) ? schema.items : undefined
  if (listType !== undefined && schema.type !== 'array') {
    const detail = `must be array if ${LIST_TYPE} is specified`
    if (!schema.type) errors.at('type').required(detail)
    else errors.at('type').invalid(schema.type, detail)
  } else if (listType === 'set' && items) validateSetItems(items, errors.at('items'))
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) {
    errors.at(LIST_TYPE).notSupported(listType, ['atomic', 'set', 'map'])
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = `must be map if ${LIST_KEYS} is non-empty`
    if (listType === undefined) errors.at(LIST_TYPE).required(detail)
    else errors.at(LIST_TYPE).invalid(listType, detail)
  }
  if (listType === 'map') validateMapList(schema, keys, items, errors)
  if ((listType === 'map' || listType === 'set') && items) validateNotNullable(items, listType, keys, errors.at('items'))
}

/** What stands in a set is compared as a whole. */
function validateSetItems(items: JsonSchema, errors: FieldErrors): void {
  const detail = `must be atomic as item of a list with ${LIST_TYPE}=set`
  const inner = items[LIST_TYPE]
  if (items.type === 'array' && inner !== undefined && inner !== 'atomic') errors.at(LIST_TYPE).invalid(inner, detail)
  if (items.type === 'object' && items[MAP_TYPE] !== 'atomic') errors.at(MAP_TYPE).invalid(inner ?? null, detail)
}

function validateMapList(schema: JsonSchema, keys: readonly string[], items: JsonSchema | undefined, errors: FieldErrors): void {
  if (keys.length === 0) errors.at(LIST_KEYS).required(`must not be empty if ${LIST_TYPE} is map`)
  if (schema.items === undefined) errors.at('items').required(`must have a schema if ${LIST_TYPE} is map`)
  else if (!items) errors.at('items').invalid(internal(schema.items), `must only have a single schema if ${LIST_TYPE} is map`)
  if (!items) return
  if (items.type !== 'object') {
    errors
      .at('items')
      .at('type')
      .invalid(items.type ?? '', `must be object if parent array's ${LIST_TYPE} is map`)
    return
  }
  keys.forEach((key, index) => {
    const property = propertyOf(items, key)
    if (!property) errors.at(LIST_KEYS).invalid(keys, 'entries must all be names of item properties')
    else if (property.type === 'array' || property.type === 'object') {
      const at = errors.at('items').at('properties').key(key).at('type')
      at.invalid(items.type, `must be a scalar type if parent array's ${LIST_TYPE} is map`)
    }
    if (keys.indexOf(key) < index) errors.at(LIST_KEYS).invalid(keys, 'must not contain duplicate entries')
  })
}

/** Elements of sets and map lists are there, and so are their keys. */
function validateNotNullable(items: JsonSchema, listType: string, keys: readonly string[], errors: FieldErrors): void {
  if (items.nullable) errors.at('nullable').forbidden(`cannot be nullable when ${LIST_TYPE} is ${listType}`)
  if (listType !== 'map') return
  for (const key of keys) {
    const property = propertyOf(items, key)
    if (!property) continue
    const at = errors.at('properties').key(key)
    const why = `this property is in ${LIST_KEYS}, so it`
    if (!items.required?.includes(key) && !hasDefault(property))
      at.at('default').required(`${why} must have a default or be a required property`)
    if (property.nullable) at.at('nullable').forbidden(`${why} cannot be nullable`)
  }
}

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const LINE_BREAK = /[\n\r]/

/** The words around a rule; whether it is CEL is asked when everything else is in order. */
function validateRuleWords(rule: SchemaRule, schema: JsonSchema, errors: FieldErrors): void {
  const { message = '', messageExpression = '', fieldPath: path = '' } = rule
  const text = rule.rule.trim()
  if (text === '') errors.at('rule').required('rule is not specified')
  else if (message !== '' && message.trim() === '') errors.at('message').invalid(message, 'must be non-empty if specified')
  else if (LINE_BREAK.test(message.trim())) errors.at('message').invalid(message, 'must not contain line breaks')
  else if (LINE_BREAK.test(text) && message.trim() === '') errors.at('message').required('must be specified if rule contains line breaks')
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.at('messageExpression').required('must be non-empty if specified')
  }
  if (rule.reason !== undefined && !REASONS.includes(rule.reason)) errors.at('reason').notSupported(rule.reason, REASONS)
  if (path === '') return
  if (path.trim() === '') errors.at('fieldPath').invalid(path, 'must be non-empty if specified')
  if (LINE_BREAK.test(path)) errors.at('fieldPath').invalid(path, 'must not contain line breaks')
  if (typeof fieldPath(path, schema) === 'string') errors.at('fieldPath').invalid(path, 'must be a valid path')
}
