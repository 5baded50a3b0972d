import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { matchesNodeSelector } from '#kinds/core/v1/node-selector.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { DeviceClass } from '#kinds/resource/v1/device-class.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { matchesDeviceSelector } from '#machinery/cel/device-selectors.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { allocate, type ChosenDevice, deviceKey, devicesOf } from '../devices/allocate.plan.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'

export interface DynamicResourcesOptions {
  readonly client: Client
  readonly informers: Informers
}

const NAME = 'DynamicResources'
const refusal = (code: Refusal['code'], reason: string): Refusal => ({ plugin: NAME, code, reasons: [reason] })
const ELSEWHERE = refusal('unresolvable', 'resourceclaim not available on the node')
const NO_DEVICES = refusal('unschedulable', 'cannot allocate all claims')
const FINALIZER = 'resource.kubernetes.io/delete-protection'
/** How many pods may use one claim. */
const RESERVED_LIMIT = 256

interface State {
  readonly allocated: readonly ResourceClaim[]
  readonly open: readonly ResourceClaim[]
  /** Devices that are in use, as of the beginning of the cycle. */
  readonly taken: ReadonlySet<string>
  chosen?: readonly (readonly ChosenDevice[])[]
}

/** Gives pods the devices that their ResourceClaims ask for (dynamic resource allocation), on nodes that can use them. */
export function dynamicResources({ client, informers }: DynamicResourcesOptions): SchedulerPlugin {
  const claims = informers.of(ResourceClaim)
  const slices = informers.of(ResourceSlice)
  const classes = informers.of(DeviceClass)
  const classOf = (name: string) => classes.get('', name)
  /** Devices given to claims whose status is not seen yet, by claim. */
  const pending = new Map<string, readonly string[]>()

  const takenDevices = () => {
    const taken = new Set<string>()
    for (const { status } of claims.list())
      for (const device of status.allocation?.devices.results ?? []) if (!device.adminAccess) taken.add(deviceKey(device))
    for (const devices of pending.values()) for (const device of devices) taken.add(device)
    return taken
  }
  const choose = ({ open, taken }: State, { node }: NodeInfo) =>
    allocate(open, devicesOf(node!, slices.list()), taken, classOf, matchesDeviceSelector)

  return {
    name: NAME,
    wakesOn: ['node added', 'node labels changed', 'pod removed', 'resource claims changed'],
    preEnqueue: pod => (pod.spec.resourceClaims?.length ? missing(pod, claims) : undefined),
    preFilter({ pod, state }) {
      if (!pod.spec.resourceClaims?.length) return { skip: true }
      const absent = missing(pod, claims)
      if (absent) return { refusal: absent }
      const all = claimNames(pod).map(name => claims.get(pod.metadata.namespace ?? '', name!)!)
      for (const { metadata, status } of all) {
        if (metadata.deletionTimestamp !== undefined)
          return { refusal: refusal('unresolvable', `resourceclaim "${metadata.name}" is being deleted`) }
        const users = status.reservedFor ?? []
        if (users.length >= RESERVED_LIMIT && !users.some(({ uid }) => uid === pod.metadata.uid)) {
          return { refusal: refusal('unschedulable', `resourceclaim ${metadata.name} is in use`) }
        }
        if (!status.allocation && pending.has(metadata.uid ?? ''))
          return { refusal: refusal('pending', `resourceclaim ${metadata.name} is being allocated`) }
      }
      const found: State = {
        allocated: all.filter(({ status }) => status.allocation),
        open: all.filter(({ status }) => !status.allocation),
        taken: takenDevices(),
      }
      state.set(NAME, found)
      return undefined
    },
    filter({ state }, node) {
      const known = state.get(NAME) as State
      for (const { status } of known.allocated) {
        const selector = status.allocation!.nodeSelector
        if (selector && !matchesNodeSelector(selector, node.node!)) return ELSEWHERE
      }
      if (known.open.length === 0) return undefined
      try {
        return choose(known, node) ? undefined : NO_DEVICES
      } catch (error) {
        return refusal('unresolvable', `a selector of devices failed: ${(error as Error).message}`)
      }
    },
    reserve({ state }, node) {
      const known = state.get(NAME) as State | undefined
      if (!known || known.open.length === 0) return undefined
      const chosen = choose(known, node)
      if (!chosen) return NO_DEVICES
      known.chosen = chosen
      for (const [index, { metadata }] of known.open.entries()) pending.set(metadata.uid ?? '', chosen[index]!.map(deviceKey))
      return undefined
    },
    unreserve({ state }) {
      const known = state.get(NAME) as State | undefined
      if (known?.chosen) for (const { metadata } of known.open) pending.delete(metadata.uid ?? '')
    },
    preBind(cycle, node, signal) {
      const known = cycle.state.get(NAME) as State | undefined
      return known && writeClaims(client, cycle.pod, node, known, slices.list(), pending, signal)
    },
  }
}

/** The names of the pod's claims; undefined where one was not made yet. Those that turned out not to be needed are left out. */
function claimNames({ spec, status }: Pod): (string | undefined)[] {
  return (spec.resourceClaims ?? []).flatMap(({ name, resourceClaimName }) => {
    if (resourceClaimName) return [resourceClaimName]
    const made = status.resourceClaimStatuses?.find(one => one.name === name)
    return made && made.resourceClaimName === undefined ? [] : [made?.resourceClaimName]
  })
}

function missing(pod: Pod, claims: { get(namespace: string, name: string): ResourceClaim | undefined }): Refusal | undefined {
  for (const name of claimNames(pod)) {
    if (name === undefined)
      return refusal('unresolvable', `pod "${pod.metadata.namespace}/${pod.metadata.name}": ResourceClaim not created yet`)
    if (!claims.get(pod.metadata.namespace ?? '', name))
      return refusal('unresolvable', `waiting for resource claim "${name}" to be created`)
  }
  return undefined
}

async function writeClaims(
  client: Client,
  pod: Pod,
  node: NodeInfo,
  { allocated, open, chosen }: State,
  slices: readonly ResourceSlice[],
  pending: Map<string, readonly string[]>,
  signal: AbortSignal,
): Promise<void> {
  const { name = '', uid = '' } = pod.metadata
  const local = new Set(
    devicesOf(node.node!, slices).flatMap(({ driver, pool, device, isLocal }) =>
      isLocal ? [deviceKey({ driver, pool, device: device.name })] : [],
    ),
  )
  for (const claim of [...allocated, ...open]) {
    const users = claim.status.reservedFor ?? []
    const results = chosen?.[open.indexOf(claim)]
    if (!results && users.some(user => user.uid === uid)) continue
    let { resourceVersion } = claim.metadata
    if (results && !claim.metadata.finalizers?.includes(FINALIZER)) {
      const body = { metadata: { resourceVersion, finalizers: [...(claim.metadata.finalizers ?? []), FINALIZER] } }
      resourceVersion = (await client.patch(ResourceClaim, claim, { type: 'merge', body }, { signal })).metadata.resourceVersion
    }
    const nodeSelector = results?.some(device => local.has(deviceKey(device))) ? onlyNode(node.name) : undefined
    const status = {
      ...(results ? { allocation: { devices: { results }, ...(nodeSelector ? { nodeSelector } : {}) } } : {}),
      reservedFor: [...users, { resource: 'pods', name, uid }],
    }
    await client.patch(
      ResourceClaim,
      claim,
      { type: 'merge', body: { metadata: { resourceVersion }, status } },
      { subresource: 'status', signal },
    )
    pending.delete(claim.metadata.uid ?? '')
  }
}

const onlyNode = (name: string) => ({ nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] })
