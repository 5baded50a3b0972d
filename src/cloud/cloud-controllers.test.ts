import { describe, expect, it } from 'vitest'
import { PERTURBATIONS, type Story, tell } from '#controllers/perturbation.fixture.ts'
import { type TestCluster, testCluster } from '#controllers/runtime/test-cluster.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { cloudControllers, defaultCloudControllerOptions } from './cloud-controllers.ts'
import type { CloudProvider, Route } from './provider.ts'

/** A place that tests can change, and what was asked of it. */
class TestPlace {
  readonly asked: string[] = []
  readonly machines = new Set(['n1', 'n2'])
  readonly off = new Set<string>()
  readonly balancers = new Map<string, readonly string[]>()
  routes: Route[] = []
  fails = false

  readonly provider: CloudProvider = {
    name: 'test',
    instances: {
      exists: async ({ metadata }) => {
        this.asked.push(`exists ${metadata.name}`)
        return this.machines.has(metadata.name ?? '')
      },
      isShutDown: async ({ metadata }) => this.off.has(metadata.name ?? ''),
      describe: async ({ metadata: { name = '' } }) => {
        this.asked.push(`describe ${name}`)
        return this.machines.has(name)
          ? { providerID: `test://${name}`, instanceType: 'large', addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] }
          : undefined
      },
    },
    zones: { of: async () => ({ zone: 'z1', region: 'r1' }) },
    routes: {
      reaches: () => true,
      list: async () => this.routes,
      create: async route => {
        this.#mayFail()
        this.routes = [...this.routes.filter(({ cidr }) => cidr !== route.cidr), route]
      },
      delete: async ({ cidr, address }) => {
        this.routes = this.routes.filter(one => one.cidr !== cidr || one.address !== address)
      },
    },
    loadBalancers: {
      className: 'test/balancer',
      ensure: async ({ metadata: { name = '' } }, nodes) => {
        this.#mayFail()
        this.balancers.set(name, nodes.map(({ metadata }) => metadata.name!).sort())
        return { ingress: [{ ip: '198.51.100.1' }] }
      },
      delete: async ({ metadata: { name = '' } }) => {
        this.#mayFail()
        this.balancers.delete(name)
      },
    },
  }

  #mayFail(): void {
    if (this.fails) throw new Error('the place is not reached')
  }
}

const started = (place: TestPlace) =>
  testCluster(cloudControllers(place.provider, { ...defaultCloudControllerOptions, clusterCIDRs: ['10.244.0.0/16'] }))
const node = ({ api }: TestCluster, name: string, more: { spec?: object; status?: object } = {}) =>
  api.put(Node, { metadata: { name }, ...more, status: { conditions: [{ type: 'Ready', status: 'True' }], ...more.status } })
const nodeOf = ({ api }: TestCluster, name: string) => api.find(Node, name, '')
const notReady = ({ api }: TestCluster, name: string) =>
  api.change(
    Node,
    name,
    next => {
      next.status.conditions!.find(({ type }) => type === 'Ready')!.status = 'Unknown'
    },
    '',
  )

const balanced = ({ api }: TestCluster, more: object = {}) =>
  api.put(Service, { metadata: { name: 'web', namespace: 'default' }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...more } })

