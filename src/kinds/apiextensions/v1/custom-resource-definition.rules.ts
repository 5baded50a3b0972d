import { equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { isDNS1035Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { utf8Length } from '#machinery/meta/utf8.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateClient } from '../../admissionregistration/v1/webhook.rules.ts'
import { internal, validateImmutable } from '../../meta/v1/rules.ts'
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
} from './custom-resource-definition.ts'
import { validateSelectableFields } from './selectable-fields.rules.ts'
import { validateVersionSchema } from './version-schema.rules.ts'

const APPROVAL = 'api-approved.kubernetes.io'
const APPROVAL_SEE = 'see https://github.com/kubernetes/enhancements/pull/1111'

/** Names that follow from the kind, and no conversion. */
export function applyDefinitionDefaults({ spec }: Mutable<CustomResourceDefinition>): void {
  const { names } = spec
  if (names.kind !== '') {
    names.singular ||= names.kind.toLowerCase()
    names.listKind ||= `${names.kind}List`
  }
  spec.conversion ??= { strategy: 'None' }
}

/** Remembers the version in which objects are stored from now on. */
export function rememberStorageVersion(definition: Mutable<CustomResourceDefinition>): void {
  const { spec, status } = definition
  const name = spec.versions.find(({ storage }) => storage)?.name
  if (name === undefined || status.storedVersions?.includes(name)) return
  // The status may be the stored object's own.
  definition.status = { ...status, storedVersions: [...(status.storedVersions ?? []), name] }
}

/** A definition is called as its resource is. */
export function validateDefinitionName({ metadata, spec }: CustomResourceDefinition, errors: FieldErrors): void {
  if (metadata.name !== `${spec.names.plural}.${spec.group}`) {
    errors.at('metadata').at('name').invalid(metadata.name, 'must be spec.names.plural+"."+spec.group')
  }
}

/** What a definition may say. One that is going is let go as it is, whatever was let in before. */
export function validateDefinition({ metadata, spec, status }: CustomResourceDefinition, errors: FieldErrors): void {
  if (metadata.deletionTimestamp) return
  const at = errors.at('spec')
  validateGroup(spec.group, at.at('group'))
  validateApproval(spec.group, metadata.annotations?.[APPROVAL] ?? '', errors.at('metadata').at('annotations').key(APPROVAL))
  const scope: string = spec.scope
  if (scope === '') at.at('scope').required()
  else if (scope !== 'Cluster' && scope !== 'Namespaced') at.at('scope').notSupported(scope, ['Cluster', 'Namespaced'])
  if (spec.preserveUnknownFields) {
    at.at('preserveUnknownFields').invalid(
      true,
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    )
  }
  validateVersions(spec.versions, at)
  validateConversion(spec.conversion, at.at('conversion'))
  validateNames(spec.names, at.at('names'))
  validateStoredVersions(status.storedVersions, spec.versions, errors.at('status').at('storedVersions'))
}

/** The scope and the kind stay once the names are in use, the group and the plural always. */
export function validateDefinitionUpdate(definition: CustomResourceDefinition, old: CustomResourceDefinition, errors: FieldErrors): void {
  const { spec } = definition
  const at = errors.at('spec')
  if (old.status.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')) {
    validateImmutable(spec.scope, old.spec.scope, at.at('scope'))
    validateImmutable(spec.names.kind, old.spec.names.kind, at.at('names').at('kind'))
  }
  validateImmutable(spec.group, old.spec.group, at.at('group'))
  validateImmutable(spec.names.plural, old.spec.names.plural, at.at('names').at('plural'))
}

function validateGroup(group: string, errors: FieldErrors): void {
  const mistakes = isDNS1123Subdomain(group)
  if (group === '') errors.required()
  else if (mistakes.length > 0) errors.invalid(group, mistakes.join(','))
  else if (!group.includes('.')) errors.invalid(group, 'should be a domain with at least one dot')
}

/** Whether a group is the project's own. */
export function isProtectedGroup(group: string): boolean {
  return /(^|\.)(k8s|kubernetes)\.io$/.test(group)
}

/** Groups of the project itself need its approval. */
function validateApproval(group: string, approval: string, errors: FieldErrors): void {
  if (!isProtectedGroup(group)) return
  if (approval === '') errors.required(`protected groups must have approval annotation "${APPROVAL}", ${APPROVAL_SEE}`)
  else if (!approval.startsWith('unapproved') && !/^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(approval)) {
    errors.invalid(
      approval,
      `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", ${APPROVAL_SEE}`,
    )
  }
}

function validateVersions(versions: readonly CustomResourceDefinitionVersion[], errors: FieldErrors): void {
  versions.forEach((version, index) => {
    const { name, deprecated, deprecationWarning, schema } = version
    const at = errors.at('versions').index(index)
    const mistakes = isDNS1035Label(name)
    if (mistakes.length > 0) at.at('name').invalid(name, mistakes.join(','))
    if (deprecationWarning !== undefined) validateWarning(deprecationWarning, deprecated ?? false, at.at('deprecationWarning'))
    const hasStatus = version.subresources?.status !== undefined
    if (!schema?.openAPIV3Schema) at.at('schema').at('openAPIV3Schema').required('schemas are required')
    else {
      const isCommon = versions.every(other => equal(other.schema, schema))
      const validation = isCommon ? errors.at('validation') : at.at('schema')
      const needsStatus = isCommon ? versions.some(({ subresources }) => subresources?.status !== undefined) : hasStatus
      if (!isCommon || index === 0) validateVersionSchema(schema.openAPIV3Schema, needsStatus, validation.at('openAPIV3Schema'))
      const isCommonSelection = versions.every(other => equal(other.selectableFields, version.selectableFields))
      const selectable = isCommonSelection ? errors : at
      if (!isCommonSelection || index === 0) {
        validateSelectableFields(version.selectableFields, schema.openAPIV3Schema, selectable.at('selectableFields'))
      }
    }
    // What all versions have in common is reported as the definition's own.
    const subresources = versions.every(other => equal(other.subresources, version.subresources)) ? errors : at
    const columns = versions.every(other => equal(other.additionalPrinterColumns, version.additionalPrinterColumns)) ? errors : at
    if (subresources === at || index === 0) validateScale(version.subresources?.scale, subresources.at('subresources').at('scale'))
    if (columns === at || index === 0) validateColumns(version.additionalPrinterColumns, columns.at('additionalPrinterColumns'))
  })
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.at('versions').invalid(internal(versions), 'must contain unique version names')
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.at('versions').invalid(internal(versions), 'must have exactly one version marked as storage version')
  }
  const [first] = versions
  const mistakes = first ? isDNS1035Label(first.name) : []
  if (mistakes.length > 0) errors.at('version').invalid(first!.name, mistakes.join(','))
}

