import type { ObjectMeta } from '#machinery/kind/object-meta.ts'
import { isDNS1123Label, isDNS1123Subdomain, nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'
import { validateItems } from './key-to-path.rules.ts'
import { validateDescendingPath, validateFileMode } from './path.rules.ts'
import { validateClaimTemplate } from './persistent-volume-claim-spec.rules.ts'
import { validateFileFieldRefs, validateProjections } from './projected-volume.rules.ts'
import type { Volume } from './volume.ts'
import { backendRules } from './volume-backend.rules.ts'

/** The volumes of a pod. Answers those that are fine, by name: containers may only mount these. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  pod: ObjectMeta | undefined,
  errors: FieldErrors,
): ReadonlyMap<string, Volume> {
  const fine = new Map<string, Volume>()
  const created = new Set((volumes ?? []).filter(volume => pod?.name && volume.ephemeral).map(volume => `${pod?.name}-${volume.name}`))
  volumes?.forEach((volume, index) => {
    const at = errors.index(index)
    const before = errors.all.length
    validateSource(volume, pod, at)
    if (volume.name === '') at.at('name').required()
    else at.at('name').invalidEach(volume.name, isDNS1123Label(volume.name))
    if (fine.has(volume.name)) at.at('name').duplicate(volume.name)
    if (errors.all.length === before) fine.set(volume.name, volume)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim !== undefined && created.has(claim)) {
      at.at('persistentVolumeClaim').at('claimName').invalid(claim, 'must not reference a PVC that gets created for an ephemeral volume')
    }
  })
  return fine
}

type Rules = { readonly [K in keyof Volume]-?: (source: NonNullable<Volume[K]>, errors: FieldErrors) => void }

/** One source for each volume: its rule, and what upstream calls its field where that differs. */
const RULES: Omit<Rules, 'name'> = {
  emptyDir({ sizeLimit }, errors) {
    if (sizeLimit !== undefined && Quantity.parse(sizeLimit).sign < 0) {
      errors.at('sizeLimit').forbidden('SizeLimit field must be a valid resource quantity')
    }
  },
  ...backendRules,
  gitRepo({ repository, directory = '' }, errors) {
    if (repository === '') errors.at('repository').required()
    validateDescendingPath(directory, errors.at('directory'))
  },
  secret({ secretName = '', defaultMode, items }, errors) {
    if (secretName === '') errors.at('secretName').required()
    validateFileMode(defaultMode, errors.at('defaultMode'))
    validateItems(items, errors.at('items'))
  },
  configMap({ name = '', defaultMode, items }, errors) {
    if (name === '') errors.at('name').required()
    validateFileMode(defaultMode, errors.at('defaultMode'))
    validateItems(items, errors.at('items'))
  },
  downwardAPI({ defaultMode, items }, errors) {
    validateFileMode(defaultMode, errors.at('defaultMode'))
    for (const file of items ?? []) validateFileFieldRefs(file, errors)
  },
  projected({ defaultMode, sources }, errors) {
    validateFileMode(defaultMode, errors.at('defaultMode'))
    validateProjections(sources ?? [], errors)
  },
  persistentVolumeClaim({ claimName }, errors) {
    if (claimName === '') errors.at('claimName').required()
  },
  csi({ driver, nodePublishSecretRef }, errors) {
    validateDriverName(driver, errors.at('driver'))
    if (!nodePublishSecretRef) return
    const name = nodePublishSecretRef.name ?? ''
    if (name === '') errors.at('nodePublishSecretRef').at('name').required()
    else errors.at('name').invalidEach(name, isDNS1123Subdomain(name))
  },
  ephemeral({ volumeClaimTemplate }, errors) {
    if (!volumeClaimTemplate) errors.at('volumeClaimTemplate').required()
    else validateClaimTemplate(volumeClaimTemplate, errors.at('volumeClaimTemplate'))
  },
  image({ reference = '', pullPolicy }, errors) {
    if (reference === '') errors.at('reference').required()
    validatePullPolicy(pullPolicy, errors.at('pullPolicy'))
  },
}

function validateSource(volume: Volume, pod: ObjectMeta | undefined, errors: FieldErrors): void {
  let count = 0
  for (const [name, validate] of Object.entries(RULES) as [keyof typeof RULES, (source: unknown, errors: FieldErrors) => void][]) {
    const source = volume[name]
    if (source === undefined) continue
    if (count > 0 && name !== 'emptyDir')
      errors.at(name === 'downwardAPI' ? 'downwarAPI' : name).forbidden('may not specify more than 1 volume type')
    else {
      count++
      validate(source, errors.at(name === 'gcePersistentDisk' ? 'persistentDisk' : name))
      if (name === 'ephemeral') validateClaimName(volume, pod, errors.at('name'))
    }
  }
  if (count === 0) errors.required('must specify a volume type')
  if (volume.iscsi?.initiatorName !== undefined && `${volume.name}:${volume.iscsi.targetPortal}`.length > 64) {
    errors.at('name').invalid(volume.name, ISCSI_TOO_LONG)
  }
}

export const ISCSI_TOO_LONG =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'

/** The claim of an ephemeral volume is named after pod and volume. */
function validateClaimName(volume: Volume, pod: ObjectMeta | undefined, errors: FieldErrors): void {
  if (!pod?.name || volume.name === '') return
  const claim = `${pod.name}-${volume.name}`
  for (const wrong of nameIsDNSSubdomain(claim, false)) errors.invalid(volume.name, `PVC name ${quote(claim)}: ${wrong}`)
}

/** The name of a CSI driver. */
export function validateDriverName(driver: string, errors: FieldErrors): void {
  if (driver === '') {
    errors.required()
    return
  }
  if (driver.length > 63) errors.tooLong(63)
  errors.invalidEach(driver, isDNS1123Subdomain(driver.toLowerCase()))
}

export function validatePullPolicy(policy: string | undefined, errors: FieldErrors): void {
  if (policy === undefined || policy === '') errors.required()
  else if (!['Always', 'IfNotPresent', 'Never'].includes(policy)) errors.notSupported(policy, ['Always', 'IfNotPresent', 'Never'])
}
