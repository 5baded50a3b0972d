import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { endpointSliceController } from './endpointslice.ts'
import { markReady } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const service = (spec: object = {}) => ({
  metadata: { name: 'web', namespace: 'default', labels: { team: 'a' } },
  spec: {
    selector: { app: 'web' },
    ipFamilies: ['IPv4'],
    clusterIP: '10.0.0.1',
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    ...spec,
  },
})

function addPod(cluster: TestCluster, number: number, more: object = {}): Pod {
  const ip = `10.1.${Math.floor(number / 250)}.${(number % 250) + 1}`
  return cluster.api.put(Pod, {
    metadata: { name: `web-${number}`, namespace: 'default', labels: { app: 'web' } },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'web', ports: [{ name: 'http', containerPort: 8081 }] }], ...more },
    status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
  })
}

const slices = (cluster: TestCluster) => cluster.api.all(EndpointSlice)
const addresses = (cluster: TestCluster) =>
  slices(cluster).flatMap(slice => (slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? []))

describe('endpointslice-controller', () => {
  it('lists the pods behind a service with what is known of them', async () => {
    await using cluster = testCluster([endpointSliceController])
    cluster.api.put(Node, { metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'east' } } })
    await cluster.api.client().create(Service, service())
    const pod = addPod(cluster, 0)
    markReady(cluster, pod)
    await cluster.settle()
    const [slice] = slices(cluster)
    expect(slice!.metadata.labels).toEqual({
      team: 'a',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    })
    expect(slice!.metadata.ownerReferences).toMatchObject([{ kind: 'Service', name: 'web', controller: true }])
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
      endpoints: [
        {
          addresses: ['10.1.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'node-1',
          zone: 'east',
          targetRef: { kind: 'Pod', namespace: 'default', name: 'web-0', uid: pod.metadata.uid },
        },
      ],
    })
  })

  it('keeps an empty slice for a service without pods', async () => {
    await using cluster = testCluster([endpointSliceController])
    await cluster.api.client().create(Service, service())
    await cluster.settle()
    expect(slices(cluster)).toMatchObject([{ addressType: 'IPv4' }])
    expect(addresses(cluster)).toEqual([])
    addPod(cluster, 0)
    await cluster.settle()
    expect(slices(cluster)).toHaveLength(1)
    expect(addresses(cluster)).toEqual(['10.1.0.1'])
  })

  it('tells ready, serving and terminating apart', async () => {
    await using cluster = testCluster([endpointSliceController])
    await cluster.api.client().create(Service, service())
    const pod = addPod(cluster, 0)
    await cluster.settle()
    const conditions = () => slices(cluster)[0]!.endpoints![0]!.conditions
    expect(conditions()).toEqual({ ready: false, serving: false, terminating: false })
    markReady(cluster, pod)
    await cluster.settle()
    expect(conditions()).toEqual({ ready: true, serving: true, terminating: false })
    await cluster.api.client().delete(Pod, pod)
    await cluster.settle()
    expect(conditions()).toEqual({ ready: false, serving: true, terminating: true })
  })

  it('resolves named ports pod by pod', async () => {
    await using cluster = testCluster([endpointSliceController])
    await cluster.api.client().create(Service, service({ ports: [{ name: 'http', port: 80, targetPort: 'http' }] }))
    addPod(cluster, 0)
    addPod(cluster, 1, { containers: [{ name: 'main', image: 'web', ports: [{ name: 'http', containerPort: 9000 }] }] })
    await cluster.settle()
    expect(
      slices(cluster)
        .map(slice => slice.ports![0]!.port)
        .sort(),
    ).toEqual([8081, 9000])
  })

  it('marks slices of headless services and knows pods by their hostnames', async () => {
    await using cluster = testCluster([endpointSliceController])
    await cluster.api.client().create(Service, service({ clusterIP: 'None' }))
    addPod(cluster, 0, { hostname: 'zero', subdomain: 'web' })
    await cluster.settle()
    expect(slices(cluster)[0]!.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '')
    expect(slices(cluster)[0]!.endpoints![0]!.hostname).toBe('zero')
  })

  it('follows when labels of a pod, the selector or the zone of a node change', async () => {
    await using cluster = testCluster([endpointSliceController])
    await cluster.api.client().create(Service, service())
    cluster.api.put(Node, { metadata: { name: 'node-1' } })
    addPod(cluster, 0)
    await cluster.settle()
    cluster.api.change(
      Node,
      'node-1',
      node => {
        node.metadata.labels = { 'topology.kubernetes.io/zone': 'west' }
      },
      '',
    )
    await cluster.settle()
    expect(slices(cluster)[0]!.endpoints![0]!.zone).toBe('west')
    cluster.api.change(Pod, 'web-0', pod => {
      pod.metadata.labels = { app: 'other' }
    })
    await cluster.settle()
    expect(addresses(cluster)).toEqual([])
    cluster.api.change(Service, 'web', next => {
      next.spec.selector = { app: 'other' }
    })
    await cluster.settle()
    expect(addresses(cluster)).toEqual(['10.1.0.1'])
  })

  it('gives hints where traffic should stay near', async () => {
    await using cluster = testCluster([endpointSliceController])
    cluster.api.put(Node, { metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'east' } } })
    await cluster.api.client().create(Service, service({ trafficDistribution: 'PreferSameZone' }))
    markReady(cluster, addPod(cluster, 0))
    await cluster.settle()
    expect(slices(cluster)[0]!.endpoints![0]!.hints).toEqual({ forZones: [{ name: 'east' }] })
  })

  it('leaves services without a selector alone', async () => {
    await using cluster = testCluster([endpointSliceController])
    await cluster.api.client().create(Service, service({ selector: undefined }))
    await cluster.settle()
    expect(slices(cluster)).toEqual([])
  })

  it('packs by 100 and moves no endpoint that stays', async () => {
    await using cluster = testCluster([endpointSliceController])
    await cluster.api.client().create(Service, service())
    for (let number = 0; number < 250; number++) addPod(cluster, number)
    await cluster.settle()
    expect(
      slices(cluster)
        .map(slice => slice.endpoints!.length)
        .sort(),
    ).toEqual([100, 100, 50])
    const home = new Map(
      slices(cluster).flatMap(slice => slice.endpoints!.map(({ addresses }) => [addresses![0], slice.metadata.name] as const)),
    )
    for (let number = 0; number < 10; number++) cluster.api.remove(Pod, `web-${number}`)
    for (let number = 250; number < 255; number++) addPod(cluster, number)
    await cluster.settle()
    for (const slice of slices(cluster))
      for (const { addresses } of slice.endpoints!) if (home.has(addresses![0])) expect(home.get(addresses![0])).toBe(slice.metadata.name)
    expect(addresses(cluster)).toHaveLength(245)
  })

  it('lists every pod exactly once, whatever comes and goes', async () => {
    const step = fc.record({
      add: fc.uniqueArray(fc.nat({ max: 300 }), { maxLength: 120 }),
      remove: fc.uniqueArray(fc.nat({ max: 300 }), { maxLength: 120 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async steps => {
        await using cluster = testCluster([endpointSliceController])
        await cluster.api.client().create(Service, service())
        for (const { add, remove } of steps) {
          for (const number of add) if (!cluster.api.find(Pod, `web-${number}`)) addPod(cluster, number)
          for (const number of remove) if (cluster.api.find(Pod, `web-${number}`)) cluster.api.remove(Pod, `web-${number}`)
          await cluster.settle()
          const wanted = cluster.api.all(Pod).map(pod => pod.status.podIP!)
          expect(addresses(cluster).sort()).toEqual(wanted.sort())
          for (const slice of slices(cluster)) expect(slice.endpoints?.length ?? 0).toBeLessThanOrEqual(100)
        }
      }),
      { numRuns: 15 },
    )
  })
})
