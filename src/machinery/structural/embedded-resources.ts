import { isDNS1035Label, isPathSegmentName } from '../meta/names.ts'
import type { ObjectMeta } from '../meta/object-meta.ts'
import { validateObjectMeta } from '../meta/validate-object-meta.ts'
import { isJsonObject, valueAt } from '../patch/json-object.ts'
import type { FieldErrors } from '../status/field-errors.ts'
import { quote } from '../status/go-text.ts'
import { IS_RESOURCE, itemsOf, type JsonSchema, propertyOf, valuesOf } from './json-schema.ts'

/** Objects within the object say what they are, and have metadata in order. */
export function validateEmbeddedResources(value: unknown, schema: JsonSchema, errors: FieldErrors): void {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    if (items) value.forEach((item, index) => void validateEmbeddedResources(item, items, errors.index(index)))
    return
  }
  if (!isJsonObject(value)) return
  if (schema[IS_RESOURCE]) validateEmbedded(value, errors)
  const values = valuesOf(schema)
  for (const key of Object.keys(value)) {
    const property = propertyOf(schema, key)
    if (property) validateEmbeddedResources(value[key], property, errors.at(key))
    else if (values) validateEmbeddedResources(value[key], values, errors.key(key))
  }
}

function validateEmbedded(object: Readonly<Record<string, unknown>>, errors: FieldErrors): void {
  validateText(object, 'apiVersion', errors, apiVersion =>
    apiVersion.split('/').length > 2 ? [`unexpected GroupVersion string: ${apiVersion}`] : [],
  )
  validateText(object, 'kind', errors, kind =>
    isDNS1035Label(kind.toLowerCase()).map(mistake => `may have mixed case, but should otherwise match: ${mistake}`),
  )
  const metadata = valueAt(object, 'metadata')
  if (metadata === undefined) return
  if (!isMetadata(metadata)) {
    errors.at('metadata').invalid(metadata, `must be metadata of an object: ${quote('labels')} and the like have types of their own`)
    return
  }
  const { namespace = '', name } = metadata
  const rules = { isNamespaced: namespace !== '', checkName: isPathSegmentName }
  validateObjectMeta({ ...metadata, name: name || 'fakename' }, rules, errors.at('metadata'))
}

function validateText(
  object: Readonly<Record<string, unknown>>,
  field: string,
  errors: FieldErrors,
  check: (text: string) => readonly string[],
): void {
  const text = valueAt(object, field)
  const at = errors.at(field)
  if (text === undefined) at.required()
  else if (typeof text !== 'string') at.invalid(text, 'must be a string')
  else if (text === '') at.invalid(text, 'must not be empty')
  else {
    const mistakes = check(text)
    if (mistakes.length > 0) at.invalid(text, mistakes.join(','))
  }
}

/** Whether what was decoded as metadata could be: else it is what was sent. */
function isMetadata(value: unknown): value is ObjectMeta {
  if (!isJsonObject(value)) return false
  const isMapOfTexts = (map: unknown) =>
    map === undefined || (isJsonObject(map) && Object.values(map).every(text => typeof text === 'string'))
  const isList = (list: unknown) => list === undefined || Array.isArray(list)
  const isText = (text: unknown) => text === undefined || typeof text === 'string'
  const texts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'].map(field => valueAt(value, field))
  return (
    texts.every(isText) &&
    isMapOfTexts(valueAt(value, 'labels')) &&
    isMapOfTexts(valueAt(value, 'annotations')) &&
    isList(valueAt(value, 'ownerReferences')) &&
    isList(valueAt(value, 'finalizers'))
  )
}
