import { equal } from '#machinery/kind/draft.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import {
  EITHER_PATTERN,
  INT_OR_STRING,
  IS_RESOURCE,
  itemsOf,
  type JsonSchema,
  KEEPS_UNKNOWN,
  LIST_KEYS,
  LIST_TYPE,
  MAP_TYPE,
  propertyOf,
  RULES,
  someSchema,
  valuesOf,
} from '#machinery/structural/json-schema.ts'
import { PatternError, patternOf } from '#machinery/structural/pattern.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import type { CustomResourceDefinitionVersion } from './custom-resource-definition.ts'
import type { JSONSchemaProps } from './json-schema-props.ts'

/**
 * Whether a schema can be read as a structural one at all. If not, what keeps it from it is reported elsewhere, and nothing that builds on the
 * structure is asked.
 */
export function isConvertible(schema: JSONSchemaProps): boolean {
  return !someSchema(schema as JsonSchema, part => {
    const { id, $schema, $ref, additionalItems, patternProperties, definitions, dependencies, items } = part as JSONSchemaProps
    return (
      Boolean(id || $schema || $ref || additionalItems || patternProperties || definitions || dependencies || Array.isArray(items)) ||
      part[KEEPS_UNKNOWN] === false
    )
  })
}

type Level = 'root' | 'item' | 'field'

/** A structural schema says of every value which type it has, and nothing twice. */
export function validateStructuralSchema(schema: JsonSchema, errors: FieldErrors): void {
  validateInvariants(schema, 'root', errors)
  validateCompleteness(schema, schema, errors, errors)
}

/** Why schemas are not structural, in the words of the condition `NonStructuralSchema`. */
export function nonStructuralReasons(versions: readonly CustomResourceDefinitionVersion[]): readonly string[] {
  return versions.flatMap(({ schema }, index) => {
    const of = schema?.openAPIV3Schema
    if (!of) return []
    const errors = new FieldErrors()
    const at = errors.at('spec').at('versions').index(index).at('schema').at('openAPIV3Schema')
    if (isConvertible(of)) validateStructuralSchema(of as JsonSchema, at)
    else at.invalid('', 'is not a structural schema')
    return errors.all.map(({ field, detail }) => `${field}: ${detail}`)
  })
}

function validateInvariants(schema: JsonSchema, level: Level, errors: FieldErrors): void {
  const { type = '', properties } = schema
  const isResource = schema[IS_RESOURCE] === true
  const items = itemsOf(schema)
  if (type === 'array' && !items) errors.at('items').required('must be specified')
  if (items) validateInvariants(items, 'item', errors.at('items'))
  for (const [name, part] of sortedEntries(properties)) validateInvariants(part, 'field', errors.at('properties').key(name))
  if (schema.additionalProperties !== undefined) {
    if (level === 'root') errors.at('additionalProperties').forbidden('must not be used at the root')
    const values = valuesOf(schema)
    if (values) validateInvariants(values, 'field', errors.at('additionalProperties'))
  }
  if (schema[INT_OR_STRING] && schema[KEEPS_UNKNOWN]) {
    errors.at(KEEPS_UNKNOWN).invalid(true, `must be false if ${INT_OR_STRING} is true`)
  }
  if (schema[INT_OR_STRING] && isResource) errors.at(IS_RESOURCE).invalid(true, `must be false if ${INT_OR_STRING} is true`)
  validateJunctors(schema, isEither(schema.anyOf), isEither(schema.allOf?.[0]?.anyOf), errors)
  validateType(schema, level, errors)
  if (isResource && schema.additionalProperties !== undefined) {
    errors.at('additionalProperties').forbidden(`must not be used if ${IS_RESOURCE} is set`)
  }
  if (level === 'root' && type !== '' && type !== 'object') errors.at('type').invalid(type, 'must be object at the root')
  const describesResource = level === 'root' || isResource
  if (describesResource) for (const field of ['kind', 'apiVersion']) validateTyped(schema, field, 'string', errors)
  if (describesResource) validateTyped(schema, 'metadata', 'object', errors)
  if (level === 'root') validateRootMetadata(propertyOf(schema, 'metadata'), errors.at('properties').key('metadata'))
  if (isResource && !schema[KEEPS_UNKNOWN] && Object.keys(properties ?? {}).length === 0) {
    errors.at('properties').required(`must not be empty if ${IS_RESOURCE} is true without ${KEEPS_UNKNOWN}`)
  }
}

