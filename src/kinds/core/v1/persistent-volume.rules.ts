import { draft, equal } from '#machinery/kind/draft.ts'
import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { sortedEntries, validateImmutable } from '../../meta/v1/rules.ts'
import { BETA_CLASS } from './access-modes.ts'
import { validateNodeSelector } from './node-selector.rules.ts'
import { validateNoBacksteps } from './path.rules.ts'
import type { PersistentVolume } from './persistent-volume.ts'
import { validateBasicAmount } from './persistent-volume-claim.rules.ts'
import { VOLUME_MODES, validateAccessModes } from './persistent-volume-claim-spec.rules.ts'
import { PersistentVolumeSource, type PersistentVolumeSpec } from './persistent-volume-spec.ts'
import { differenceOf } from './pod.rules.ts'
import { ISCSI_TOO_LONG, validateDriverName } from './volume.rules.ts'
import { backendRules, validateSecretReference } from './volume-backend.rules.ts'

export function validatePersistentVolume({ metadata, spec }: PersistentVolume, errors: FieldErrors): void {
  validatePersistentVolumeSpec(spec, metadata.name ?? '', false, errors.at('spec'))
}

const RECLAIM = ['Delete', 'Recycle', 'Retain']

/** `isInline`: it stands in an attachment and not by itself; much means nothing there. */
export function validatePersistentVolumeSpec(spec: PersistentVolumeSpec, name: string, isInline: boolean, errors: FieldErrors): void {
  const elsewhere = (field: string) => errors.at(field).forbidden('may not be specified in the context of inline volumes')
  if (isInline) {
    if (spec.claimRef) elsewhere('claimRef')
    if (Object.keys(spec.capacity ?? {}).length > 0) elsewhere('capacity')
    if (!spec.csi) errors.at('csi').required('has to be specified in the context of inline volumes')
    if (spec.nodeAffinity) elsewhere('nodeAffinity')
    if (spec.storageClassName) elsewhere('storageClassName')
    if (spec.persistentVolumeReclaimPolicy !== 'Retain') {
      errors.at('persistentVolumeReclaimPolicy').forbidden('may only be Retain in the context of inline volumes')
    }
    if (spec.volumeMode !== 'Filesystem') {
      errors.at('volumeMode').forbidden('may not specify volumeMode other than Filesystem in the context of inline volumes')
    }
  } else {
    validateCapacity(spec, errors.at('capacity'))
    if (!RECLAIM.includes(spec.persistentVolumeReclaimPolicy)) {
      errors.at('persistentVolumeReclaimPolicy').notSupported(spec.persistentVolumeReclaimPolicy, RECLAIM)
    }
    if (spec.storageClassName) errors.at('storageClassName').invalidEach(spec.storageClassName, isDNS1123Subdomain(spec.storageClassName))
    if (!VOLUME_MODES.includes(spec.volumeMode)) errors.at('volumeMode').notSupported(spec.volumeMode, VOLUME_MODES)
    if (spec.nodeAffinity) {
      if (spec.nodeAffinity.required) validateNodeSelector(spec.nodeAffinity.required, errors.at('nodeAffinity').at('required'))
      else errors.at('nodeAffinity').at('required').required('must specify required node constraints')
    }
  }
  if ((spec.accessModes ?? []).length === 0) errors.at('accessModes').required()
  validateAccessModes(spec.accessModes, errors.at('accessModes'))
  validateSource(spec, name, errors)
  if (spec.hostPath && /^\/+(\.?\/*)*$/.test(spec.hostPath.path) && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    errors.at('persistentVolumeReclaimPolicy').forbidden("may not be 'recycle' for a hostPath mount of '/'")
  }
  const attributes = spec.volumeAttributesClassName
  if (attributes === undefined) return
  if (attributes === '') errors.at('volumeAttributesClassName').required('an empty string is disallowed')
  else errors.at('volumeAttributesClassName').invalidEach(attributes, isDNS1123Subdomain(attributes))
  if (!spec.csi) errors.at('csi').required('has to be specified when using volumeAttributesClassName')
}

function validateCapacity({ capacity = {} }: PersistentVolumeSpec, errors: FieldErrors): void {
  const names = Object.keys(capacity)
  if (names.length === 0) errors.required()
  if (capacity['storage'] === undefined || names.length > 1) {
    errors.notSupported(names.length === 0 ? null : capacity, ['storage'])
  }
  for (const [name, amount] of sortedEntries(capacity)) {
    validateBasicAmount(amount, errors.key(name))
    if (Quantity.parse(amount).sign <= 0) errors.key(name).invalid(amount, 'must be greater than zero')
  }
}

type Rules = {
  readonly [K in keyof PersistentVolumeSource]-?: (source: NonNullable<PersistentVolumeSource[K]>, errors: FieldErrors) => void
}

const RULES: Rules = {
  ...backendRules,
  azureFile(source, errors) {
    backendRules.azureFile(source, errors)
    if (source.secretNamespace === '') errors.at('secretNamespace').required()
  },
  cinder(source, errors) {
    backendRules.cinder(source, errors)
    if (source.secretRef && !source.secretRef.namespace) errors.at('secretRef').at('namespace').required()
  },
  local({ path }, errors) {
    if (path === '') return errors.at('path').required()
    validateNoBacksteps(path, errors.at('path'))
  },
  storageos: backendRules.storageos,
  csi(source, errors) {
    validateDriverName(source.driver, errors.at('driver'))
    if (source.volumeHandle === '') errors.at('volumeHandle').required()
    for (const name of [
      'controllerPublishSecretRef',
      'controllerExpandSecretRef',
      'nodePublishSecretRef',
      'nodeExpandSecretRef',
    ] as const) {
      const reference = source[name]
      if (reference) validateSecretReference(reference, errors.at(name))
    }
  },
}

function validateSource(spec: PersistentVolumeSpec, name: string, errors: FieldErrors): void {
  let count = 0
  for (const [field, validate] of Object.entries(RULES) as [
    keyof PersistentVolumeSource,
    (source: unknown, errors: FieldErrors) => void,
  ][]) {
    const source = spec[field]
    if (source === undefined) continue
    if (count > 0 && field !== 'flexVolume') errors.at(field).forbidden('may not specify more than 1 volume type')
    else validate(source, errors.at(field === 'gcePersistentDisk' ? 'persistentDisk' : field))
    count++
  }
  if (count === 0) errors.required('must specify a volume type')
  if (spec.local && !spec.nodeAffinity?.required) errors.at('nodeAffinity').required('Local volume requires node affinity')
  if (spec.iscsi?.initiatorName !== undefined && `${name}:${spec.iscsi.targetPortal}`.length > 64) {
    errors.at('iscsi').at('targetportal').invalid(spec.iscsi.targetPortal, ISCSI_TOO_LONG)
  }
}

export function validatePersistentVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
  errors: FieldErrors,
  subresource: string,
): void {
  if (subresource === 'status') return
  const before = sourceOf(old.spec)
  const after = draft(sourceOf(volume.spec))
  const csi = after['csi'] as { controllerExpandSecretRef?: unknown } | undefined
  if (csi && old.spec.csi && !old.spec.csi.controllerExpandSecretRef) delete csi.controllerExpandSecretRef
  if (!equal(before, after)) {
    errors
      .at('spec')
      .at('persistentvolumesource')
      .forbidden(`spec.persistentvolumesource is immutable after creation\n${differenceOf(before, after)}`)
  }
  validateImmutable(volume.spec.volumeMode, old.spec.volumeMode, errors.at('volumeMode'))
  if (old.spec.nodeAffinity) validateImmutable(volume.spec.nodeAffinity, old.spec.nodeAffinity, errors.at('nodeAffinity'))
  if (old.spec.volumeAttributesClassName !== undefined && volume.spec.volumeAttributesClassName === undefined) {
    errors.at('spec').at('volumeAttributesClassName').forbidden('update from non-nil value to nil is forbidden')
  }
}

function sourceOf(spec: PersistentVolumeSpec): Record<string, unknown> {
  const fields = Object.keys(PersistentVolumeSource.fields) as (keyof PersistentVolumeSource)[]
  return Object.fromEntries(fields.filter(field => spec[field] !== undefined).map(field => [field, spec[field]]))
}

const DEPRECATED: readonly (readonly [keyof PersistentVolumeSource, string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
]

export function persistentVolumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings: string[] = []
  if (metadata.annotations?.[BETA_CLASS] !== undefined) {
    warnings.push(`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`)
  }
  if (metadata.annotations?.['volume.beta.kubernetes.io/mount-options'] !== undefined) {
    warnings.push(
      'metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use "mountOptions" attribute instead',
    )
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    )
  }
  for (const [field, text] of DEPRECATED) if (spec[field] !== undefined) warnings.push(`spec.${field}: ${text}`)
  return warnings
}
