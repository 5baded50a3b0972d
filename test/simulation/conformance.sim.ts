import { describe, expect, it } from 'vitest'
import { ControllerRevision } from '#kinds/apps/v1/controller-revision.ts'
import { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { LimitRange } from '#kinds/core/v1/limit-range.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { PriorityClass } from '#kinds/scheduling/v1/priority-class.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { startCluster, type TestCluster } from '#testing/testing.ts'

/*
 * What Kubernetes' conformance tests ask of workloads, scheduling, garbage collection, namespaces, endpoints and quota, of a whole control plane
 * with simulated nodes: API server with admission and RBAC, every controller, the scheduler.
 */

const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more })
const selector = (app: string) => ({ matchLabels: { app } })
const template = (app: string, spec: object = {}) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image: `${app}:1` }], ...spec },
})
const make = <K extends AnyKind>({ client }: TestCluster, kind: K, object: object) => client.create(kind, object as never)
const podsOf = async ({ client }: TestCluster, app: string) =>
  (await client.list(Pod, { namespace: 'default', labelSelector: `app=${app}` })).items.filter(pod => !pod.metadata.deletionTimestamp)
const readyOf = async (cluster: TestCluster, app: string) => (await podsOf(cluster, app)).filter(isReady).length
const end = async ({ client }: TestCluster, pod: Pod, phase: 'Failed' | 'Succeeded') =>
  await client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase } })

