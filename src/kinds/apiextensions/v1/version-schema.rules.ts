import { equal } from '#machinery/kind/draft.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import type { JsonSchema } from '#machinery/structural/json-schema.ts'
import { internal } from '../../meta/v1/rules.ts'
import type { JSONSchemaProps } from './json-schema-props.ts'
import { validateOpenApiSchema } from './schema.rules.ts'
import { validateDefaults } from './schema-defaults.rules.ts'
import { validateSchemaRules } from './schema-rules.rules.ts'
import { isConvertible, validateStructuralSchema } from './structural-schema.rules.ts'

/** The schema of a version: its structure first, then its defaults, what each word of it may say, and its rules. `before`: as it was. */
export function validateVersionSchema(schema: JSONSchemaProps, hasStatus: boolean, errors: FieldErrors, before?: JSONSchemaProps): void {
  if (hasStatus) validateRoot(schema, errors)
  if (schema.nullable) errors.at('nullable').forbidden('nullable cannot be true at the root')
  const structure = new FieldErrors()
  const isStructural = isConvertible(schema)
  if (isStructural) {
    validateStructuralSchema(schema as JsonSchema, structure.at(errors.path))
    if (structure.isEmpty) validateDefaults(schema as JsonSchema, structure.at(errors.path))
  }
  const words = new FieldErrors()
  validateOpenApiSchema(schema, words.at(errors.path))
  const rules = new FieldErrors()
  if (isStructural && structure.isEmpty) {
    const wrong = words.all.map(({ field }) => field)
    validateSchemaRules(schema as JsonSchema, rules.at(errors.path), { wrong, isKnown: before !== undefined && equal(before, schema) })
  }
  for (const found of [structure, words, rules]) errors.addAll(found.all)
}

const ALLOWED = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
  'x-kubernetes-validations': 'XValidations',
}

/** Where the status is a subresource, it is checked by itself: nothing at the root may concern it with the rest. */
function validateRoot(schema: JSONSchemaProps, errors: FieldErrors): void {
  if (schema.type && schema.type !== 'object') {
    errors
      .at('type')
      .invalid(schema.type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled')
    return
  }
  const other = Object.entries(schema).find(([word, value]) => value !== undefined && !Object.hasOwn(ALLOWED, word))
  if (!other) return
  const allowed = `[${Object.values(ALLOWED).join(' ')}]`
  errors.invalid(internal(schema), `only ${allowed} fields are allowed at the root of the schema if the status subresource is enabled`)
}