const MISSING_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function validateType(schema: JsonSchema, level: Level, errors: FieldErrors): void {
  const { type = '' } = schema
  if (schema[IS_RESOURCE] && type !== 'object') {
    const detail = `must be object if ${IS_RESOURCE} is true`
    if (type === '') errors.at('type').required(detail)
    else errors.at('type').invalid(type, detail)
  } else if (type === '' && !schema[INT_OR_STRING] && !schema[KEEPS_UNKNOWN]) errors.at('type').required(MISSING_TYPE[level])
}

function validateTyped(schema: JsonSchema, field: string, type: string, errors: FieldErrors): void {
  const property = propertyOf(schema, field)
  if (property && property.type !== type)
    errors
      .at('properties')
      .key(field)
      .at('type')
      .invalid(property.type ?? '', `must be ${type}`)
}

const NAMES = new Set(['name', 'generateName'])

/** What metadata are is known; a schema can only narrow down the name. */
function validateRootMetadata(metadata: JsonSchema | undefined, errors: FieldErrors): void {
  if (!metadata) return
  const { type: _, default: __, properties = {}, ...rest } = metadata
  const isMore = Object.keys(properties).some(name => !NAMES.has(name)) || Object.values(rest).some(value => !isNothing(value))
  if (isMore) errors.forbidden('must not specify anything other than name and generateName, but metadata is implicitly specified')
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0)
}

/** `anyOf: [{type: integer}, {type: string}]`, the one junctor that may speak of types. */
function isEither(parts: readonly JsonSchema[] | undefined): boolean {
  return parts !== undefined && equal(parts, EITHER_PATTERN)
}

function validateJunctors(schema: JsonSchema, skipsAnyOf: boolean, skipsFirstAllOf: boolean, errors: FieldErrors): void {
  if (!skipsAnyOf) schema.anyOf?.forEach((part, index) => void validateNested(part, false, errors.at('anyOf').index(index)))
  schema.allOf?.forEach((part, index) => void validateNested(part, skipsFirstAllOf && index === 0, errors.at('allOf').index(index)))
  schema.oneOf?.forEach((part, index) => void validateNested(part, false, errors.at('oneOf').index(index)))
  if (schema.not) validateNested(schema.not, false, errors.at('not'))
  if (schema.pattern) validatePattern(schema.pattern, errors.at('pattern'))
}

function validatePattern(pattern: string, errors: FieldErrors): void {
  try {
    patternOf(pattern)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    errors.invalid(pattern, `must be a valid regular expression, but isn't: ${error.message}`)
  }
}

/** Junctors restrict values, they do not say what there is. */
function validateNested(schema: JsonSchema, skipsAnyOf: boolean, errors: FieldErrors): void {
  validateJunctors(schema, skipsAnyOf, false, errors)
  const items = itemsOf(schema)
  if (items) validateNested(items, false, errors.at('items'))
  for (const [name, part] of sortedEntries(schema.properties)) validateNested(part, false, errors.at('properties').key(name))
  for (const [word, rule] of FORBIDDEN_IN_JUNCTORS) {
    if (!isNothing(schema[word])) errors.at(word).forbidden(`must be ${rule} to be structural`)
  }
  if (propertyOf(schema, 'metadata')) errors.at('properties').key('metadata').forbidden('must not be specified in a nested context')
}

const FORBIDDEN_IN_JUNCTORS: readonly (readonly [keyof JsonSchema, string])[] = [
  ['type', 'empty'],
  ['additionalProperties', 'undefined'],
  ['default', 'undefined'],
  ['title', 'empty'],
  ['description', 'empty'],
  ['nullable', 'false'],
  [KEEPS_UNKNOWN, 'false'],
  [IS_RESOURCE, 'false'],
  [INT_OR_STRING, 'false'],
  [LIST_KEYS, 'empty'],
  [LIST_TYPE, 'undefined'],
  [MAP_TYPE, 'undefined'],
  [RULES, 'empty'],
]

/** Every field and element that a junctor speaks of is there outside of it, too. */
function validateCompleteness(schema: JsonSchema, structure: JsonSchema, errors: FieldErrors, place: FieldErrors): void {
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) {
    schema[junctor]?.forEach((part, index) => void validatePart(part, structure, errors, place.at(junctor).index(index)))
  }
  if (schema.not) validatePart(schema.not, structure, errors, place.at('not'))
}

function validatePart(schema: JsonSchema, structure: JsonSchema | undefined, errors: FieldErrors, place: FieldErrors): void {
  if (!structure) {
    errors.required(`because it is defined in ${place.path}`)
    return
  }
  validateCompleteness(schema, structure, errors, place)
  const items = itemsOf(schema)
  if (items) validatePart(items, itemsOf(structure), errors.at('items'), place.at('items'))
  for (const [name, part] of sortedEntries(schema.properties)) {
    validatePart(part, propertyOf(structure, name), errors.at('properties').key(name), place.at('properties').key(name))
  }
}
