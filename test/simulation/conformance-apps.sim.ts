import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WatchEvent } from '#client/client.ts'
import { ControllerRevision } from '#kinds/apps/v1/controller-revision.ts'
import { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { startCluster, type TestCluster } from '#testing/testing.ts'

/*
 * The API operations, status endpoints and lifecycles that Kubernetes' conformance tests ask of workloads, budgets, quota, namespaces and
 * endpoints, of one control plane with simulated nodes. docs/reference/conformance.md says which test answers to which.
 */

const selector = (app: string) => ({ matchLabels: { app } })
const template = (app: string, spec: object = {}) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image: `${app}:1` }], ...spec },
})
const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } } } }

/** One object of each kind that does as little as it may. */
const SAMPLES: readonly (readonly [AnyKind, object])[] = [
  [ControllerRevision, { data: { spec: {} }, revision: 1 }],
  [CronJob, { spec: { schedule: '0 0 1 1 *', suspend: true, jobTemplate } }],
  [Job, { spec: { suspend: true, ...jobTemplate.spec } }],
  [DaemonSet, { spec: { selector: selector('d'), template: template('d', { nodeSelector: { nowhere: 'yes' } }) } }],
  [Deployment, { spec: { replicas: 0, selector: selector('e'), template: template('e') } }],
  [ReplicaSet, { spec: { replicas: 0, selector: selector('r'), template: template('r') } }],
  [StatefulSet, { spec: { replicas: 0, serviceName: 's', selector: selector('s'), template: template('s') } }],
  [ReplicationController, { spec: { replicas: 0, selector: { app: 'c' }, template: template('c') } }],
  [PodDisruptionBudget, { spec: { minAvailable: 1, selector: selector('p') } }],
  [ResourceQuota, { spec: { hard: { pods: '99' } } }],
  [EndpointSlice, { addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.1'] }], ports: [{ port: 80 }] }],
  [Endpoints, { subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }] }],
  [ConfigMap, { data: { a: 'b' } }],
]

let cluster: TestCluster
let count = 0
beforeAll(async () => {
  cluster = await startCluster({ nodes: 2, seed: 21 })
})
afterAll(() => cluster.stop())

/** A namespace of its own for each test. */
async function place(): Promise<string> {
  const name = `place-${++count}`
  await cluster.client.create(Namespace, { metadata: { name } })
  await cluster.until(async () => (await cluster.client.list(ServiceAccount, { namespace: name })).items.length > 0)
  return name
}
const make = <K extends AnyKind>(kind: K, object: object) => cluster.client.create(kind, object as never)
const isGone = (answer: Promise<unknown>) =>
  answer.then(
    () => false,
    (error: unknown) => isNotFound(error),
  )

/** Gathers what a watch says of the kind in a namespace. */
function watching(kind: AnyKind, namespace: string, resourceVersion: string | undefined) {
  const events: WatchEvent<ApiObject>[] = []
  const watch = cluster.client.watch(
    kind,
    { namespace, resourceVersion: resourceVersion ?? '' },
    {
      event: event => void events.push(event as WatchEvent<ApiObject>),
      closed() {},
    },
  )
  const saw = (type: string, holds: (object: ApiObject) => boolean = () => true) =>
    cluster.until(() => events.some(event => event.type === type && holds(event.object)))
  return { saw, [Symbol.dispose]: () => watch[Symbol.dispose]() }
}