describe('[sig-apps]', () => {
  it('Deployments, ReplicaSets, StatefulSets and ReplicationControllers have a working scale subresource', async () => {
    await using cluster = await startCluster({ nodes: 2, seed: 1 })
    await make(cluster, Deployment, { metadata: meta('a'), spec: { replicas: 1, selector: selector('a'), template: template('a') } })
    await make(cluster, ReplicaSet, { metadata: meta('b'), spec: { replicas: 1, selector: selector('b'), template: template('b') } })
    await make(cluster, StatefulSet, {
      metadata: meta('c'),
      spec: { serviceName: 'c', replicas: 1, selector: selector('c'), template: template('c') },
    })
    await make(cluster, ReplicationController, {
      metadata: meta('d'),
      spec: { replicas: 1, selector: { app: 'd' }, template: template('d') },
    })
    for (const [kind, name] of [
      [Deployment, 'a'],
      [ReplicaSet, 'b'],
      [StatefulSet, 'c'],
      [ReplicationController, 'd'],
    ] as const) {
      await cluster.until(async () => (await readyOf(cluster, name)) === 1)
      const scale = (await cluster.client.subresource(kind as AnyKind, meta(name), { subresource: 'scale', verb: 'get' })) as {
        metadata: object
        spec: { replicas: number }
      }
      expect(scale.spec.replicas).toBe(1)
      // Whatever has been written since, as upstream's test does it: the controller still tells of the first replica.
      const body = { ...scale, metadata: { ...scale.metadata, resourceVersion: '' }, spec: { replicas: 3 } }
      await cluster.client.subresource(kind as AnyKind, meta(name), { subresource: 'scale', verb: 'update', body })
      await cluster.until(async () => (await readyOf(cluster, name)) === 3)
    }
  }, 30_000)

  it.each([
    ['ReplicaSet', ReplicaSet, { selector: selector('web') }],
    ['ReplicationController', ReplicationController, { selector: { app: 'web' } }],
  ] as const)('a %s adopts pods that match, and lets go of one that no longer does', async (_, kind, more) => {
    await using cluster = await startCluster({ seed: 2 })
    await make(cluster, Pod, { metadata: meta('orphan', { labels: { app: 'web' } }), spec: template('web').spec })
    await make(cluster, kind as AnyKind, { metadata: meta('web'), spec: { replicas: 1, template: template('web'), ...more } })
    const owner = async () => (await cluster.client.get(Pod, meta('orphan'))).metadata.ownerReferences?.[0]?.name
    await cluster.until(async () => (await owner()) === 'web')
    expect(await podsOf(cluster, 'web')).toHaveLength(1)
    await cluster.client.patch(Pod, meta('orphan'), { type: 'merge', body: { metadata: { labels: { app: 'other' } } } })
    await cluster.until(async () => (await owner()) === undefined && (await podsOf(cluster, 'web')).length === 1)
  })

  it('a Job adopts orphans and releases what does not match, and is deleted with its pods', async () => {
    await using cluster = await startCluster({ seed: 3 })
    const { client } = cluster
    await make(cluster, Job, {
      metadata: meta('j'),
      spec: { parallelism: 2, completions: 4, template: template('t', { restartPolicy: 'Never' }) },
    })
    const all = async () => (await client.list(Pod, { namespace: 'default', labelSelector: 'job-name=j' })).items
    await cluster.until(async () => (await all()).length === 2)
    const [pod] = await all()
    await client.patch(Pod, pod!, { type: 'merge', body: { metadata: { ownerReferences: null } } })
    await cluster.until(async () => (await client.get(Pod, pod!)).metadata.ownerReferences?.[0]?.name === 'j')
    await client.patch(Pod, pod!, { type: 'merge', body: { metadata: { labels: null } } })
    await cluster.until(async () => (await client.get(Pod, pod!)).metadata.ownerReferences === undefined && (await all()).length === 2)
    await client.delete(Job, meta('j'), { propagationPolicy: 'Foreground' })
    await cluster.until(async () => (await all()).length === 0 && (await client.list(Job)).items.length === 0)
  })

  it('a ReplicationController says that quota keeps it from making pods, and no longer once it may', async () => {
    await using cluster = await startCluster({ seed: 4 })
    const { client } = cluster
    await make(cluster, ResourceQuota, { metadata: meta('two'), spec: { hard: { pods: '2' } } })
    await cluster.until(async () => (await client.get(ResourceQuota, meta('two'))).status.hard?.['pods'] === '2')
    await make(cluster, ReplicationController, {
      metadata: meta('rc'),
      spec: { replicas: 3, selector: { app: 'rc' }, template: template('rc') },
    })
    const conditions = async () => (await client.get(ReplicationController, meta('rc'))).status.conditions ?? []
    await cluster.until(async () => (await conditions()).some(({ type, reason }) => type === 'ReplicaFailure' && reason === 'FailedCreate'))
    await client.patch(ReplicationController, meta('rc'), { type: 'merge', body: { spec: { replicas: 2 } } })
    await cluster.until(async () => (await conditions()).length === 0 && (await readyOf(cluster, 'rc')) === 2)
  }, 30_000)

  it('a DaemonSet runs one pod on each matching node, replaces failed ones, and keeps a history', async () => {
    await using cluster = await startCluster({ nodes: 3, seed: 5 })
    const { client } = cluster
    await client.patch(Node, { name: 'node-1' }, { type: 'merge', body: { metadata: { labels: { color: 'blue' } } } })
    await make(cluster, DaemonSet, { metadata: meta('d'), spec: { selector: selector('d'), template: template('d') } })
    await cluster.until(async () => (await readyOf(cluster, 'd')) === 3)
    const [pod] = await podsOf(cluster, 'd')
    await end(cluster, pod!, 'Failed')
    await cluster.until(
      async () =>
        (await readyOf(cluster, 'd')) === 3 && !(await podsOf(cluster, 'd')).some(({ metadata }) => metadata.uid === pod!.metadata.uid),
    )
    const image = (name: string) => ({
      type: 'strategic' as const,
      body: { spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } },
    })
    await client.patch(DaemonSet, meta('d'), image('d:2'))
    await cluster.until(
      async () => (await podsOf(cluster, 'd')).filter(one => isReady(one) && one.spec.containers[0]!.image === 'd:2').length === 3,
    )
    const revisions = async () =>
      (await client.list(ControllerRevision, { namespace: 'default' })).items.map(({ revision }) => revision).sort()
    expect(await revisions()).toEqual([1, 2])
    await client.patch(DaemonSet, meta('d'), image('d:1'))
    await cluster.until(
      async () => (await podsOf(cluster, 'd')).filter(one => isReady(one) && one.spec.containers[0]!.image === 'd:1').length === 3,
    )
    expect(await revisions()).toEqual([2, 3])
    await client.patch(DaemonSet, meta('d'), { type: 'merge', body: { spec: { template: { spec: { nodeSelector: { color: 'blue' } } } } } })
    await cluster.until(async () => (await podsOf(cluster, 'd')).map(({ spec }) => spec.nodeName).join() === 'node-1')
    await client.deleteCollection(DaemonSet, { namespace: 'default' })
    await cluster.until(async () => (await podsOf(cluster, 'd')).length === 0)
  }, 60_000)

  it('a PodDisruptionBudget blocks an eviction until it allows it', async () => {
    await using cluster = await startCluster({ seed: 6 })
    const { client } = cluster
    await make(cluster, ReplicaSet, { metadata: meta('web'), spec: { replicas: 2, selector: selector('web'), template: template('web') } })
    await make(cluster, PodDisruptionBudget, { metadata: meta('web'), spec: { minAvailable: 2, selector: selector('web') } })
    await cluster.until(async () => (await client.get(PodDisruptionBudget, meta('web'))).status.currentHealthy === 2)
    const [pod] = await podsOf(cluster, 'web')
    const evict = () =>
      client.subresource(Pod, pod!, {
        subresource: 'eviction',
        verb: 'create',
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod!.metadata.name, namespace: 'default' } },
      })
    await expect(evict()).rejects.toMatchObject({ code: 429 })
    await client.patch(PodDisruptionBudget, meta('web'), { type: 'merge', body: { spec: { minAvailable: 1 } } })
    await cluster.until(async () => (await client.get(PodDisruptionBudget, meta('web'))).status.disruptionsAllowed === 1)
    await evict()
    await cluster.until(
      async () =>
        (await readyOf(cluster, 'web')) === 2 && !(await podsOf(cluster, 'web')).some(({ metadata }) => metadata.uid === pod!.metadata.uid),
    )
  })
})