describe('cloud-node-controller', () => {
  it('describes the machine of a node that waits for it, and then lets pods onto it', async () => {
    await using cluster = started(new TestPlace())
    const waiting = { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' }
    node(cluster, 'n1', { spec: { taints: [waiting, { key: 'mine', effect: 'NoSchedule' }] } })
    await cluster.advance(10)
    expect(nodeOf(cluster, 'n1')).toMatchObject({
      metadata: {
        labels: {
          'node.kubernetes.io/instance-type': 'large',
          'topology.kubernetes.io/zone': 'z1',
          'topology.kubernetes.io/region': 'r1',
        },
      },
      spec: { providerID: 'test://n1' },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
    })
    expect(nodeOf(cluster, 'n1')!.spec.taints).toEqual([{ key: 'mine', effect: 'NoSchedule' }])
    expect(cluster.events()).toContain('Synced: Node synced successfully')
    const verbs = cluster.api.writes.filter(({ kind }) => kind === 'Node').map(({ body }) => Object.keys(body as object))
    // Where it is comes before pods may come.
    expect(verbs[0]).toEqual(['status'])
  })

  it('leaves alone what never asked for a provider, and what the provider does not know', async () => {
    const place = new TestPlace()
    await using cluster = started(place)
    node(cluster, 'n1')
    await cluster.advance(3600_000)
    expect(nodeOf(cluster, 'n1')!.spec).toEqual({})
    expect(place.asked).toEqual([])
  })
})

describe('cloud-node-lifecycle-controller', () => {
  it('deletes a node that is silent and whose machine has vanished', async () => {
    const place = new TestPlace()
    await using cluster = started(place)
    node(cluster, 'n1')
    node(cluster, 'n2')
    await cluster.advance(60_000)
    expect(place.asked).toEqual([])
    notReady(cluster, 'n1')
    await cluster.advance(10_000)
    expect(nodeOf(cluster, 'n1')).toBeDefined()
    place.machines.delete('n1')
    place.machines.delete('n2')
    await cluster.advance(6_000)
    expect(nodeOf(cluster, 'n1')).toBeUndefined()
    expect(nodeOf(cluster, 'n2')).toBeDefined()
    expect(cluster.events()).toContain('DeletingNode: Deleting node n1 because it does not exist in the cloud provider')
  })

  it('taints a node whose machine is off, until it is ready again', async () => {
    const place = new TestPlace()
    await using cluster = started(place)
    node(cluster, 'n1')
    place.off.add('n1')
    notReady(cluster, 'n1')
    await cluster.settle()
    expect(nodeOf(cluster, 'n1')!.spec.taints).toMatchObject([{ key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' }])
    cluster.api.change(
      Node,
      'n1',
      next => {
        next.status.conditions![0]!.status = 'True'
      },
      '',
    )
    await cluster.settle()
    expect(nodeOf(cluster, 'n1')!.spec.taints ?? []).toEqual([])
  })
})

describe('node-route-controller', () => {
  const at = (address: string, podCIDR: string) => ({
    spec: { podCIDR, podCIDRs: [podCIDR] },
    status: { addresses: [{ type: 'InternalIP', address }] },
  })
  const unavailable = (cluster: TestCluster, name: string) =>
    nodeOf(cluster, name)!.status.conditions?.find(({ type }) => type === 'NetworkUnavailable')

  it('sets a route for each node, says that its network is there, and takes it away after the node', async () => {
    const place = new TestPlace()
    place.routes = [
      { cidr: '10.244.9.0/24', address: '192.0.2.99' },
      { cidr: '172.16.0.0/12', address: '192.0.2.254' },
    ]
    await using cluster = started(place)
    node(cluster, 'n1', at('192.0.2.1', '10.244.1.0/24'))
    node(cluster, 'n2', at('192.0.2.2', '10.244.2.0/24'))
    await cluster.settle()
    expect(place.routes.map(({ cidr }) => cidr).sort()).toEqual(['10.244.1.0/24', '10.244.2.0/24', '172.16.0.0/12'])
    expect(unavailable(cluster, 'n1')).toMatchObject({ status: 'False', reason: 'RouteCreated' })
    cluster.api.remove(Node, 'n2', '')
    await cluster.settle()
    expect(place.routes.map(({ cidr }) => cidr).sort()).toEqual(['10.244.1.0/24', '172.16.0.0/12'])
  })

  it('says that a node is not reached, and tries again', async () => {
    const place = new TestPlace()
    place.fails = true
    await using cluster = started(place)
    node(cluster, 'n1', at('192.0.2.1', '10.244.1.0/24'))
    await cluster.advance(10)
    expect(unavailable(cluster, 'n1')).toMatchObject({ status: 'True', reason: 'NoRouteCreated' })
    expect(cluster.events()).toContain('FailedToCreateRoute: Could not create route for n1 10.244.1.0/24: the place is not reached')
    place.fails = false
    await cluster.advance(11_000)
    expect(unavailable(cluster, 'n1')).toMatchObject({ status: 'False' })
  })

  it('follows a node that moves, and sets again what only some of the machines have', async () => {
    const place = new TestPlace()
    place.routes = [{ cidr: '10.244.1.0/24', address: '192.0.2.1', isPartial: true }]
    await using cluster = started(place)
    node(cluster, 'n1', at('192.0.2.1', '10.244.1.0/24'))
    await cluster.settle()
    expect(place.routes).toEqual([{ cidr: '10.244.1.0/24', address: '192.0.2.1' }])
    cluster.api.change(
      Node,
      'n1',
      next => {
        next.status.addresses = [{ type: 'InternalIP', address: '192.0.2.77' }]
      },
      '',
    )
    await cluster.settle()
    expect(place.routes).toEqual([{ cidr: '10.244.1.0/24', address: '192.0.2.77' }])
  })
})

describe('service-lb-controller', () => {
  const service = ({ api }: TestCluster) => api.find(Service, 'web')
  const FINALIZER = 'service.kubernetes.io/load-balancer-cleanup'

  it('has a Service made reachable, says where, and tells users', async () => {
    const place = new TestPlace()
    await using cluster = started(place)
    node(cluster, 'n1')
    balanced(cluster)
    await cluster.advance(10)
    expect(service(cluster)).toMatchObject({
      metadata: { finalizers: [FINALIZER] },
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } },
    })
    expect(place.balancers.get('web')).toEqual(['n1'])
    expect(cluster.events()).toEqual(['EnsuringLoadBalancer: Ensuring load balancer', 'EnsuredLoadBalancer: Ensured load balancer'])
    const writes = cluster.api.writes.length
    await cluster.advance(3600_000)
    expect(cluster.api.writes.length).toBe(writes)
  })

  it('tells it of nodes that come and go, and of no other change', async () => {
    const place = new TestPlace()
    await using cluster = started(place)
    node(cluster, 'n1')
    balanced(cluster)
    await cluster.settle()
    node(cluster, 'n2')
    cluster.api.put(Node, { metadata: { name: 'aside', labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } } })
    await cluster.advance(10)
    expect(place.balancers.get('web')).toEqual(['n1', 'n2'])
    expect(cluster.events()).toContain('UpdatedLoadBalancer: Updated load balancer with new hosts')
  })

  it.each(['deleted', 'of another type'])('takes back what a Service had that is %s, and lets it go only then', async how => {
    const place = new TestPlace()
    await using cluster = started(place)
    balanced(cluster)
    await cluster.settle()
    place.fails = true
    if (how === 'deleted') await cluster.api.client().delete(Service, { namespace: 'default', name: 'web' })
    else
      cluster.api.change(Service, 'web', next => {
        next.spec.type = 'ClusterIP'
      })
    await cluster.advance(2_000)
    expect(service(cluster)!.metadata.finalizers).toEqual([FINALIZER])
    expect(cluster.events()).toContain(
      'SyncLoadBalancerFailed: Error syncing load balancer: failed to delete load balancer: the place is not reached',
    )
    place.fails = false
    await cluster.advance(120_000)
    expect(place.balancers.size).toBe(0)
    if (how === 'deleted') expect(service(cluster)).toBeUndefined()
    else expect(service(cluster)).toMatchObject({ metadata: { finalizers: [] }, status: { loadBalancer: {} } })
  })

  it('leaves Services alone whose class is another’s', async () => {
    const place = new TestPlace()
    await using cluster = started(place)
    balanced(cluster, { loadBalancerClass: 'somebody/else' })
    await cluster.settle()
    expect(service(cluster)!.metadata.finalizers).toBeUndefined()
    expect(place.balancers.size).toBe(0)
  })
})

describe('cloud controllers that are disturbed right after a write', () => {
  /** A story of its own each time, since the place changes with it. */
  function story(): Story {
    const place = new TestPlace()
    const waiting = { key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' }
    return {
      name: 'nodes and Services come and go',
      controllers: cloudControllers(place.provider, { ...defaultCloudControllerOptions, clusterCIDRs: ['10.244.0.0/16'] }),
      steps: [
        cluster => {
          for (const [index, name] of ['n1', 'n2'].entries())
            node(cluster, name, { spec: { taints: [waiting], podCIDR: `10.244.${index}.0/24`, podCIDRs: [`10.244.${index}.0/24`] } })
          balanced(cluster)
          cluster.api.put(Service, {
            metadata: { name: 'stays', namespace: 'default' },
            spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
          })
        },
        cluster => {
          place.machines.delete('n2')
          notReady(cluster, 'n2')
          cluster.api.change(Service, 'web', next => {
            next.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
          })
        },
      ],
      world() {},
      rounds: 10,
      roundMs: 3_000,
      summarize: ({ api }) => ({
        nodes: api.all(Node).map(({ metadata, spec, status }) => [metadata.name, metadata.labels, spec, status.addresses]),
        services: api.all(Service).map(({ metadata, status }) => [metadata.name, metadata.finalizers, status]),
        routes: place.routes,
        balancers: [...place.balancers],
      }),
    }
  }

  it.each(PERTURBATIONS)('reach the same end: %s', async what => {
    const expected = await tell(story())
    expect(expected.summary).toMatchObject({ routes: [{ cidr: '10.244.0.0/24' }], balancers: [['stays', ['n1']]] })
    for (let at = 0; at < expected.writes; at++) {
      const { summary } = await tell(story(), { at, what })
      expect({ at, summary }).toEqual({ at, summary: expected.summary })
    }
  })
})
