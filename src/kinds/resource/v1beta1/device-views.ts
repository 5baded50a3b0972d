import type { OtherVersion } from '#machinery/kind/other-version.ts'
import { type Fields, type Message, message, omitempty, optional } from '#machinery/schema/schema.ts'
import { DeviceAllocationMode } from '../v1/resource-claim-spec.ts'

/* Devices and requests for them as v1beta1 has them: what a device is like stands in `basic`, what a request asks for in the request itself. */

const numbered = (fields: Fields, numbers: Readonly<Record<string, number>>): Fields =>
  Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, { ...fields[name]!, number }]))

/** The messages that differ from those of v1. */
export const betaMessages: NonNullable<OtherVersion['messages']> = {
  Device({ name, ...rest }) {
    const numbers = Object.fromEntries(Object.entries(rest).map(([field, { number }]) => [field, number! - 1]))
    const basic = message('io.k8s.api.resource.v1beta1.BasicDevice', numbered(rest, numbers))
    return { name: name!, basic: optional(2, basic, 'What the device is like.') }
  },
  DeviceRequest({ name, exactly, firstAvailable }) {
    const { deviceClassName, ...asked } = (exactly!.schema as Message<Fields>).fields
    return {
      name: name!,
      deviceClassName: omitempty(2, deviceClassName!.schema, 'The class of the devices.'),
      ...numbered(asked, { selectors: 3 }),
      allocationMode: omitempty(4, DeviceAllocationMode, 'Whether a number of devices or all of them.'),
      ...numbered(asked, { count: 5, adminAccess: 6 }),
      firstAvailable: { ...firstAvailable!, number: 7 },
      ...numbered(asked, { tolerations: 8, capacity: 9 }),
    }
  },
  DeviceSubRequest: fields => ({ ...fields, ...numbered(fields, { tolerations: 7, capacity: 8 }) }),
}

type Value = Readonly<Record<string, unknown>>

/** Between a slice's devices in both versions. */
export const sliceViews: NonNullable<OtherVersion['conversion']> = {
  up: slice => withDevices(slice, ({ name, basic }) => ({ ...(basic as Value | undefined), name })),
  down: slice => withDevices(slice, ({ name, ...basic }) => ({ name, basic })),
}

/** Between the requests of a claim in both versions; of a template likewise. */
export const claimViews: NonNullable<OtherVersion['conversion']> = {
  up: claim => withRequests(claim, requestToStored),
  down: claim => withRequests(claim, requestFromStored),
}
export const templateViews: NonNullable<OtherVersion['conversion']> = {
  up: template => ({ ...template, spec: withRequests(template['spec'] as Value, requestToStored) }),
  down: template => ({ ...template, spec: withRequests(template['spec'] as Value, requestFromStored) }),
}

function requestToStored({ name, firstAvailable, ...asked }: Value): Value {
  const isAsked = Object.values(asked).some(value => value !== undefined)
  return { name, ...(isAsked ? { exactly: asked } : {}), ...(firstAvailable === undefined ? {} : { firstAvailable }) }
}

function requestFromStored({ exactly, ...rest }: Value): Value {
  return { ...rest, ...(exactly as Value | undefined) }
}

function withDevices(slice: Value, change: (device: Value) => Value): Record<string, unknown> {
  const spec = slice['spec'] as Value
  const devices = spec['devices'] as readonly Value[] | undefined
  return devices ? { ...slice, spec: { ...spec, devices: devices.map(change) } } : { ...slice }
}

function withRequests(claim: Value, change: (request: Value) => Value): Record<string, unknown> {
  const spec = claim['spec'] as Value
  const devices = spec['devices'] as Value
  const requests = devices['requests'] as readonly Value[] | null | undefined
  return requests ? { ...claim, spec: { ...spec, devices: { ...devices, requests: requests.map(change) } } } : { ...claim }
}
