import { isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { toleratesDevice } from '#kinds/resource/v1/device-toleration.facts.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { type DeviceTaint, ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { evictPod } from './runtime/evict-pod.ts'
import { mapped } from './runtime/watches.ts'

const BY_DEVICE = 'claimOfDevice'
const BY_POOL = 'sliceOfPool'

const deviceKeys = ({ status: { allocation } }: ResourceClaim) =>
  (allocation?.devices?.results ?? []).map(({ driver, pool, device }) => `${driver}/${pool}/${device}`)
const taintedKeys = ({ spec }: ResourceSlice) =>
  (spec.devices ?? []).flatMap(({ name, taints }) => (taints?.length ? [`${spec.driver}/${spec.pool.name}/${name}`] : []))

/** Deletes pods that use devices with NoExecute taints which their claims don't tolerate, or no longer. */
export const deviceTaintEvictionController = defineController({
  name: 'device-taint-eviction-controller',
  component: 'device-taint-eviction',
  reconciles: ResourceClaim,
  watches: [
    mapped(ResourceClaim, () => [], { [BY_DEVICE]: deviceKeys }),
    mapped(ResourceSlice, (slice, { cacheOf }) => taintedKeys(slice).flatMap(key => [...cacheOf(ResourceClaim).byIndex(BY_DEVICE, key)]), {
      [BY_POOL]: ({ spec }) => [`${spec.driver}/${spec.pool.name}`],
    }),
    mapped(Pod, ({ metadata, spec, status: { resourceClaimStatuses = [] } }) =>
      [...(spec.resourceClaims ?? []), ...resourceClaimStatuses].flatMap(({ resourceClaimName: name }) =>
        name ? [`${metadata.namespace}/${name}`] : [],
      ),
    ),
  ],
  writes: [whole(Pod), status(Pod)],
  async reconcile(claim, tools) {
    const dueMs = deviceEvictionAt(claim, (driver, pool, device) => taintsOf(driver, pool, device, tools), tools.now)
    if (dueMs === undefined) return
    if (dueMs > tools.now) return tools.again(dueMs - tools.now)
    for (const { resource, name, uid } of claim.status.reservedFor ?? []) {
      const pod = resource === 'pods' ? tools.get(Pod, claim.metadata.namespace ?? '', name) : undefined
      if (!pod?.spec.nodeName || pod.metadata.uid !== uid || isTerminating(pod) || isTerminal(pod)) continue
      await evictPod(pod, EVICTION, tools)
    }
  },
})

const EVICTION = {
  event: 'DeviceTaintManagerEviction',
  reason: 'DeletionByDeviceTaintManager',
  message: 'Device Taint manager: deleting due to NoExecute taint',
}

/** When the users of a claim have to go, in milliseconds since the epoch: the earliest of what its devices' taints ask; undefined: never. */
export function deviceEvictionAt(
  { status: { allocation } }: ResourceClaim,
  taints: (driver: string, pool: string, device: string) => readonly DeviceTaint[],
  now: number,
): number | undefined {
  let earliest: number | undefined
  for (const { driver, pool, device, tolerations = [] } of allocation?.devices?.results ?? [])
    for (const taint of taints(driver, pool, device)) {
      if (taint.effect !== 'NoExecute') continue
      const matching = tolerations.filter(toleration => toleratesDevice(toleration, taint))
      if (matching.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) continue
      const seconds = Math.max(0, ...matching.map(({ tolerationSeconds = 0 }) => tolerationSeconds))
      const at = (taint.timeAdded ? Date.parse(taint.timeAdded) : now) + seconds * 1000
      earliest = Math.min(earliest ?? at, at)
    }
  return earliest
}

/** The taints of a device, as the newest slices of its pool say. */
function taintsOf(driver: string, pool: string, device: string, { list }: Tools): readonly DeviceTaint[] {
  const slices = list(ResourceSlice, { index: [BY_POOL, `${driver}/${pool}`] })
  const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation))
  for (const { spec } of slices) {
    if (spec.pool.generation !== newest) continue
    const found = spec.devices?.find(({ name }) => name === device)
    if (found) return found.taints ?? []
  }
  return []
}
