import { describe, expect, it } from 'vitest'
import type { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { ResourcePoolStatusRequest } from '#kinds/resource/v1alpha3/resource-pool-status-request.ts'
import { planPoolStatus } from './resourcepoolstatusrequest.plan.ts'
import { resourcePoolStatusRequestController } from './resourcepoolstatusrequest.ts'
import { testCluster } from './runtime/test-cluster.ts'

const request = (more: object = {}) => ({ spec: { driver: 'gpu.example', limit: 100, ...more } }) as unknown as ResourcePoolStatusRequest
const slice = (pool: string, devices: number, more: { generation?: number; of?: number; node?: string; driver?: string } = {}) => ({
  spec: {
    driver: more.driver ?? 'gpu.example',
    nodeName: more.node ?? pool,
    pool: { name: pool, generation: more.generation ?? 1, resourceSliceCount: more.of ?? 1 },
    devices: Array.from({ length: devices }, (_, index) => ({ name: `g${index}` })),
  },
})
const slices = (...all: object[]) => all as unknown as ResourceSlice[]
const claim = (pool: string, count: number) =>
  ({
    status: { allocation: { devices: { results: Array.from({ length: count }, () => ({ driver: 'gpu.example', pool, device: 'g' })) } } },
  }) as unknown as ResourceClaim
const counts = (of: ReturnType<typeof planPoolStatus>) =>
  of.pools!.map(pool => [pool.poolName, pool.totalDevices, pool.allocatedDevices, pool.availableDevices, pool.validationError])

describe('the answer to how many devices there are', () => {
  it('counts what is published and what is allocated, pool by pool', () => {
    const answer = planPoolStatus(request(), slices(slice('b', 4), slice('a', 2), slice('a', 9, { driver: 'other' })), [claim('b', 3)], 0)
    expect(counts(answer)).toEqual([
      ['a', 2, 0, 2, undefined],
      ['b', 4, 3, 1, undefined],
    ])
    expect(answer.poolCount).toBe(2)
    expect(answer.conditions![0]).toMatchObject({ type: 'Complete', message: 'Calculated status for 2 pools' })
  })

  it('takes the newest generation alone, and says that a pool is not whole', () => {
    const answer = planPoolStatus(request(), slices(slice('a', 8), slice('a', 1, { generation: 2, of: 2 })), [], 0)
    expect(counts(answer)).toEqual([
      ['a', undefined, undefined, undefined, 'pool gpu.example/a is incomplete: observed 1/2 slices at generation 2'],
    ])
    expect(answer.conditions![0]!.message).toBe('Calculated status for 1 pools (1 incomplete)')
  })

  it('shows one pool, or as many as were asked for, and no node for a pool that spans several', () => {
    const three = slices(slice('a', 1), slice('b', 1), slice('c', 1))
    expect(counts(planPoolStatus(request({ poolName: 'b' }), three, [], 0)).map(([name]) => name)).toEqual(['b'])
    const limited = planPoolStatus(request({ limit: 2 }), three, [], 0)
    expect([limited.poolCount, limited.pools!.length]).toEqual([3, 2])
    const wide = planPoolStatus(request(), slices(slice('a', 1, { of: 2, node: 'n1' }), slice('a', 1, { of: 2, node: 'n2' })), [], 0)
    expect(wide.pools![0]).toMatchObject({ totalDevices: 2, resourceSliceCount: 2 })
    expect(wide.pools![0]!.nodeName).toBeUndefined()
  })
})

describe('resourcepoolstatusrequest-controller', () => {
  it('waits for the rest of a pool, answers once, and forgets after an hour', async () => {
    await using cluster = testCluster([resourcePoolStatusRequestController])
    const half = slice('a', 2, { of: 2 })
    cluster.api.put(ResourceSlice, { metadata: { name: 's1' }, ...half })
    cluster.api.put(ResourcePoolStatusRequest, { metadata: { name: 'r' }, spec: { driver: 'gpu.example' } })
    await cluster.advance(3_000)
    const found = () => cluster.api.find(ResourcePoolStatusRequest, 'r', '')
    expect(found()!.status).toBeUndefined()
    cluster.api.put(ResourceSlice, { metadata: { name: 's2' }, ...half })
    await cluster.advance(3_000)
    expect(found()!.status!.pools![0]!.totalDevices).toBe(4)
    cluster.api.remove(ResourceSlice, 's2', '')
    await cluster.advance(3500_000)
    expect(found()!.status!.pools![0]!.totalDevices).toBe(4)
    await cluster.advance(200_000)
    expect(found()).toBeUndefined()
  })

  it('answers that a pool is not whole if the rest does not come', async () => {
    await using cluster = testCluster([resourcePoolStatusRequestController])
    cluster.api.put(ResourceSlice, { metadata: { name: 's1' }, ...slice('a', 2, { of: 2 }) })
    cluster.api.put(ResourcePoolStatusRequest, { metadata: { name: 'r' }, spec: { driver: 'gpu.example' } })
    await cluster.advance(20_000)
    expect(cluster.api.find(ResourcePoolStatusRequest, 'r', '')!.status!.pools![0]!.validationError).toContain('is incomplete')
  })
})
