import { draft, equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { isQualifiedName } from '#machinery/meta/names.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { sortedEntries, validateImmutable } from '../../meta/v1/rules.ts'
import { BETA_CLASS } from './access-modes.ts'
import type { PersistentVolumeClaim } from './persistent-volume-claim.ts'
import type { PersistentVolumeClaimSpec } from './persistent-volume-claim-spec.ts'
import { differenceOf } from './pod.rules.ts'
import { isNativeResource } from './resources.facts.ts'

/** What fills a volume stands in two fields; each is filled in from the other. Sources of unknown kinds only go into the newer one. */
export function normalizeDataSources({ spec }: Mutable<PersistentVolumeClaim>, old: PersistentVolumeClaim | undefined): void {
  if (!old?.spec.dataSource && spec.dataSource && !isClaimOrSnapshot(spec.dataSource)) delete spec.dataSource
  if (spec.dataSourceRef?.namespace) return
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = draft(spec.dataSource)
  else if (spec.dataSourceRef && !spec.dataSource) {
    const { apiGroup, kind, name } = spec.dataSourceRef
    spec.dataSource = { apiGroup: apiGroup ?? null, kind, name }
  }
}

function isClaimOrSnapshot({ kind, apiGroup }: { readonly kind: string; readonly apiGroup?: string | null | undefined }): boolean {
  return (kind === 'PersistentVolumeClaim' && !apiGroup) || (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io')
}

export function validateClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  errors: FieldErrors,
  subresource: string,
): void {
  if (subresource === 'status') {
    validateStatusUpdate(claim, errors)
    return
  }
  const now = draft(claim.spec)
  const before = draft(old.spec)
  if (!before.volumeName && now.volumeName !== undefined) before.volumeName = now.volumeName
  validateClassUpdate(claim, old, now, errors)
  if (claim.status.phase === 'Bound') {
    const size = before.resources.requests?.['storage']
    if (now.resources.requests && size !== undefined) now.resources.requests['storage'] = size
    if (now.volumeAttributesClassName !== undefined) now.volumeAttributesClassName = before.volumeAttributesClassName
  }
  if (!equal(now, before)) {
    errors
      .at('spec')
      .forbidden(
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${differenceOf(before, now)}`,
      )
  }
  validateSize(claim, old, errors.at('spec').at('resources').at('requests').at('storage'))
  validateImmutable(claim.spec.volumeMode, old.spec.volumeMode, errors.at('volumeMode'))
  const attributes = claim.spec.volumeAttributesClassName
  if (old.spec.volumeAttributesClassName === undefined || attributes === old.spec.volumeAttributesClassName) return
  const at = errors.at('spec').at('volumeAttributesClassName')
  if (attributes === undefined) at.forbidden('update from non-nil value to nil is forbidden')
  else if (attributes === '') at.forbidden('update from non-nil value to an empty string is forbidden')
}

/** A class may be named once, also where an annotation named it before. */
function validateClassUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  now: Mutable<PersistentVolumeClaimSpec>,
  errors: FieldErrors,
): void {
  const before = old.metadata.annotations?.[BETA_CLASS]
  const after = claim.metadata.annotations?.[BETA_CLASS]
  const { storageClassName } = claim.spec
  const isUpgrade = before !== undefined && old.spec.storageClassName === undefined && storageClassName === before
  if (isUpgrade && (after === undefined || after === before)) {
    delete now.storageClassName
    return
  }
  if ((before ?? '') !== (after ?? ''))
    errors
      .at('metadata')
      .at('annotations')
      .at(BETA_CLASS)
      .invalid(after ?? '', 'field is immutable')
  if (storageClassName !== undefined && old.spec.storageClassName === undefined && (before === undefined || before === storageClassName)) {
    delete now.storageClassName
  }
}

/** A claim may grow; it may shrink back to what it has, after growing failed. */
function validateSize(claim: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: FieldErrors): void {
  const size = (text: string | undefined) => Quantity.parse(text ?? '0')
  const now = size(claim.spec.resources.requests?.['storage'])
  if (now.compare(size(old.spec.resources.requests?.['storage'])) >= 0) return
  if (now.compare(size(old.status.capacity?.['storage'])) <= 0) errors.forbidden('field can not be less than status.capacity')
}

const RESIZE_STATES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
]

function validateStatusUpdate({ spec, status }: PersistentVolumeClaim, errors: FieldErrors): void {
  if ((spec.accessModes ?? []).length === 0) errors.at('Spec').at('accessModes').required()
  const at = errors.at('status')
  for (const [name, amount] of sortedEntries(status.capacity)) validateBasicAmount(amount, at.at('capacity').key(name))
  for (const [name, state] of sortedEntries(status.allocatedResourceStatuses)) {
    validateResourceKey(name, at.at('allocatedResourceStatus'))
    if (!RESIZE_STATES.includes(state)) at.at('allocatedResourceStatus').notSupported(name, [...RESIZE_STATES].sort())
  }
  for (const [name, amount] of sortedEntries(status.allocatedResources)) {
    validateResourceKey(name, at.at('allocatedResources'))
    validateBasicAmount(amount, at.at('allocatedResources').key(name))
  }
}

function validateResourceKey(name: string, errors: FieldErrors): void {
  const wrong = isQualifiedName(name)
  errors.invalidEach(name, wrong)
  if (wrong.length === 0 && isNativeResource(name) && name !== 'storage') errors.notSupported(name, ['storage'])
}

export function validateBasicAmount(amount: string, errors: FieldErrors): void {
  const value = Quantity.parse(amount).toNumber()
  if (value < 0) errors.invalid(value, 'must be a valid resource quantity')
}

/** Annotations that have become fields, and fractions of a byte. */
export function claimWarnings({ metadata, spec }: PersistentVolumeClaim, old: PersistentVolumeClaim | undefined): string[] {
  const warnings: string[] = []
  if (old && equal(old.spec, spec) && equal(old.metadata.annotations, metadata.annotations)) return warnings
  if (metadata.annotations?.[BETA_CLASS] !== undefined) {
    warnings.push(`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`)
  }
  for (const [list, amounts] of Object.entries({ requests: spec.resources.requests, limits: spec.resources.limits })) {
    for (const [name, amount] of sortedEntries(amounts)) {
      if (name !== 'storage' || Quantity.parse(amount).toMilli() % 1000 === 0) continue
      warnings.push(`spec.resources.${list}[${name}]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`)
    }
  }
  return warnings
}
