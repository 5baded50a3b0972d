import { FieldErrors } from '#machinery/status/field-errors.ts'
import type { JsonSchema } from '#machinery/structural/json-schema.ts'
import { internal } from '../../meta/v1/rules.ts'
import type { JSONSchemaProps } from './json-schema-props.ts'
import { validateOpenApiSchema } from './schema.rules.ts'
import { validateDefaults } from './schema-defaults.rules.ts'
import { isConvertible, validateStructuralSchema } from './structural-schema.rules.ts'

/** The schema of a version: its structure first, then its defaults, and what each word of it may say. */
export function validateVersionSchema(schema: JSONSchemaProps, hasStatus: boolean, errors: FieldErrors): void {
  if (hasStatus) validateRoot(schema, errors)
  if (schema.nullable) errors.at('nullable').forbidden('nullable cannot be true at the root')
  if (isConvertible(schema)) {
    const structure = new FieldErrors()
    validateStructuralSchema(schema as JsonSchema, at(structure, errors.path))
    if (structure.isEmpty) validateDefaults(schema as JsonSchema, at(structure, errors.path))
    errors.addAll(structure.all)
  }
  validateOpenApiSchema(schema, errors)
}

/** A collector of its own at the same place. */
function at(errors: FieldErrors, path: string): FieldErrors {
  return errors.at(path)
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