describe('API operations', () => {
  it.each(SAMPLES.map(([kind, object]) => [kind.kind, kind, object] as const))(
    '%s objects are created, read, listed, watched, patched, replaced and deleted, alone and with others by label',
    async (_, kind, object) => {
      const { client } = cluster
      const namespace = await place()
      const { metadata: from } = await client.list(kind, { namespace })
      using watch = watching(kind, namespace, from.resourceVersion)
      const named = (name: string) => ({ name, namespace })
      const created = (await make(kind, { ...object, metadata: { ...named('one'), labels: { set: 'a' } } })) as ApiObject
      await watch.saw('ADDED', ({ metadata }) => metadata.uid === created.metadata.uid)
      expect(((await client.get(kind, named('one'))) as ApiObject).metadata.uid).toBe(created.metadata.uid)
      const everywhere = await client.list(kind, { labelSelector: 'set=a' })
      expect(everywhere.items.map(({ metadata }: ApiObject) => metadata.uid)).toContain(created.metadata.uid)

      const body = { metadata: { labels: { patched: 'yes' } } }
      const patched = (await client.patch(kind, named('one'), { type: 'merge', body })) as ApiObject
      expect(patched.metadata.labels).toMatchObject({ set: 'a', patched: 'yes' })
      await watch.saw('MODIFIED', ({ metadata }) => metadata.labels?.['patched'] === 'yes')
      await cluster.until(async () => {
        const fresh = (await client.get(kind, named('one'))) as ApiObject
        const next = { ...fresh, metadata: { ...fresh.metadata, annotations: { ...fresh.metadata.annotations, replaced: 'yes' } } }
        // A controller may have been faster.
        return client.update(kind, next as never).then(
          () => true,
          () => false,
        )
      })
      await watch.saw('MODIFIED', ({ metadata }) => metadata.annotations?.['replaced'] === 'yes')

      await make(kind, { ...object, metadata: { ...named('two'), labels: { set: 'a' } } })
      await make(kind, { ...object, metadata: { ...named('three'), labels: { set: 'b' } } })
      await client.delete(kind, named('one'))
      await watch.saw('DELETED', ({ metadata }) => metadata.name === 'one')
      await client.deleteCollection(kind, { namespace, labelSelector: 'set=a' })
      await cluster.until(() => isGone(client.get(kind, named('two'))))
      expect(((await client.get(kind, named('three'))) as ApiObject).metadata.name).toBe('three')
    },
    20_000,
  )
})