describe('[sig-api-machinery]', () => {
  it('a namespace that is deleted takes its pods and Services with it', async () => {
    await using cluster = await startCluster({ seed: 8 })
    const { client } = cluster
    await make(cluster, Namespace, { metadata: { name: 'shop' } })
    const within = (name: string) => ({ name, namespace: 'shop' })
    await cluster.until(async () =>
      make(cluster, Pod, { metadata: within('web'), spec: template('web').spec }).then(
        () => true,
        () => false,
      ),
    )
    await make(cluster, Service, { metadata: within('web'), spec: { ports: [{ port: 80 }] } })
    await client.delete(Namespace, { name: 'shop' })
    await cluster.until(async () => !(await client.list(Namespace)).items.some(({ metadata }) => metadata.name === 'shop'))
    await make(cluster, Namespace, { metadata: { name: 'shop' } })
    expect((await client.list(Pod, { namespace: 'shop' })).items).toEqual([])
    expect((await client.list(Service, { namespace: 'shop' })).items).toEqual([])
  })

  it('the garbage collector deletes, keeps or orphans dependents as it is told', async () => {
    await using cluster = await startCluster({ seed: 9 })
    const { client } = cluster
    for (const name of ['background', 'orphan'])
      await make(cluster, Deployment, { metadata: meta(name), spec: { replicas: 2, selector: selector(name), template: template(name) } })
    for (const name of ['background', 'orphan']) await cluster.until(async () => (await readyOf(cluster, name)) === 2)
    await client.delete(Deployment, meta('background'), { propagationPolicy: 'Background' })
    await client.delete(Deployment, meta('orphan'), { propagationPolicy: 'Orphan' })
    await cluster.until(
      async () => (await podsOf(cluster, 'background')).length === 0 && (await client.list(Deployment)).items.length === 0,
    )
    const { items } = await client.list(ReplicaSet, { namespace: 'default' })
    expect(items.map(({ metadata }) => [metadata.labels?.['app'], metadata.ownerReferences])).toEqual([['orphan', undefined]])
    expect(await readyOf(cluster, 'orphan')).toBe(2)
    // A circle of owners holds nothing up.
    const one = await make(cluster, ConfigMap, { metadata: meta('one') })
    const two = await make(cluster, ConfigMap, {
      metadata: meta('two', { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'one', uid: one.metadata.uid }] }),
    })
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'two', uid: two.metadata.uid }]
    await client.patch(ConfigMap, meta('one'), { type: 'merge', body: { metadata: { ownerReferences } } })
    await client.delete(ConfigMap, meta('one'))
    await cluster.until(
      async () => !(await client.list(ConfigMap, { namespace: 'default' })).items.some(({ metadata }) => metadata.name === 'two'),
    )
  }, 30_000)

  it('a quota counts what comes and goes: pods, Services, ConfigMaps, secrets, controllers, within its scopes', async () => {
    await using cluster = await startCluster({ seed: 10 })
    const { client } = cluster
    const hard = {
      pods: '9',
      services: '9',
      configmaps: '9',
      secrets: '9',
      replicationcontrollers: '9',
      'count/replicasets.apps': '9',
      'requests.cpu': '4',
    }
    await make(cluster, ResourceQuota, { metadata: meta('all'), spec: { hard } })
    await make(cluster, ResourceQuota, { metadata: meta('best'), spec: { hard: { pods: '9' }, scopes: ['BestEffort'] } })
    await make(cluster, ResourceQuota, { metadata: meta('ending'), spec: { hard: { pods: '9' }, scopes: ['Terminating'] } })
    const used = async (name: string) => (await client.get(ResourceQuota, meta(name))).status.used ?? {}
    await cluster.until(async () => (await used('all'))['configmaps'] !== undefined)
    const before = await used('all')
    const resources = { requests: { cpu: '500m' } }
    await make(cluster, Pod, {
      metadata: meta('p'),
      spec: { activeDeadlineSeconds: 3600, containers: [{ name: 'c', image: 'i', resources }] },
    })
    await make(cluster, Service, { metadata: meta('s'), spec: { ports: [{ port: 80 }] } })
    await make(cluster, ConfigMap, { metadata: meta('c') })
    await make(cluster, Secret, { metadata: meta('t') })
    await make(cluster, ReplicationController, {
      metadata: meta('r'),
      spec: { replicas: 0, selector: { app: 'r' }, template: template('r') },
    })
    await make(cluster, ReplicaSet, { metadata: meta('r'), spec: { replicas: 0, selector: selector('x'), template: template('x') } })
    const plus = (name: string) => String(Number(before[name]) + 1)
    await cluster.until(async () => {
      const now = await used('all')
      return (
        ['pods', 'services', 'configmaps', 'secrets', 'replicationcontrollers', 'count/replicasets.apps'].every(
          name => now[name] === plus(name),
        ) && now['requests.cpu'] === '500m'
      )
    })
    await cluster.until(async () => (await used('ending'))['pods'] === '1' && (await used('best'))['pods'] === '0')
    await client.delete(Pod, meta('p'), { gracePeriodSeconds: 0 })
    await client.delete(ConfigMap, meta('c'))
    await cluster.until(async () => {
      const now = await used('all')
      return now['pods'] === before['pods'] && now['configmaps'] === before['configmaps'] && now['requests.cpu'] === '0'
    }, 20_000)
  }, 40_000)
})

