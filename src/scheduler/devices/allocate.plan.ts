import type { Node } from '#kinds/core/v1/node.ts'
import { matchesNodeSelector } from '#kinds/core/v1/node-selector.facts.ts'
import type { DeviceClass } from '#kinds/resource/v1/device-class.ts'
import { toleratesDevice } from '#kinds/resource/v1/device-toleration.facts.ts'
import type { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import type { Device, ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'

/** A device of a driver, in one of its pools. */
export interface OfferedDevice {
  readonly driver: string
  readonly pool: string
  readonly device: Device
  /** Whether only this node reaches it; else any that the slice or device selects. */
  readonly isLocal: boolean
}

/** A device that was chosen for a request of a claim. */
export interface ChosenDevice {
  readonly request: string
  readonly driver: string
  readonly pool: string
  readonly device: string
}

/** Whether a CEL expression of a class or request holds of a device. Throws if it cannot be evaluated. */
export type DeviceMatcher = (expression: string, device: { readonly driver: string; readonly device: Device }) => boolean

export const deviceKey = ({ driver, pool, device }: { readonly driver: string; readonly pool: string; readonly device: string }) =>
  `${driver}/${pool}/${device}`

/** The devices that pods on the node can use: of the newest generation of each pool. */
export function devicesOf(node: Node, slices: readonly ResourceSlice[]): OfferedDevice[] {
  const newest = new Map<string, number>()
  for (const { spec } of slices) {
    const pool = `${spec.driver}/${spec.pool.name}`
    newest.set(pool, Math.max(newest.get(pool) ?? 0, Number(spec.pool.generation)))
  }
  return slices.flatMap(({ spec }) => {
    if (Number(spec.pool.generation) !== newest.get(`${spec.driver}/${spec.pool.name}`)) return []
    if (!spec.perDeviceNodeSelection && !reaches(spec, node)) return []
    return (spec.devices ?? []).flatMap(device =>
      spec.perDeviceNodeSelection && !reaches(device, node)
        ? []
        : [
            {
              driver: spec.driver,
              pool: spec.pool.name,
              device,
              isLocal: (spec.perDeviceNodeSelection ? device : spec).nodeName !== undefined,
            },
          ],
    )
  })
}

function reaches({ nodeName, nodeSelector, allNodes }: Pick<Device, 'nodeName' | 'nodeSelector' | 'allNodes'>, node: Node): boolean {
  if (nodeName) return nodeName === node.metadata.name
  return Boolean(allNodes) || (nodeSelector !== undefined && matchesNodeSelector(nodeSelector, node))
}

interface Want {
  readonly claim: number
  readonly request: string
  readonly candidates: readonly OfferedDevice[]
  readonly count: number
}

/**
 * Devices for all requests of all claims among `offered`, or undefined if there are not enough: goes through the possibilities until all
 * constraints hold. Alternatives (`firstAvailable`) are tried in order; a device goes to one claim.
 */
export function allocate(
  claims: readonly ResourceClaim[],
  offered: readonly OfferedDevice[],
  taken: ReadonlySet<string>,
  classes: (name: string) => DeviceClass | undefined,
  matches: DeviceMatcher,
): readonly (readonly ChosenDevice[])[] | undefined {
  const free = offered.filter(
    ({ driver, pool, device }) => !taken.has(deviceKey({ driver, pool, device: device.name })) && !device.consumesCounters?.length,
  )
  const requests = claims.flatMap(({ spec }, claim) => (spec.devices.requests ?? []).map(request => ({ claim, request })))
  let steps = 0

  const solve = (
    index: number,
    used: ReadonlySet<OfferedDevice>,
    chosen: readonly (readonly (ChosenDevice & { readonly offer: OfferedDevice })[])[],
  ): typeof chosen | undefined => {
    if (index === requests.length) return chosen
    const { claim, request } = requests[index]!
    const alternatives = request.exactly
      ? [{ ...request.exactly, name: request.name }]
      : (request.firstAvailable ?? []).map(one => ({ ...one, name: `${request.name}/${one.name}` }))
    for (const one of alternatives) {
      const fitting = free.filter(offer => !used.has(offer) && fits(offer, one, classes, matches))
      const isAll = one.allocationMode === 'All'
      const count = isAll ? fitting.length : Number(one.count ?? 1)
      if (fitting.length < count || (isAll && count === 0)) continue
      const want: Want = { claim, request: one.name, candidates: fitting, count }
      const result = pick(want, 0, [], index, used, chosen)
      if (result) return result
    }
    return undefined
  }

  const pick = (
    want: Want,
    from: number,
    picked: readonly OfferedDevice[],
    index: number,
    used: ReadonlySet<OfferedDevice>,
    chosen: readonly (readonly (ChosenDevice & { readonly offer: OfferedDevice })[])[],
  ): typeof chosen | undefined => {
    if (++steps > STEP_LIMIT) return undefined
    if (picked.length === want.count) {
      const own = picked.map(offer => ({ request: want.request, driver: offer.driver, pool: offer.pool, device: offer.device.name, offer }))
      const next = chosen.map((list, claim) => (claim === want.claim ? [...list, ...own] : list))
      if (!holds(claims[want.claim]!, next[want.claim]!)) return undefined
      return solve(index + 1, new Set([...used, ...picked]), next)
    }
    for (let place = from; place <= want.candidates.length - (want.count - picked.length); place++) {
      const result = pick(want, place + 1, [...picked, want.candidates[place]!], index, used, chosen)
      if (result) return result
    }
    return undefined
  }

  const result = solve(
    0,
    new Set(),
    claims.map(() => []),
  )
  return result?.map(list => list.map(({ request, driver, pool, device }) => ({ request, driver, pool, device })))
}

/** Searching has an end: what is not found by then counts as not there. */
const STEP_LIMIT = 20_000

interface Request {
  readonly deviceClassName: string
  readonly selectors?: readonly { readonly cel?: { readonly expression: string } | undefined }[] | undefined
  readonly tolerations?:
    | readonly {
        readonly key?: string | undefined
        readonly operator?: string | undefined
        readonly value?: string | undefined
        readonly effect?: string | undefined
      }[]
    | undefined
}

function fits(offer: OfferedDevice, request: Request, classes: (name: string) => DeviceClass | undefined, matches: DeviceMatcher): boolean {
  const deviceClass = classes(request.deviceClassName)
  if (!deviceClass || !toleratesAll(offer.device, request)) return false
  return [...(deviceClass.spec.selectors ?? []), ...(request.selectors ?? [])].every(({ cel }) => !cel || matches(cel.expression, offer))
}

function toleratesAll({ taints = [] }: Device, { tolerations = [] }: Request): boolean {
  return taints.every(taint => taint.effect === 'None' || tolerations.some(toleration => toleratesDevice(toleration, taint)))
}

/** Whether what was chosen so far keeps the claim's constraints. */
function holds({ spec }: ResourceClaim, chosen: readonly (ChosenDevice & { readonly offer: OfferedDevice })[]): boolean {
  return (spec.devices.constraints ?? []).every(({ requests = [], matchAttribute, distinctAttribute }) => {
    const meant = chosen.filter(
      ({ request }) => requests.length === 0 || requests.includes(request) || requests.includes(request.split('/')[0]!),
    )
    const attribute = matchAttribute ?? distinctAttribute
    if (attribute === undefined) return true
    const values = meant.map(({ offer }) => attributeOf(offer, attribute))
    if (values.includes(undefined)) return false
    const different = new Set(values).size
    return matchAttribute !== undefined ? different <= 1 : different === values.length
  })
}

/** An attribute without a domain is of the driver's. */
function attributeOf({ driver, device }: OfferedDevice, name: string): string | undefined {
  const local = name.startsWith(`${driver}/`) ? name.slice(driver.length + 1) : name
  const value = device.attributes?.[name] ?? device.attributes?.[local]
  return value === undefined ? undefined : JSON.stringify(value)
}