describe('status endpoints', () => {
  const condition = (type: string) => ({ type, status: 'True', reason: 'E2E', message: 'Set from a test' })
  const withConditions = [
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    ReplicationController,
    Job,
    PodDisruptionBudget,
  ] as readonly AnyKind[]

  it.each(withConditions.map(kind => [kind.kind, kind] as const))(
    'the status of %s objects is read, replaced and patched beside the spec, which stays',
    async (_, kind) => {
      const { client } = cluster
      const namespace = await place()
      const [, sample] = SAMPLES.find(([one]) => one === kind)!
      const at = { name: 'one', namespace }
      const { metadata: from } = await client.list(kind, { namespace })
      using watch = watching(kind, namespace, from.resourceVersion)
      await make(kind, { ...sample, metadata: at })
      type Shown = ApiObject & { readonly spec: unknown; readonly status: { readonly conditions?: readonly { readonly type: string }[] } }
      const read = async () => (await client.subresource(kind, at, { subresource: 'status', verb: 'get' })) as Shown
      const has = (type: string) => (object: ApiObject) => (object as Shown).status.conditions?.some(one => one.type === type) ?? false
      await cluster.until(async () => {
        const { metadata, spec, status, ...more } = await read()
        const next = { ...more, metadata, spec, status: { ...required(kind), ...status, conditions: [condition('StatusUpdate')] } }
        return client.updateStatus(kind, next as never).then(
          () => true,
          () => false,
        )
      })
      await watch.saw('MODIFIED', has('StatusUpdate'))
      const before = await read()
      const body = { spec: { replicas: 7, minAvailable: 7 }, status: { conditions: [condition('StatusPatched')] } }
      await client.patch(kind, at, { type: 'merge', body }, { subresource: 'status' })
      await watch.saw('MODIFIED', has('StatusPatched'))
      expect((await read()).spec).toEqual(before.spec)
    },
    20_000,
  )

  /** What a status must say so that it is one. */
  function required(kind: AnyKind): object {
    return kind === PodDisruptionBudget ? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 } : {}
  }

  it('the status of a CronJob tells when it last started a job, by whoever writes it', async () => {
    const { client } = cluster
    const at = { name: 'one', namespace: await place() }
    const [, sample] = SAMPLES.find(([kind]) => kind === CronJob)!
    const created = await make(CronJob, { ...sample, metadata: at })
    const lastScheduleTime = '2026-01-01T00:00:00Z'
    await client.updateStatus(CronJob, { ...created, spec: { ...created.spec, suspend: false }, status: { lastScheduleTime } })
    const body = { status: { lastSuccessfulTime: '2026-01-02T00:00:00Z' } }
    await client.patch(CronJob, at, { type: 'merge', body }, { subresource: 'status' })
    const shown = (await client.subresource(CronJob, at, { subresource: 'status', verb: 'get' })) as CronJob
    expect(shown.status).toEqual({ lastScheduleTime, lastSuccessfulTime: '2026-01-02T00:00:00Z' })
    expect(shown.spec.suspend).toBe(true)
  })

  it('the status of a ResourceQuota is written, and counted anew by its controller', async () => {
    const { client } = cluster
    const namespace = await place()
    const at = { name: 'one', namespace }
    using watch = watching(ResourceQuota, namespace, (await client.list(ResourceQuota, { namespace })).metadata.resourceVersion)
    await make(ResourceQuota, { metadata: at, spec: { hard: { cpu: '500m', memory: '500Mi' } } })
    const status = async () => (await client.get(ResourceQuota, at)).status
    await cluster.until(async () => (await status()).hard?.['cpu'] === '500m')
    await client.patch(ResourceQuota, at, { type: 'merge', body: { status: { hard: { cpu: '9' } } } }, { subresource: 'status' })
    await watch.saw('MODIFIED', object => (object as ResourceQuota).status.hard?.['cpu'] === '9')
    await cluster.until(async () => (await status()).hard?.['cpu'] === '500m')
    expect((await client.get(ResourceQuota, at)).spec.hard).toEqual({ cpu: '500m', memory: '500Mi' })
  })

  it('the status of a Namespace keeps what others say there, and its labels and finalizers change by patch and update', async () => {
    const { client } = cluster
    const name = await place()
    const said = (type: string) => ({ type, status: 'True', reason: 'E2E', message: 'Set from a test', lastTransitionTime: null })
    await client.patch(
      Namespace,
      { name },
      { type: 'merge', body: { status: { conditions: [said('StatusPatch')] } } },
      { subresource: 'status' },
    )
    const fresh = await client.get(Namespace, { name })
    const conditions = [...(fresh.status.conditions ?? []), said('StatusUpdate')]
    await client.updateStatus(Namespace, { ...fresh, status: { ...fresh.status, conditions } } as never)
    expect((await client.get(Namespace, { name })).status.conditions!.map(({ type }) => type)).toEqual(['StatusPatch', 'StatusUpdate'])
    await client.patch(Namespace, { name }, { type: 'merge', body: { metadata: { labels: { patched: 'yes' } } } })
    const patched = await client.get(Namespace, { name })
    const labels = { ...patched.metadata.labels, updated: 'yes' }
    await client.update(Namespace, { ...patched, metadata: { ...patched.metadata, labels } })
    expect((await client.get(Namespace, { name })).metadata.labels).toMatchObject({ patched: 'yes', updated: 'yes' })
    const finalize = async (finalizers: readonly string[]) => {
      const now = await client.get(Namespace, { name })
      await client.subresource(Namespace, { name }, { subresource: 'finalize', verb: 'update', body: { ...now, spec: { finalizers } } })
      return (await client.get(Namespace, { name })).spec.finalizers
    }
    expect(await finalize(['kubernetes', 'e2e.example.com/fake'])).toEqual(['kubernetes', 'e2e.example.com/fake'])
    expect(await finalize(['kubernetes'])).toEqual(['kubernetes'])
  })
})