describe('[sig-network]', () => {
  it('Endpoints and EndpointSlices follow the pods of a Service with several ports, and mirror what people write', async () => {
    await using cluster = await startCluster({ seed: 11 })
    const { client } = cluster
    const ports = [
      { name: 'http', port: 80, targetPort: 'web' },
      { name: 'metrics', port: 81, targetPort: 9090 },
    ]
    await make(cluster, Service, { metadata: meta('web'), spec: { selector: { app: 'web' }, ports } })
    const containers = [{ name: 'c', image: 'i', ports: [{ name: 'web', containerPort: 8080 }] }]
    await make(cluster, Pod, { metadata: meta('web', { labels: { app: 'web' } }), spec: { containers } })
    const slices = async (name: string) =>
      (await client.list(EndpointSlice, { namespace: 'default', labelSelector: `kubernetes.io/service-name=${name}` })).items
    const portsOf = async () =>
      (await slices('web'))
        .filter(({ endpoints }) => endpoints?.length)
        .flatMap(slice => slice.ports?.map(({ port }) => port))
        .sort()
    await cluster.until(async () => (await portsOf()).join() === '8080,9090')
    expect((await client.get(Endpoints, meta('web'))).subsets![0]!.ports!.map(({ port }) => port).sort()).toEqual([8080, 9090])
    await client.delete(Pod, meta('web'), { gracePeriodSeconds: 0 })
    await cluster.until(async () => (await portsOf()).length === 0)
    await client.delete(Service, meta('web'))
    await cluster.until(async () => (await slices('web')).length === 0)
    await make(cluster, Service, { metadata: meta('own'), spec: { ports: [{ port: 80 }] } })
    await make(cluster, Endpoints, { metadata: meta('own'), subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }] })
    await cluster.until(async () => (await slices('own'))[0]?.endpoints?.[0]?.addresses[0] === '192.0.2.1')
    await client.delete(Endpoints, meta('own'))
    await cluster.until(async () => (await slices('own')).length === 0)
  }, 30_000)
})

