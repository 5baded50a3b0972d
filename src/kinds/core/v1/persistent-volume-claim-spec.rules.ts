import { isDNS1123Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { validateAnnotations, validateLabels } from '#machinery/meta/validate-object-meta.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelSelector } from '../../meta/v1/rules.ts'
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from './persistent-volume-claim-spec.ts'
import { validateResourceAmount } from './resource-requirements.rules.ts'

/** What a claim asks for. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, errors: FieldErrors): void {
  if ((spec.accessModes ?? []).length === 0) errors.at('accessModes').required('at least 1 access mode is required')
  validateLabelSelector(spec.selector, errors.at('selector'))
  validateAccessModes(spec.accessModes, errors.at('accessModes'))
  const storage = spec.resources.requests?.['storage']
  const size = errors.at('resources').key('storage')
  if (storage === undefined) size.required()
  else if (Quantity.parse(storage).sign <= 0) size.invalid(storage, 'must be greater than zero')
  else validateResourceAmount('storage', storage, size)
  if (spec.storageClassName) errors.at('storageClassName').invalidEach(spec.storageClassName, isDNS1123Subdomain(spec.storageClassName))
  if (!VOLUME_MODES.includes(spec.volumeMode)) errors.at('volumeMode').notSupported(spec.volumeMode, VOLUME_MODES)
  validateDataSources(spec, errors)
  const attributes = spec.volumeAttributesClassName
  if (attributes) errors.at('volumeAttributesClassName').invalidEach(attributes, isDNS1123Subdomain(attributes))
}

export const VOLUME_MODES = ['Block', 'Filesystem']
const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

/** How a volume may be mounted; by one pod only, or by others. */
export function validateAccessModes(modes: readonly string[] | undefined, errors: FieldErrors): void {
  const known = (modes ?? []).filter(mode => MODES.includes(mode))
  for (const mode of modes ?? []) if (!MODES.includes(mode)) errors.notSupported(mode, MODES)
  if (known.includes('ReadWriteOncePod') && known.some(mode => mode !== 'ReadWriteOncePod')) {
    errors.forbidden('may not use ReadWriteOncePod with other access modes')
  }
}

/** What the volume is filled with. */
function validateDataSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, errors: FieldErrors): void {
  if (dataSource) validateDataSource(dataSource, errors.at('dataSource'))
  if (dataSourceRef) validateDataSource(dataSourceRef, errors.at('dataSourceRef'))
  const namespace = dataSourceRef?.namespace
  if (namespace) {
    errors.at('dataSourceRef').at('namespace').invalidEach(namespace, isDNS1123Label(namespace))
    if (dataSource) errors.invalid({}, 'may not be specified when dataSourceRef.namespace is specified')
  } else if (dataSource && dataSourceRef) {
    const isSame =
      (dataSource.apiGroup ?? undefined) === (dataSourceRef.apiGroup ?? undefined) &&
      dataSource.kind === dataSourceRef.kind &&
      dataSource.name === dataSourceRef.name
    if (!isSame) errors.invalid({}, 'must match dataSourceRef')
  }
}

function validateDataSource(
  { name, kind, apiGroup }: { readonly name: string; readonly kind: string; readonly apiGroup?: string | null | undefined },
  errors: FieldErrors,
): void {
  if (name === '') errors.at('name').required()
  if (kind === '') errors.at('kind').required()
  if (!apiGroup) {
    if (kind !== 'PersistentVolumeClaim') errors.invalid(kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
  } else errors.at('apiGroup').invalidEach(apiGroup, isDNS1123Subdomain(apiGroup))
}

/** The claim that a pod makes for an ephemeral volume: only labels and annotations of its own. */
export function validateClaimTemplate(template: PersistentVolumeClaimTemplate, errors: FieldErrors): void {
  const meta = errors.at('metadata')
  validateAnnotations(template.metadata.annotations, meta.at('annotations'))
  validateLabels(template.metadata.labels, meta.at('labels'))
  for (const name of Object.keys(template.metadata)) {
    if (name !== 'annotations' && name !== 'labels') meta.at(name).forbidden('cannot be set')
  }
  validateClaimSpec(template.spec, errors.at('spec'))
}
