import type { FieldErrors } from '../status/field-errors.ts'
import { quote } from '../status/go-text.ts'
import { isDNS1123Label, isLabelValue, isQualifiedName, type NameCheck } from './names.ts'
import { groupVersionOf, type ManagedFieldsEntry, type ObjectMeta, type OwnerReference } from './object-meta.ts'
import { utf8Length } from './utf8.ts'

/** What differs between kinds in the check of their metadata. */
export interface ObjectMetaRules {
  readonly isNamespaced: boolean
  readonly checkName: NameCheck
  /** Finalizers without a slash must be Kubernetes' own: so for the built-in kinds, not for custom resources. */
  readonly standardFinalizersOnly?: boolean
}

export const FIELD_IMMUTABLE = 'field is immutable'

/** Checks the metadata of an object that is being created, its name generated already. `errors` stands at `metadata`. */
export function validateObjectMeta(meta: ObjectMeta, rules: ObjectMetaRules, errors: FieldErrors): void {
  const { name = '', generateName = '', namespace = '' } = meta
  if (generateName !== '') errors.at('generateName').invalidEach(generateName, rules.checkName(generateName, true))
  if (name === '') errors.at('name').required('name or generateName is required')
  else errors.at('name').invalidEach(name, rules.checkName(name, false))
  if (!rules.isNamespaced) {
    if (namespace !== '') errors.at('namespace').forbidden('not allowed on this type')
  } else if (namespace === '') errors.at('namespace').required()
  else errors.at('namespace').invalidEach(namespace, isDNS1123Label(namespace))
  if ((meta.generation ?? 0) < 0) errors.at('generation').invalid(meta.generation, 'must be greater than or equal to 0')
  validateLabels(meta.labels, errors.at('labels'))
  validateAnnotations(meta.annotations, errors.at('annotations'))
  validateOwnerReferences(meta.ownerReferences, errors.at('ownerReferences'))
  validateFinalizers(meta.finalizers, rules, errors.at('finalizers'))
  validateManagedFields(meta.managedFields, errors.at('managedFields'))
}

/** Checks the metadata of an object that is being replaced: what may not change, and what may only shrink. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, rules: ObjectMetaRules, errors: FieldErrors): void {
  if (old.deletionTimestamp) {
    const known = new Set(old.finalizers)
    const added = [...new Set(meta.finalizers?.filter(finalizer => !known.has(finalizer)))].sort()
    if (added.length > 0) {
      const list = `[]string{${added.map(quote).join(', ')}}`
      errors.at('finalizers').forbidden(`no new finalizers can be added if the object is being deleted, found new finalizers ${list}`)
    }
  }
  if ((meta.resourceVersion ?? '') === '') errors.at('resourceVersion').invalid('', 'must be specified for an update')
  if ((meta.generation ?? 0) < (old.generation ?? 0)) errors.at('generation').invalid(meta.generation ?? 0, 'must not be decremented')
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if ((meta[field] ?? '') !== (old[field] ?? '')) errors.at(field).invalid(meta[field] ?? '', FIELD_IMMUTABLE)
  }
  for (const field of ['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if ((meta[field] ?? null) !== (old[field] ?? null)) errors.at(field).invalid(meta[field], FIELD_IMMUTABLE)
  }
  if (meta.labels !== old.labels) validateLabels(meta.labels, errors.at('labels'))
  if (meta.annotations !== old.annotations) validateAnnotations(meta.annotations, errors.at('annotations'))
  validateOwnerReferences(meta.ownerReferences, errors.at('ownerReferences'))
  if (rules.standardFinalizersOnly) validateStandardFinalizers(meta.finalizers, errors.at('finalizers'))
  validateManagedFields(meta.managedFields, errors.at('managedFields'))
}

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, errors: FieldErrors): void {
  for (const key in labels) {
    errors.invalidEach(key, isQualifiedName(key))
    errors.invalidEach(labels[key], isLabelValue(labels[key]!))
  }
}

/** Keys are qualified names in any case; keys and values together hold at most 256 KiB. */
export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, errors: FieldErrors): void {
  let bytes = 0
  for (const key in annotations) {
    errors.invalidEach(key, isQualifiedName(key.toLowerCase()))
    bytes += utf8Length(key) + utf8Length(annotations[key]!)
  }
  if (bytes > ANNOTATIONS_MAX_BYTES) errors.tooLong(ANNOTATIONS_MAX_BYTES)
}

/** The name of a field manager: at most 128 printable bytes. */
export function validateFieldManager(manager: string, errors: FieldErrors): void {
  if (utf8Length(manager) > 128) errors.tooLong(128)
  let position = 0
  for (const char of manager) {
    if (!PRINTABLE.test(char)) errors.invalid(manager, `invalid character ${unicodeText(char)} (at position ${position})`)
    position += utf8Length(char)
  }
}

const ANNOTATIONS_MAX_BYTES = 256 * 1024
const PRINTABLE = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u
const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

function validateOwnerReferences(owners: readonly OwnerReference[] | undefined, errors: FieldErrors): void {
  let firstController = ''
  for (const owner of owners ?? []) {
    // More than one slash is no group and version at all.
    const { group, version } = groupVersionOf(owner.apiVersion.split('/').length > 2 ? '' : owner.apiVersion)
    if (version === '') errors.at('apiVersion').invalid(owner.apiVersion, 'version must not be empty')
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (owner[field] === '') errors.at(field).invalid('', 'must not be empty')
    }
    if (group === '' && version === 'v1' && owner.kind === 'Event') {
      errors.invalid(owner, '/v1, Kind=Event is disallowed from being an owner')
    }
    if (owner.controller !== true) continue
    const controller = `${owner.kind}/${owner.name}`
    if (firstController === '') firstController = controller
    else {
      const found = `Found "true" in references for ${firstController} and ${controller}`
      errors.invalid(owners, `Only one reference can have Controller set to true. ${found}`)
    }
  }
}

function validateFinalizers(finalizers: readonly string[] | undefined, rules: ObjectMetaRules, errors: FieldErrors): void {
  if (!finalizers?.length) return
  for (const finalizer of finalizers) errors.invalidEach(finalizer, isQualifiedName(finalizer))
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.invalid(finalizers, 'finalizer orphan and foregroundDeletion cannot be both set')
  }
  if (rules.standardFinalizersOnly) validateStandardFinalizers(finalizers, errors)
}

function validateStandardFinalizers(finalizers: readonly string[] | undefined, errors: FieldErrors): void {
  finalizers?.forEach((finalizer, index) => {
    if (finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) return
    errors.index(index).invalid(finalizer, 'name is neither a standard finalizer name nor is it fully qualified')
  })
}

function validateManagedFields(entries: readonly ManagedFieldsEntry[] | undefined, errors: FieldErrors): void {
  entries?.forEach((entry, index) => {
    const { operation = '', fieldsType = '', manager = '', subresource = '' } = entry
    const at = errors.index(index)
    if (operation !== 'Apply' && operation !== 'Update') at.at('operation').invalid(operation, 'must be `Apply` or `Update`')
    if (fieldsType !== '' && fieldsType !== 'FieldsV1') at.at('fieldsType').invalid(fieldsType, 'must be `FieldsV1`')
    validateFieldManager(manager, at.at('manager'))
    if (utf8Length(subresource) > 256) at.at('subresource').tooLong(256)
  })
}

/** Go's `%#U`: `U+0007`, with the character behind it where it can be printed. */
function unicodeText(char: string): string {
  const code = char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  return PRINTABLE.test(char) ? `U+${code} '${char}'` : `U+${code}`
}