describe('lifecycles', () => {
  const ready = async (namespace: string, app: string) =>
    (await cluster.client.list(Pod, { namespace, labelSelector: `app=${app}` })).items.filter(
      pod => isReady(pod) && !pod.metadata.deletionTimestamp,
    )
  const image = (name: string) => ({
    type: 'strategic' as const,
    body: { spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } },
  })

  it('a ReplicationController is made, scaled, patched, replaced and deleted with its pods', async () => {
    const { client } = cluster
    const namespace = await place()
    const at = { name: 'c', namespace }
    await make(ReplicationController, { metadata: at, spec: { replicas: 1, selector: { app: 'c' }, template: template('c') } })
    await cluster.until(async () => (await ready(namespace, 'c')).length === 1)
    await client.patch(ReplicationController, at, { type: 'merge', body: { spec: { replicas: 2 } } })
    await cluster.until(async () => (await client.get(ReplicationController, at)).status.readyReplicas === 2)
    const scale = (await client.subresource(ReplicationController, at, { subresource: 'scale', verb: 'get' })) as { spec: object }
    const body = { ...scale, spec: { replicas: 1 } }
    await client.subresource(ReplicationController, at, { subresource: 'scale', verb: 'update', body })
    await cluster.until(async () => (await client.get(ReplicationController, at)).status.replicas === 1)
    await client.delete(ReplicationController, at, { propagationPolicy: 'Foreground' })
    await cluster.until(async () => (await isGone(client.get(ReplicationController, at))) && (await ready(namespace, 'c')).length === 0)
  }, 20_000)

  it('a ReplicaSet serves one image on each replica, is scaled and given another template, which is for new pods', async () => {
    const { client } = cluster
    const namespace = await place()
    const at = { name: 'r', namespace }
    await make(ReplicaSet, { metadata: at, spec: { replicas: 2, selector: selector('r'), template: template('r') } })
    await cluster.until(async () => (await ready(namespace, 'r')).length === 2)
    await client.patch(ReplicaSet, at, image('r:2'))
    await client.patch(ReplicaSet, at, { type: 'merge', body: { spec: { replicas: 3 } } })
    await cluster.until(async () => (await ready(namespace, 'r')).length === 3)
    const images = (await ready(namespace, 'r')).map(({ spec }) => spec.containers[0]!.image).sort()
    expect(images).toEqual(['r:1', 'r:1', 'r:2'])
  }, 20_000)

  it('a Deployment rolls over to the newest template, keeps no history if it is to, and with Recreate never mixes', async () => {
    const { client } = cluster
    const namespace = await place()
    const at = { name: 'e', namespace }
    await make(Deployment, {
      metadata: at,
      spec: { replicas: 3, revisionHistoryLimit: 0, selector: selector('e'), template: template('e') },
    })
    await cluster.until(async () => (await ready(namespace, 'e')).length === 3)
    // The second change comes while the first is under way.
    await client.patch(Deployment, at, image('e:2'))
    await client.patch(Deployment, at, image('e:3'))
    const images = async () => (await ready(namespace, 'e')).map(({ spec }) => spec.containers[0]!.image)
    await cluster.until(async () => (await images()).join() === 'e:3,e:3,e:3')
    await cluster.until(async () => (await client.list(ReplicaSet, { namespace })).items.length === 1)
    await client.patch(Deployment, at, { type: 'merge', body: { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } } })
    let mixed = 0
    using _watch = client.watch(
      Pod,
      { namespace, resourceVersion: (await client.list(Pod, { namespace })).metadata.resourceVersion ?? '' },
      {
        event({ type, object }) {
          if (type !== 'ADDED') return
          const others = cluster.informers.of(Pod).list(namespace).filter(isReady)
          if (
            others.some(
              ({ spec, metadata }) => !metadata.deletionTimestamp && spec.containers[0]!.image !== object.spec.containers[0]!.image,
            )
          )
            mixed++
        },
        closed() {},
      },
    )
    await client.patch(Deployment, at, image('e:4'))
    await cluster.until(async () => (await images()).join() === 'e:4,e:4,e:4')
    expect(mixed).toBe(0)
    const { status } = await client.get(Deployment, at)
    expect(status).toMatchObject({ updatedReplicas: 3, availableReplicas: 3 })
  }, 30_000)

  it('a StatefulSet is scaled in order, rolled back, and has an evicted pod back under its name', async () => {
    const { client } = cluster
    const namespace = await place()
    const at = { name: 's', namespace }
    await make(StatefulSet, { metadata: at, spec: { replicas: 3, serviceName: 's', selector: selector('s'), template: template('s') } })
    await cluster.until(async () => (await ready(namespace, 's')).length === 3)
    const created = (await ready(namespace, 's')).map(({ metadata }) => [
      Number(metadata.name!.slice(-1)),
      Number(metadata.resourceVersion),
    ])
    expect(created.map(([ordinal]) => ordinal).sort()).toEqual([0, 1, 2])
    await client.patch(StatefulSet, at, image('s:2'))
    const images = async () => (await ready(namespace, 's')).map(({ spec }) => spec.containers[0]!.image)
    await cluster.until(async () => (await images()).join() === 's:2,s:2,s:2')
    await client.patch(StatefulSet, at, image('s:1'))
    await cluster.until(async () => (await images()).join() === 's:1,s:1,s:1')
    await cluster.until(async () => {
      const { status } = await client.get(StatefulSet, at)
      return status.currentRevision === status.updateRevision
    })
    expect((await client.list(ControllerRevision, { namespace })).items).toHaveLength(2)
    const pod = await client.get(Pod, { name: 's-0', namespace })
    await client.subresource(Pod, pod, {
      subresource: 'eviction',
      verb: 'create',
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 's-0', namespace } },
    })
    await cluster.until(async () =>
      (await ready(namespace, 's')).some(({ metadata }) => metadata.name === 's-0' && metadata.uid !== pod.metadata.uid),
    )
  }, 30_000)

  it('a namespace that is deleted loses its pods before anything else', async () => {
    const { client } = cluster
    const namespace = await place()
    await make(ConfigMap, { metadata: { name: 'held', namespace } })
    await make(Pod, { metadata: { name: 'held', namespace, finalizers: ['example.com/hold'] }, spec: template('x').spec })
    await client.delete(Namespace, { name: namespace })
    await cluster.until(
      async () =>
        (await client.get(Namespace, { name: namespace })).status.conditions?.some(({ type }) => type === 'NamespaceContentRemaining') ??
        false,
    )
    expect((await client.get(Pod, { name: 'held', namespace })).metadata.deletionTimestamp).toBeDefined()
    expect((await client.get(ConfigMap, { name: 'held', namespace })).metadata.deletionTimestamp).toBeUndefined()
    await client.patch(Pod, { name: 'held', namespace }, { type: 'merge', body: { metadata: { finalizers: null } } })
    await cluster.until(() => isGone(client.get(Namespace, { name: namespace })), 30_000)
  }, 40_000)

  it('a ResourceQuota is counted at once, follows its spec, and bounds nothing once it is deleted', async () => {
    const { client } = cluster
    const namespace = await place()
    const at = { name: 'q', namespace }
    await make(ResourceQuota, { metadata: at, spec: { hard: { configmaps: '1' } } })
    await cluster.until(async () => (await client.get(ResourceQuota, at)).status.used?.['configmaps'] === '0')
    await make(ConfigMap, { metadata: { name: 'a', namespace } })
    await expect(make(ConfigMap, { metadata: { name: 'b', namespace } })).rejects.toThrow('exceeded quota: q')
    await client.patch(ResourceQuota, at, { type: 'merge', body: { spec: { hard: { configmaps: '2' } } } })
    await cluster.until(async () => (await client.get(ResourceQuota, at)).status.hard?.['configmaps'] === '2')
    await make(ConfigMap, { metadata: { name: 'b', namespace } })
    await client.delete(ResourceQuota, at)
    await cluster.until(() =>
      make(ConfigMap, { metadata: { name: 'c', namespace } }).then(
        () => true,
        () => false,
      ),
    )
  }, 20_000)

  it('Endpoints and a slice come and go with a Service that selects no pods, and several slices hold the addresses of one', async () => {
    const { client } = cluster
    const namespace = await place()
    const at = { name: 'web', namespace }
    const slices = async () => (await client.list(EndpointSlice, { namespace, labelSelector: 'kubernetes.io/service-name=web' })).items
    await make(Service, { metadata: at, spec: { selector: { app: 'nobody' }, ports: [{ port: 80 }] } })
    await cluster.until(async () => (await slices()).length === 1 && !(await isGone(client.get(Endpoints, at))))
    expect((await slices())[0]!.endpoints ?? []).toEqual([])
    expect((await client.get(Endpoints, at)).subsets ?? []).toEqual([])
    for (const [index, address] of ['192.0.2.1', '192.0.2.2'].entries())
      await make(EndpointSlice, {
        metadata: { name: `by-hand-${index}`, namespace, labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [address] }],
        ports: [{ port: 80 }],
      })
    const addresses = (await slices()).flatMap(({ endpoints }) => endpoints ?? []).flatMap(endpoint => endpoint.addresses)
    expect([...addresses].sort()).toEqual(['192.0.2.1', '192.0.2.2'])
    await client.delete(Service, at)
    // What somebody wrote stays, what a controller wrote goes.
    await cluster.until(
      async () =>
        (await isGone(client.get(Endpoints, at))) && (await slices()).every(({ metadata }) => metadata.name!.startsWith('by-hand')),
    )
  }, 20_000)
})