function validateWarning(text: string, isDeprecated: boolean, errors: FieldErrors): void {
  if (!isDeprecated) {
    errors.invalid(text, 'can only be set for deprecated versions')
    return
  }
  if (utf8Length(text) > 256) errors.invalid(text, 'must be <= 256 characters long')
  if (text === '') errors.invalid(text, 'must not be an empty string')
  let index = 0
  for (const char of text) {
    if (!/^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) {
      errors.invalid(text, `must only contain printable UTF-8 characters; non-printable character found at index ${index}`)
      return
    }
    index += utf8Length(char)
  }
}

function validateScale(scale: CustomResourceSubresourceScale | undefined, errors: FieldErrors): void {
  if (!scale) return
  validatePath(scale.specReplicasPath, ['.spec'], 'should be a json path under .spec', errors.at('specReplicasPath'))
  validatePath(scale.statusReplicasPath, ['.status'], 'should be a json path under .status', errors.at('statusReplicasPath'))
  const { labelSelectorPath } = scale
  if (labelSelectorPath) {
    validatePath(
      labelSelectorPath,
      ['.spec', '.status'],
      'should be a json path under either .spec or .status',
      errors.at('labelSelectorPath'),
    )
  }
}

const SIMPLE_PATH = 'must be a simple json path starting with .'

