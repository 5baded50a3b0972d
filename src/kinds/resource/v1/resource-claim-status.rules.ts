import { equal } from '#machinery/kind/draft.ts'
import { FIELD_IMMUTABLE } from '#machinery/meta/validate-object-meta.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { internal } from '../../meta/v1/rules.ts'
import type { ResourceClaimStatus } from './resource-claim.ts'

/** How many may use a claim at once. */
const MOST_CONSUMERS = 256

/** What holds of the state of a claim, and what of it may change: an allocation is given and taken back, never altered. */
export function validateClaimStatus(status: ResourceClaimStatus, old: ResourceClaimStatus, errors: FieldErrors): void {
  const { allocation, reservedFor = [], devices = [] } = status
  validateConsumers(reservedFor, errors.at('reservedFor'))
  if (!allocation && reservedFor.length > 0) errors.at('reservedFor').forbidden('may not be specified when `allocated` is not set')
  if (allocation && old.allocation && !equal(allocation, old.allocation)) {
    errors.at('allocation').invalid(internal(allocation), FIELD_IMMUTABLE)
  }
  const allocated = new Set((allocation?.devices.results ?? []).map(deviceKey))
  const seen = new Set<string>()
  devices.forEach((device, index) => {
    const at = errors.at('devices').index(index)
    const key = deviceKey(device)
    if (seen.has(key)) at.duplicate(shownDevice(device))
    else if (!allocated.has(key)) at.invalid(shownDevice(device), 'must be an allocated device in the claim')
    seen.add(key)
  })
}

function validateConsumers(consumers: NonNullable<ResourceClaimStatus['reservedFor']>, errors: FieldErrors): void {
  if (consumers.length > MOST_CONSUMERS) errors.tooMany(consumers.length, MOST_CONSUMERS)
  const seen = new Set<string>()
  consumers.forEach(({ resource, name, uid }, index) => {
    const at = errors.index(index)
    if (!resource) at.at('resource').required()
    if (!name) at.at('name').required()
    if (!uid) at.at('uid').required()
    else if (seen.has(uid)) at.duplicate(uid)
    seen.add(uid)
  })
}

interface DeviceName {
  readonly driver: string
  readonly pool: string
  readonly device: string
  readonly shareID?: string | undefined
}

function deviceKey({ driver, pool, device, shareID = '' }: DeviceName): string {
  return `${driver}/${pool}/${device}/${shareID}`
}

function shownDevice({ driver, pool, device }: DeviceName): object {
  return { Driver: driver, Pool: pool, Device: device }
}
