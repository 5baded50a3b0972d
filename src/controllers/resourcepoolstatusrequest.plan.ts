import type { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import type { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import type {
  PoolStatus,
  ResourcePoolStatusRequest,
  ResourcePoolStatusRequestStatus,
} from '#kinds/resource/v1alpha3/resource-pool-status-request.ts'
import { timeOf } from '#machinery/time/time.ts'

/** What a request is answered with, from all slices of its driver and all claims. Pools are sorted by name; as many are shown as were asked for. */
export function planPoolStatus(
  { spec }: ResourcePoolStatusRequest,
  slices: readonly ResourceSlice[],
  claims: readonly ResourceClaim[],
  now: number,
): ResourcePoolStatusRequestStatus {
  const pools = new Map<string, ResourceSlice[]>()
  for (const slice of slices) {
    const { driver, pool } = slice.spec
    if (driver !== spec.driver || (spec.poolName !== undefined && pool.name !== spec.poolName)) continue
    pools.set(pool.name, [...(pools.get(pool.name) ?? []), slice])
  }
  const names = [...pools.keys()].sort()
  const shown = names.slice(0, spec.limit).map(name => poolStatus(name, pools.get(name)!, claims))
  const incomplete = shown.filter(({ validationError }) => validationError !== undefined).length
  const count = `Calculated status for ${shown.length} pools`
  const message = incomplete > 0 ? `${count} (${incomplete} incomplete)` : count
  const condition = { type: 'Complete', status: 'True' as const, reason: 'CalculationComplete', message, lastTransitionTime: timeOf(now) }
  return { poolCount: names.length, pools: shown, conditions: [condition] }
}

/** Whether a pool in an answer is not published whole yet. */
export function isIncomplete({ pools = [] }: ResourcePoolStatusRequestStatus): boolean {
  return pools.some(({ validationError }) => validationError !== undefined)
}

/** Only the newest generation of a pool counts. */
function poolStatus(poolName: string, slices: readonly ResourceSlice[], claims: readonly ResourceClaim[]): PoolStatus {
  const generation = Math.max(...slices.map(({ spec }) => Number(spec.pool.generation)))
  const newest = slices.filter(({ spec }) => Number(spec.pool.generation) === generation)
  const { driver, nodeName, pool } = newest[0]!.spec
  const isOnOneNode = nodeName !== undefined && newest.every(({ spec }) => spec.nodeName === nodeName)
  const known = { driver, poolName, generation, ...(isOnOneNode ? { nodeName } : {}) }
  const expected = Number(pool.resourceSliceCount)
  if (newest.length < expected) {
    const error = `pool ${driver}/${poolName} is incomplete: observed ${newest.length}/${expected} slices at generation ${generation}`
    return { ...known, validationError: error.slice(0, 256) }
  }
  const totalDevices = newest.reduce((sum, { spec }) => sum + (spec.devices?.length ?? 0), 0)
  const results = claims.flatMap(({ status }) => status.allocation?.devices?.results ?? [])
  const allocatedDevices = results.filter(result => result.driver === driver && result.pool === poolName).length
  const availableDevices = Math.max(0, totalDevices - allocatedDevices)
  return { ...known, resourceSliceCount: newest.length, totalDevices, allocatedDevices, availableDevices, unavailableDevices: 0 }
}
