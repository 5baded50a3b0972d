import { describe, expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { DeviceClass } from '#kinds/resource/v1/device-class.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import type { Device } from '#kinds/resource/v1/resource-slice.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { allocate, type OfferedDevice } from '../devices/allocate.plan.ts'
import { cluster, node, pod, stored } from '../scheduler.fixture.ts'

const using = (name: string) => ({ resourceClaims: [{ name: 'd', resourceClaimName: name }] })
const claim = (name: string, more: { count?: number; constraints?: object[]; requests?: object[]; status?: object } = {}) =>
  [
    ResourceClaim,
    {
      metadata: { name, namespace: 'a', uid: `uid-${name}` },
      spec: {
        devices: {
          requests: more.requests ?? [{ name: 'r', exactly: { deviceClassName: 'gpu', count: more.count ?? 1 } }],
          constraints: more.constraints ?? [],
        },
      },
      status: more.status ?? {},
    },
  ] as const
const slice = (nodeName: string, ...devices: object[]) =>
  [
    ResourceSlice,
    {
      metadata: { name: `s-${nodeName}` },
      spec: { driver: 'gpu.io', pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, nodeName, devices },
    },
  ] as const
const deviceClass = [DeviceClass, { metadata: { name: 'gpu' }, spec: {} }] as const
const find = (one: { find<O>(name: string, kind: typeof ResourceClaim): O }, name: string) =>
  one.find<ResourceClaim>(name, ResourceClaim).status

describe('a pod with claims of devices', () => {
  it('gets devices that are free, on the node that has them', async () => {
    await using one = await cluster([node('n1'), node('n2')], [pod('p1', using('c1')), pod('p2', using('c2'))], {
      objects: [deviceClass, slice('n2', { name: 'g0' }), claim('c1'), claim('c2')],
    })
    const [first, second] = one.nodeOf('p1') ? ['c1', 'c2'] : ['c2', 'c1']
    expect([one.nodeOf('p1'), one.nodeOf('p2')].sort()).toEqual(['n2', undefined])
    expect(find(one, first!)).toMatchObject({
      allocation: {
        devices: { results: [{ request: 'r', driver: 'gpu.io', pool: 'n2', device: 'g0' }] },
        nodeSelector: { nodeSelectorTerms: [{}] },
      },
      reservedFor: [{ resource: 'pods' }],
    })
    expect(find(one, second!).allocation).toBeUndefined()
    expect(one.events.join('\n')).toContain('0/2 nodes are available: 2 cannot allocate all claims.')
    one.store(ResourceSlice, slice('n1', { name: 'g0' })[1], 'ADDED')
    await one.clock.advance(1_000)
    expect([one.nodeOf('p1'), one.nodeOf('p2')].sort()).toEqual(['n1', 'n2'])
  })

  it('follows a claim that has its devices', async () => {
    const nodeSelector = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }] }] }
    const status = { allocation: { devices: { results: [{ request: 'r', driver: 'gpu.io', pool: 'n2', device: 'g0' }] }, nodeSelector } }
    await using one = await cluster([node('n1'), node('n2')], [pod('p', using('c'))], { objects: [deviceClass, claim('c', { status })] })
    expect(one.nodeOf('p')).toBe('n2')
    expect(find(one, 'c').reservedFor).toEqual([{ resource: 'pods', name: 'p', uid: 'uid-p' }])
  })

  it('waits for a claim that is not there', async () => {
    await using one = await cluster([node('n1')], [pod('p', using('c'))], { objects: [deviceClass, slice('n1', { name: 'g0' })] })
    expect([one.nodeOf('p'), one.events]).toEqual([undefined, []])
    one.store(ResourceClaim, claim('c')[1], 'ADDED')
    await one.clock.advance(1_000)
    expect(one.nodeOf('p')).toBe('n1')
    one.store(Pod, one.find('p'), 'DELETED')
  })
})

describe('allocation', () => {
  const offer = (name: string, more: Partial<Device> = {}): OfferedDevice => ({
    driver: 'gpu.io',
    pool: 'p',
    device: { name, ...more } as Device,
    isLocal: true,
  })
  const attribute = (numa: number) => ({ attributes: { numa: { int: numa } } })
  const of = (one: ReturnType<typeof claim>) => stored<ResourceClaim>(ResourceClaim, one[1])
  const classes = () => stored<DeviceClass>(DeviceClass, deviceClass[1])
  const names = (claims: ReturnType<typeof claim>[], offers: OfferedDevice[], taken: string[] = []) =>
    allocate(claims.map(of), offers, new Set(taken), classes, expression => expression === 'true')?.map(list => list.map(one => one.device))

  it('gives each device once', () => {
    expect(names([claim('a'), claim('b', { count: 2 })], [offer('g0'), offer('g1'), offer('g2')])).toEqual([['g0'], ['g1', 'g2']])
    expect(names([claim('a', { count: 2 })], [offer('g0'), offer('g1')], ['gpu.io/p/g1'])).toBeUndefined()
  })

  it('goes on searching until constraints hold', () => {
    const offers = [offer('g0', attribute(0)), offer('g1', attribute(1)), offer('g2', attribute(1))]
    expect(names([claim('a', { count: 2, constraints: [{ matchAttribute: 'gpu.io/numa' }] })], offers)).toEqual([['g1', 'g2']])
    expect(names([claim('a', { count: 2, constraints: [{ distinctAttribute: 'gpu.io/numa' }] })], offers)).toEqual([['g0', 'g1']])
  })

  it('tries alternatives in their order, and gives all if asked for', () => {
    const best = { name: 'best', deviceClassName: 'gpu', selectors: [{ cel: { expression: 'false' } }] }
    const requests = [{ name: 'r', firstAvailable: [best, { name: 'any', deviceClassName: 'gpu', allocationMode: 'All' }] }]
    expect(names([claim('a', { requests })], [offer('g0'), offer('g1')])).toEqual([['g0', 'g1']])
  })

  it('leaves out devices with taints that are not tolerated', () => {
    const tainted = offer('g0', { taints: [{ key: 'broken', effect: 'NoSchedule' }] } as unknown as Partial<Device>)
    expect(names([claim('a')], [tainted])).toBeUndefined()
    const tolerations = [{ key: 'broken', operator: 'Exists' }]
    expect(names([claim('a', { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu', tolerations } }] })], [tainted])).toEqual([
      ['g0'],
    ])
  })
})
