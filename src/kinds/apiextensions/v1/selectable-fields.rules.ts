import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { fieldPath } from '#machinery/structural/field-path.ts'
import type { JsonSchema } from '#machinery/structural/json-schema.ts'
import type { SelectableField } from './custom-resource-definition.ts'
import type { JSONSchemaProps } from './json-schema-props.ts'

const MAX_FIELDS = 8
const TYPES = new Set(['string', 'boolean', 'integer'])

/** Objects are selected by fields outside of their metadata that hold one word, number or truth. */
export function validateSelectableFields(
  fields: readonly SelectableField[] | undefined,
  schema: JSONSchemaProps,
  errors: FieldErrors,
): void {
  const seen = new Set<string>()
  fields?.forEach(({ jsonPath }, index) => {
    const at = errors.index(index).at('jsonPath')
    if (jsonPath === '') {
      at.required()
      return
    }
    const found = fieldPath(jsonPath, schema as JsonSchema, { allowsBrackets: false })
    if (typeof found === 'string') {
      at.invalid(jsonPath, `is an invalid path: ${found}`)
      return
    }
    if (found.steps[0] === 'metadata') at.invalid(jsonPath, 'must not point to fields in metadata')
    if (!TYPES.has(found.schema?.type ?? '')) {
      at.invalid(
        jsonPath,
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      )
    }
    if (seen.has(found.text)) at.duplicate(jsonPath)
    seen.add(found.text)
  })
  if (seen.size > MAX_FIELDS) errors.tooMany(seen.size, MAX_FIELDS)
}
