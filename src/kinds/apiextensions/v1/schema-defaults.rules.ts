import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import { nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import { validateObjectMeta } from '#machinery/meta/validate-object-meta.ts'
import { isJsonObject, isSameJson } from '#machinery/patch/json-object.ts'
import { DecodeError, decode } from '#machinery/schema/decode.ts'
import { type FieldError, textOfAll } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateEmbeddedResources } from '#machinery/structural/embedded-resources.ts'
import { hasDefault, IS_RESOURCE, itemsOf, type JsonSchema, TYPE_AND_METADATA } from '#machinery/structural/json-schema.ts'
import { shapeValue } from '#machinery/structural/shape-value.ts'
import { hasRules, validateRules } from '#machinery/structural/validate-rules.ts'
import { validateValue } from '#machinery/structural/validate-value.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'

/** A default is a value that the schema itself lets in, and holds nothing that it would drop. */
export function validateDefaults(schema: JsonSchema, errors: FieldErrors): void {
  validateWithin({ ...schema, [IS_RESOURCE]: true }, undefined, errors)
}

/** `wrap` puts a value at its place within the metadata of an object; undefined outside of metadata. */
function validateWithin(schema: JsonSchema, wrap: ((value: unknown) => unknown) | undefined, errors: FieldErrors): void {
  const wraps = schema[IS_RESOURCE] ? undefined : wrap
  if (hasDefault(schema)) validateDefault(schema, wraps, errors.at('default'))
  const items = itemsOf(schema)
  if (items) validateWithin(items, wraps && (value => wraps([value])), errors.at('items'))
  for (const [name, part] of sortedEntries(schema.properties)) {
    const isMeta = schema[IS_RESOURCE] === true && TYPE_AND_METADATA.has(name)
    const inner = isMeta ? (value: unknown) => ({ [name]: value }) : wraps && ((value: unknown) => wraps({ [name]: value }))
    validateWithin(part, inner, errors.at('properties').key(name))
  }
}

function validateDefault(schema: JsonSchema, wrap: ((value: unknown) => unknown) | undefined, errors: FieldErrors): void {
  const value = schema.default
  if (wrap) {
    const mistake = metadataMistake(wrap(value))
    if (mistake !== undefined) {
      errors.invalid(value, `must result in valid metadata: ${mistake}`)
      return
    }
  } else {
    if (!isSameJson(pruned(value, schema), value)) errors.invalid(value, 'must not have unknown fields')
    const own = new FieldErrors()
    validateEmbeddedResources(value, schema, own)
    if (!own.isEmpty) {
      errors.addAll(own.all.map(error => ({ ...error, field: join(errors.path, error.field) })))
      return
    }
  }
  const wrong = validateValue(value, schema, '')
  errors.addAll((wrong.length > 0 ? wrong : brokenRules(value, schema)).map(error => ({ ...error, field: join(errors.path, error.field) })))
}

/** A default keeps the rules, whether it was there before or is new. */
function brokenRules(value: unknown, schema: JsonSchema): readonly FieldError[] {
  if (!hasRules(schema)) return []
  const isResource = schema[IS_RESOURCE] === true
  const { errors } = validateRules(value, schema, { isResource, old: { value } })
  return errors.length > 0 ? errors : validateRules(value, schema, { isResource }).errors
}

function join(path: string, field: string): string {
  return field === '' || field === '<nil>' ? path : `${path}.${field}`
}

function pruned(value: unknown, schema: JsonSchema): unknown {
  return shapeValue(value, schema, '', { defaults: false, unknown: [], metadata: metadata => metadata })
}

/** What is wrong with an object that has nothing but its type and metadata. */
function metadataMistake(object: unknown): string | undefined {
  const metadata = isJsonObject(object) ? object['metadata'] : undefined
  if (metadata === undefined) return undefined
  try {
    const decoded = decode<ObjectMeta>(ObjectMeta, metadata, { defaults: false, unknown: [] })
    const errors = new FieldErrors()
    validateObjectMeta(
      { ...decoded, name: decoded.name || 'fakename' },
      { isNamespaced: Boolean(decoded.namespace), checkName: nameIsDNSSubdomain },
      errors.at('metadata'),
    )
    return errors.isEmpty ? undefined : textOfAll(errors.all)
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
}