function validatePath(path: string, roots: readonly string[], mistake: string, errors: FieldErrors): void {
  if (path === '') errors.required()
  else if (!path.startsWith('.')) errors.invalid(path, SIMPLE_PATH)
  else if (!roots.some(root => path.startsWith(`${root}.`))) errors.invalid(path, mistake)
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function validateColumns(columns: readonly CustomResourceColumnDefinition[] | undefined, errors: FieldErrors): void {
  columns?.forEach(({ name, type, format = '', jsonPath }, index) => {
    const at = errors.index(index)
    if (name === '') at.at('name').required()
    if (type === '') at.at('type').required(`must be one of ${COLUMN_TYPES.join(',')}`)
    else if (!COLUMN_TYPES.includes(type)) at.at('type').invalid(type, `must be one of ${COLUMN_TYPES.join(',')}`)
    if (format !== '' && !COLUMN_FORMATS.includes(format)) at.at('format').invalid(format, `must be one of ${COLUMN_FORMATS.join(',')}`)
    if (jsonPath === '') at.at('JSONPath').required()
    else if (!jsonPath.startsWith('.')) at.at('JSONPath').invalid(jsonPath, SIMPLE_PATH)
  })
}

function validateConversion(conversion: CustomResourceConversion | undefined, errors: FieldErrors): void {
  if (!conversion) return
  const { webhook } = conversion
  const strategy: string = conversion.strategy
  const versions = webhook?.conversionReviewVersions ?? []
  const client = errors.at('webhookClientConfig')
  if (strategy === '') errors.at('strategy').required()
  else if (strategy !== 'None' && strategy !== 'Webhook') errors.at('strategy').notSupported(strategy, ['None', 'Webhook'])
  if (strategy === 'Webhook') {
    if (webhook?.clientConfig) validateClient(webhook.clientConfig, client)
    else client.required('required when strategy is set to Webhook')
    validateReviewVersions(versions, errors.at('conversionReviewVersions'))
    return
  }
  if (webhook?.clientConfig) client.forbidden('should not be set when strategy is not set to Webhook')
  if (versions.length > 0) errors.at('conversionReviewVersions').forbidden('should not be set when strategy is not set to Webhook')
}

function validateReviewVersions(versions: readonly string[], errors: FieldErrors): void {
  if (versions.length === 0) {
    errors.required()
    return
  }
  versions.forEach((version, index) => {
    if (versions.indexOf(version) < index) errors.index(index).invalid(version, 'duplicate version')
    else errors.index(index).invalidEach(version, isDNS1035Label(version))
  })
  if (!versions.some(version => version === 'v1' || version === 'v1beta1')) {
    errors.invalid(versions, 'must include at least one of v1, v1beta1')
  }
}

function validateNames(names: CustomResourceDefinitionNames, errors: FieldErrors): void {
  const { plural, singular = '', kind, listKind = '', shortNames, categories } = names
  for (const [name, value] of Object.entries({ plural, singular, kind, listKind })) if (value === '') errors.at(name).required()
  validateLabel(plural, errors.at('plural'))
  validateLabel(singular, errors.at('singular'))
  validateMixed(kind, errors.at('kind'))
  validateMixed(listKind, errors.at('listKind'))
  shortNames?.forEach((name, index) => {
    validateLabel(name, errors.at('shortNames').index(index))
  })
  if (kind !== '' && kind === listKind) errors.at('listKind').invalid(listKind, 'kind and listKind may not be the same')
  categories?.forEach((name, index) => {
    validateLabel(name, errors.at('categories').index(index))
  })
}

function validateLabel(name: string, errors: FieldErrors): void {
  const mistakes = name === '' ? [] : isDNS1035Label(name)
  if (mistakes.length > 0) errors.invalid(name, mistakes.join(','))
}

function validateMixed(name: string, errors: FieldErrors): void {
  const mistakes = name === '' ? [] : isDNS1035Label(name.toLowerCase())
  if (mistakes.length > 0) errors.invalid(name, `may have mixed case, but should otherwise match: ${mistakes.join(',')}`)
}

/** Objects may lie in versions that were the storage version once: those must stay. */
function validateStoredVersions(
  stored: readonly string[] | null | undefined,
  versions: readonly CustomResourceDefinitionVersion[],
  errors: FieldErrors,
): void {
  if (!stored?.length) {
    errors.invalid(stored ?? null, 'must have at least one stored version')
    return
  }
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name)) errors.invalid(stored, `must have the storage version ${name}`)
  }
  stored.forEach((name, index) => {
    if (versions.some(version => version.name === name)) return
    errors
      .index(index)
      .invalid(
        name,
        `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
      )
  })
}
