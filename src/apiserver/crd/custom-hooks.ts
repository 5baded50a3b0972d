import type { CustomResourceDefinitionVersion, CustomResourceSubresourceScale } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { ApiObject, KindHooks, Mutable } from '#machinery/kind/kind.ts'
import type { FieldErrorType } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { validateEmbeddedResources } from '#machinery/structural/embedded-resources.ts'
import type { JsonSchema } from '#machinery/structural/json-schema.ts'
import { validateListTypes } from '#machinery/structural/list-types.ts'
import { hasRules, validateRules } from '#machinery/structural/validate-rules.ts'
import { validateValue } from '#machinery/structural/validate-value.ts'
import { validateScaleField } from './scale-fields.ts'
import { selectableFieldsOf } from './selectable-fields.ts'

/** What the registry does for objects of one version of a definition beside what it does for all. */
export function customHooks(version: CustomResourceDefinitionVersion, schema: JsonSchema, isGoing: boolean): KindHooks<ApiObject> {
  const hasStatus = version.subresources?.status !== undefined
  const scale = version.subresources?.scale
  return {
    selectableFields: selectableFieldsOf(version),
    prepareCreate(object) {
      if (isGoing) throw beingDeleted()
      if (hasStatus) delete (object as Mutable<ApiObject> & { status?: unknown }).status
    },
    prepareUpdate(object, old, { subresource }) {
      if (subresource === 'status') keepMetadata(object, old)
      else if (!hasStatus && !equal(fieldOf(object, 'status'), fieldOf(old, 'status'))) {
        object.metadata.generation = (old.metadata.generation ?? 0) + 1
      }
    },
    validateCreate(object, errors) {
      validateParts(object, undefined, schema, errors)
      if (scale) validateScale(object, scale, '', errors)
      askRules(object, undefined, schema, errors)
    },
    validateUpdate(object, old, errors, subresource) {
      validateParts(object, old, schema, errors)
      if (scale) validateScale(object, scale, subresource, errors)
      askRules(object, old, schema, errors)
    },
    warnings: object => warned.get(object) ?? [],
  }
}

function beingDeleted(): StatusError {
  const message = 'create not allowed while custom resource definition is terminating'
  return new StatusError({ code: 405, reason: 'MethodNotAllowed', message })
}

/** A write of the status changes nothing of the metadata but who owns the fields. */
function keepMetadata(object: Mutable<ApiObject>, old: ApiObject): void {
  const { managedFields, resourceVersion } = object.metadata
  object.metadata = {
    ...(old.metadata as Mutable<ApiObject['metadata']>),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
  delete object.metadata.managedFields
  if (managedFields) object.metadata.managedFields = managedFields
}

function validateParts(object: ApiObject, old: ApiObject | undefined, schema: JsonSchema, errors: FieldErrors): void {
  errors.addAll(validateValue(object, schema, '', old && { value: old }))
  validateEmbeddedResources(object, schema, errors)
  // Lists that were wrong before may stay so.
  if (!old || !hasWrongLists(old, schema)) validateListTypes(object, schema, errors)
}

function hasWrongLists(object: ApiObject, schema: JsonSchema): boolean {
  const errors = new FieldErrors()
  validateListTypes(object, schema, errors)
  return !errors.isEmpty
}

/** What rules found of an object that was let in all the same. */
const warned = new WeakMap<ApiObject, string[]>()

/** The rules of the schema, once everything that they stand on is in order. */
function askRules(object: ApiObject, old: ApiObject | undefined, schema: JsonSchema, errors: FieldErrors): void {
  if (!hasRules(schema)) return
  if (errors.all.some(({ type }) => BLOCKING.has(type))) {
    const why = 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'
    errors.addAll([{ type: 'FieldValueInvalid', field: '<nil>', badValue: null, detail: why }])
    return
  }
  const found = validateRules(object, schema, { isResource: true, old: old && { value: old } })
  errors.addAll(found.errors)
  if (found.warnings.length > 0) warned.set(object, [...found.warnings])
}

function validateScale(object: ApiObject, scale: CustomResourceSubresourceScale, subresource: string, errors: FieldErrors): void {
  if (subresource !== 'status') validateScaleField(object, scale.specReplicasPath, 'integer', errors)
  validateScaleField(object, scale.statusReplicasPath, 'integer', errors)
  if (scale.labelSelectorPath) validateScaleField(object, scale.labelSelectorPath, 'string', errors)
}

/** What is so wrong with an object that its rules cannot be asked. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>([
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

function fieldOf(object: ApiObject, name: string): unknown {
  return (object as unknown as Record<string, unknown>)[name]
}