describe('[sig-scheduling]', () => {
  it('a pod waits while no node has its labels, its room or its port, and says why', async () => {
    await using cluster = await startCluster({ nodes: 1, nodeCapacity: { cpu: '2', memory: '4Gi', pods: '110' }, seed: 12 })
    const { client } = cluster
    const said = async (name: string) => (await client.get(Pod, meta(name))).status.conditions?.find(({ type }) => type === 'PodScheduled')
    await make(cluster, Pod, { metadata: meta('picky'), spec: { ...template('p').spec, nodeSelector: { color: 'blue' } } })
    await make(cluster, Pod, {
      metadata: meta('big'),
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '3' } } }] },
    })
    const holder = { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 54321 }] }] }
    await make(cluster, Pod, { metadata: meta('first'), spec: holder })
    await cluster.until(async () => (await client.get(Pod, meta('first'))).spec.nodeName === 'node-1')
    await make(cluster, Pod, { metadata: meta('second'), spec: holder })
    for (const [name, why] of [
      ['picky', "didn't match Pod's node affinity/selector"],
      ['big', 'Insufficient cpu'],
      ['second', "didn't have free ports for the requested pod ports"],
    ] as const)
      await cluster.until(async () => (await said(name))?.message?.includes(why) ?? false)
    await client.patch(Node, { name: 'node-1' }, { type: 'merge', body: { metadata: { labels: { color: 'blue' } } } })
    await cluster.until(async () => (await client.get(Pod, meta('picky'))).spec.nodeName === 'node-1')
  }, 30_000)

  it('a pod of higher priority takes the place of one of lower, and of none of its own', async () => {
    await using cluster = await startCluster({ nodes: 1, nodeCapacity: { cpu: '2', memory: '4Gi', pods: '110' }, seed: 13 })
    const { client } = cluster
    for (const [name, value] of [
      ['low', 1],
      ['high', 100],
    ] as const)
      await make(cluster, PriorityClass, { metadata: { name }, value })
    const pod = (name: string, priorityClassName: string) =>
      make(cluster, Pod, {
        metadata: meta(name),
        spec: { priorityClassName, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1500m' } } }] },
      })
    await pod('a', 'low')
    await cluster.until(async () => (await client.get(Pod, meta('a'))).spec.nodeName === 'node-1')
    await pod('b', 'high')
    await cluster.until(async () => (await client.get(Pod, meta('b'))).spec.nodeName === 'node-1')
    expect((await client.list(Pod, { namespace: 'default' })).items.map(({ metadata }) => metadata.name)).toEqual(['b'])
    await pod('c', 'high')
    await cluster.until(
      async () => (await client.get(Pod, meta('c'))).status.conditions?.some(({ reason }) => reason === 'Unschedulable') ?? false,
    )
    expect((await client.get(Pod, meta('b'))).metadata.deletionTimestamp).toBeUndefined()
  }, 30_000)

  it('a LimitRange gives defaults, and refuses what is beyond it', async () => {
    await using cluster = await startCluster({ seed: 14 })
    const limits = [
      { type: 'Container', min: { cpu: '50m' }, max: { cpu: '500m' }, default: { cpu: '500m' }, defaultRequest: { cpu: '100m' } },
    ]
    await make(cluster, LimitRange, { metadata: meta('l'), spec: { limits } })
    const spec = template('x').spec
    await cluster.until(async () => {
      const made = await make(cluster, Pod, { metadata: { generateName: 'x-', namespace: 'default' }, spec })
      return made.spec.containers[0]!.resources.requests?.['cpu'] === '100m'
    })
    const resources = { limits: { cpu: '600m' } }
    await expect(
      make(cluster, Pod, { metadata: meta('y'), spec: { containers: [{ name: 'c', image: 'i', resources }] } }),
    ).rejects.toMatchObject({ code: 403 })
  })
})
