import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import type { JSONSchemaProps } from './json-schema-props.ts'

/** Words that only the structure may use, not the junctors in it. */
const STRUCTURE = ['description', 'title', 'type', 'default', 'nullable', 'additionalProperties'] as const
const JUNCTORS = ['allOf', 'anyOf', 'oneOf'] as const
const KEEP = 'x-kubernetes-preserve-unknown-fields'
const EITHER = 'x-kubernetes-int-or-string'
const EMBEDDED = 'x-kubernetes-embedded-resource'
const IMPLIED = new Set(['name', 'generateName'])

/** A schema says of every value which type it has, and nothing twice. Rules in CEL are not looked at. */
export function validateStructuralSchema(schema: JSONSchemaProps, errors: FieldErrors): void {
  if (forbidReferences(schema, errors)) return
  if (!schema.type) errors.at('type').required('must not be empty at the root')
  else if (schema.type !== 'object') errors.at('type').invalid(schema.type, 'must be object at the root')
  if (schema.nullable) errors.at('nullable').forbidden('nullable cannot be true at the root')
  validateParts(schema, true, errors)
}

function forbidReferences(schema: JSONSchemaProps, errors: FieldErrors): boolean {
  let isFound = schema.$ref !== undefined && schema.$ref !== ''
  if (isFound) errors.at('$ref').forbidden('$ref is not supported')
  for (const [part, at] of structureOf(schema, errors)) isFound = forbidReferences(part, at) || isFound
  return isFound
}

/** The schemas of fields, values and entries. */
function structureOf(schema: JSONSchemaProps, errors: FieldErrors): [schema: JSONSchemaProps, at: FieldErrors, place: string][] {
  const { items, additionalProperties } = schema
  const parts = sortedEntries(schema.properties).map(([name, part]): [JSONSchemaProps, FieldErrors, string] => [
    part,
    errors.at('properties').key(name),
    'object fields',
  ])
  if (isSchema(items)) parts.push([items, errors.at('items'), 'array items'])
  if (isSchema(additionalProperties)) parts.push([additionalProperties, errors.at('additionalProperties'), 'object fields'])
  return parts
}

function validateParts(schema: JSONSchemaProps, isResource: boolean, errors: FieldErrors): void {
  const { properties = {}, additionalProperties } = schema
  if (schema.uniqueItems)
    errors.at('uniqueItems').forbidden('uniqueItems cannot be set to true since the runtime complexity becomes quadratic')
  if (schema[KEEP] === false) errors.at(KEEP).invalid(false, 'must be true or undefined')
  if (additionalProperties && Object.keys(properties).length > 0) {
    errors.at('additionalProperties').forbidden('additionalProperties and properties are mutual exclusive')
  }
  if (schema.type === 'array' && schema.items === undefined) errors.at('items').required('must be specified')
  if (isResource && properties['metadata']) validateMetadata(properties['metadata'], errors.at('properties').key('metadata'))
  validateListKeys(schema, errors)
  for (const junctor of JUNCTORS) {
    schema[junctor]?.forEach((part, index) => {
      validateJunct(part, schema[EITHER] ?? false, errors.at(junctor).index(index))
    })
  }
  if (schema.not) validateJunct(schema.not, false, errors.at('not'))
  for (const [part, at, place] of structureOf(schema, errors)) {
    if (!part.type && !part[EITHER] && !part[KEEP]) at.at('type').required(`must not be empty for specified ${place}`)
    validateParts(part, part[EMBEDDED] ?? false, at)
  }
}

/** What metadata are is known; a schema can only narrow down the name. */
function validateMetadata(metadata: JSONSchemaProps, errors: FieldErrors): void {
  if (metadata.type !== 'object') errors.at('type').invalid(metadata.type ?? '', 'must be object')
  if (Object.keys(metadata.properties ?? {}).some(name => !IMPLIED.has(name))) {
    errors.forbidden('must not specify anything other than name and generateName, but metadata is implicitly specified')
  }
}

/** The keys of a list of objects must always be there. */
function validateListKeys(schema: JSONSchemaProps, errors: FieldErrors): void {
  const { items } = schema
  if (schema['x-kubernetes-list-type'] !== 'map' || !isSchema(items)) return
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const property = items.properties?.[key]
    if (!property || property.default !== undefined || items.required?.includes(key)) continue
    errors
      .at('items')
      .at('properties')
      .key(key)
      .at('default')
      .required('this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property')
  }
}

/** Junctors restrict values, they do not say what there is. A number or a text may say its two types. */
function validateJunct(schema: JSONSchemaProps, isEither: boolean, errors: FieldErrors): void {
  for (const word of STRUCTURE) {
    if (word === 'type' && isEither) continue
    const value = schema[word]
    if (value !== undefined && value !== '' && value !== false) errors.at(word).forbidden('must be empty to be structural')
  }
  for (const junctor of JUNCTORS) {
    schema[junctor]?.forEach((part, index) => {
      validateJunct(part, isEither, errors.at(junctor).index(index))
    })
  }
  if (schema.not) validateJunct(schema.not, false, errors.at('not'))
  for (const [part, at] of structureOf(schema, errors)) validateJunct(part, false, at)
}

function isSchema(value: JSONSchemaProps['items'] | boolean): value is JSONSchemaProps {
  return typeof value === 'object' && !Array.isArray(value)
}
