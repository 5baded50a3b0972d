import type { Mutable } from '#machinery/kind/kind.ts'
import { isDNS1123Label, isDNS1123Subdomain, nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { timeOf } from '#machinery/time/time.ts'
import { validateNodeSelector } from '../../core/v1/node-selector.rules.ts'
import { validateDriver } from './resource-claim-spec.rules.ts'
import type { ResourceSlice, ResourceSliceSpec } from './resource-slice.ts'

const MAX_DEVICES = 128

/** When a taint was added is noted down once. */
export function stampTaints({ spec }: Mutable<ResourceSlice>, now: number): void {
  for (const device of spec.devices ?? []) for (const taint of device.taints ?? []) taint.timeAdded ??= timeOf(now)
}

/** The devices that a driver has, on one node or on several. */
export function validateResourceSlice({ spec }: ResourceSlice, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateDriver(spec.driver, at.at('driver'))
  validatePool(spec, at.at('pool'))
  validatePlace(spec, at)
  const { devices = [] } = spec
  if (devices.length > MAX_DEVICES) at.at('devices').tooMany(devices.length, MAX_DEVICES)
  const names = new Set<string>()
  devices.forEach(({ name, attributes = {}, capacity = {} }, index) => {
    const device = at.at('devices').index(index)
    if (name === '') device.at('name').required()
    else device.at('name').invalidEach(name, isDNS1123Label(name))
    if (names.has(name)) device.at('name').duplicate(name)
    names.add(name)
    const count = Object.keys(attributes).length + Object.keys(capacity).length
    if (count > 32) device.invalid(count, 'the total number of attributes and capacities must not exceed 32')
    for (const [key, attribute] of Object.entries(attributes)) {
      const set = Object.values(attribute).filter(value => value !== undefined).length
      if (set === 0) device.at('attributes').key(key).required('exactly one value must be specified')
      else if (set > 1) device.at('attributes').key(key).invalid(attribute, 'exactly one value must be specified')
    }
  })
}

function validatePool({ pool }: ResourceSliceSpec, errors: FieldErrors): void {
  if (pool.name === '') errors.at('name').required()
  else {
    if (pool.name.length > 253) errors.at('name').tooLong(253)
    for (const part of pool.name.split('/')) errors.at('name').invalidEach(part, isDNS1123Subdomain(part))
  }
  if (pool.resourceSliceCount <= 0) errors.at('resourceSliceCount').invalid(pool.resourceSliceCount, 'must be greater than zero')
  if (pool.generation < 0) errors.at('generation').invalid(pool.generation, 'must be greater than or equal to zero')
}

function validatePlace({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }: ResourceSliceSpec, errors: FieldErrors): void {
  if (nodeName !== undefined) {
    if (nodeName === '') errors.at('nodeName').invalid(nodeName, 'must be either unset or set to a non-empty string')
    else errors.at('nodeName').invalidEach(nodeName, nameIsDNSSubdomain(nodeName, false))
  }
  if (nodeSelector) {
    validateNodeSelector(nodeSelector, errors.at('nodeSelector'))
    if (nodeSelector.nodeSelectorTerms.length !== 1) {
      errors.at('nodeSelector').at('nodeSelectorTerms').invalid(nodeSelector.nodeSelectorTerms, 'must have exactly one node selector term')
    }
  }
  const set = [nodeName !== undefined, nodeSelector !== undefined, allNodes === true, perDeviceNodeSelection === true].filter(
    Boolean,
  ).length
  const choice = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (set === 0) errors.required(choice)
  else if (set > 1) errors.invalid(null, `${choice}, but multiple fields are set`)
}
