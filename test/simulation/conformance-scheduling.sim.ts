import { describe, expect, it } from 'vitest'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { LimitRange } from '#kinds/core/v1/limit-range.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PriorityClass } from '#kinds/scheduling/v1/priority-class.ts'
import { startCluster, type TestCluster } from '#testing/testing.ts'

/* What Kubernetes' conformance tests ask of scheduling beyond conformance.sim.ts: limits, ports of hosts, and everything about priority. */

const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more })
const requesting = (cpu: string) => ({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu }, limits: { cpu } } }] })
const capacity = { cpu: '2', memory: '4Gi', pods: '110' }

async function classes({ client }: TestCluster, ...names: string[]): Promise<void> {
  for (const [index, name] of names.entries()) await client.create(PriorityClass, { metadata: { name }, value: index + 1 })
}

const nodeOf = async ({ client }: TestCluster, name: string) => (await client.get(Pod, meta(name))).spec.nodeName
const names = async ({ client }: TestCluster) =>
  (await client.list(Pod, { namespace: 'default' })).items.map(({ metadata }) => metadata.name).sort()

describe('[sig-scheduling] LimitRange', () => {
  it('gives defaults that an update changes, and is found, patched and deleted by its labels in every namespace', async () => {
    await using cluster = await startCluster({ seed: 21 })
    const { client } = cluster
    await client.create(Namespace, { metadata: { name: 'other' } })
    const limit = (cpu: string) => [{ type: 'Container', default: { cpu }, defaultRequest: { cpu } }]
    for (const namespace of ['default', 'other'])
      await client.create(LimitRange, {
        metadata: { name: 'l', namespace, labels: { of: namespace } },
        spec: { limits: limit('100m') },
      } as never)
    const given = async (cpu: string) => {
      const made = await client.create(Pod, {
        metadata: { generateName: 'x-', namespace: 'default' },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      })
      return made.spec.containers[0]!.resources.requests?.['cpu'] === cpu
    }
    await cluster.until(() => given('100m'))
    const known = await client.get(LimitRange, meta('l'))
    await client.update(LimitRange, { ...known, spec: { limits: limit('200m') } } as never)
    await cluster.until(() => given('200m'))

    expect((await client.list(LimitRange, { labelSelector: 'of in (default, other)' })).items).toHaveLength(2)
    const body = { spec: { limits: limit('300m') } }
    const patched = await client.patch(LimitRange, { name: 'l', namespace: 'other' }, { type: 'strategic', body })
    expect(patched.spec.limits?.[0]).toMatchObject({ default: { cpu: '300m' }, defaultRequest: { cpu: '300m' } })
    await client.deleteCollection(LimitRange, { namespace: 'other', labelSelector: 'of=other' })
    expect((await client.list(LimitRange, {})).items.map(({ metadata }) => metadata.namespace)).toEqual(['default'])
  }, 30_000)
})

describe('[sig-scheduling] ports of the host', () => {
  it('are taken by protocol and address, and on every address by 0.0.0.0', async () => {
    await using cluster = await startCluster({ nodes: 1, nodeCapacity: capacity, seed: 22 })
    const { client } = cluster
    const holding = (name: string, port: object) =>
      client.create(Pod, {
        metadata: meta(name),
        spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 54322, ...port }] }] },
      } as never)
    await holding('one', { hostIP: '127.0.0.1' })
    await holding('two', { hostIP: '127.0.0.2' })
    await holding('udp', { hostIP: '127.0.0.1', protocol: 'UDP' })
    for (const name of ['one', 'two', 'udp']) await cluster.until(async () => (await nodeOf(cluster, name)) === 'node-1')
    await holding('all', {})
    await cluster.until(
      async () =>
        (await client.get(Pod, meta('all'))).status.conditions?.some(({ message }) => message?.includes("didn't have free ports")) ?? false,
    )
    for (const name of ['one', 'two']) await client.delete(Pod, meta(name), { gracePeriodSeconds: 0 })
    await cluster.until(async () => (await nodeOf(cluster, 'all')) === 'node-1')
  }, 30_000)
})

describe('[sig-scheduling] preemption', () => {
  it('of a critical pod takes the place of a lower one', async () => {
    await using cluster = await startCluster({ nodes: 1, nodeCapacity: capacity, seed: 23 })
    const { client } = cluster
    await classes(cluster, 'low')
    await client.create(Pod, { metadata: meta('low'), spec: { priorityClassName: 'low', ...requesting('1500m') } } as never)
    await cluster.until(async () => (await nodeOf(cluster, 'low')) === 'node-1')
    const critical = { name: 'critical', namespace: 'kube-system' }
    await client.create(Pod, {
      metadata: critical,
      spec: { priorityClassName: 'system-cluster-critical', ...requesting('1500m') },
    } as never)
    await cluster.until(async () => (await client.get(Pod, critical)).spec.nodeName === 'node-1')
    expect(await names(cluster)).toEqual([])
  }, 30_000)

  it('leaves a condition on the pod that has to go, as long as a finalizer holds it', async () => {
    await using cluster = await startCluster({ nodes: 1, nodeCapacity: capacity, seed: 24 })
    const { client } = cluster
    await classes(cluster, 'low', 'high')
    const held = meta('low', { finalizers: ['example.com/hold'] })
    await client.create(Pod, { metadata: held, spec: { priorityClassName: 'low', ...requesting('1500m') } } as never)
    await cluster.until(async () => (await nodeOf(cluster, 'low')) === 'node-1')
    await client.create(Pod, { metadata: meta('high'), spec: { priorityClassName: 'high', ...requesting('1500m') } } as never)
    const condition = async () => (await client.get(Pod, meta('low'))).status.conditions?.find(({ type }) => type === 'DisruptionTarget')
    await cluster.until(async () => (await condition()) !== undefined)
    expect(await condition()).toMatchObject({ status: 'True', reason: 'PreemptionByScheduler' })
    await client.patch(Pod, meta('low'), { type: 'merge', body: { metadata: { finalizers: null } } })
    await cluster.until(async () => (await nodeOf(cluster, 'high')) === 'node-1')
    await cluster.until(async () => (await names(cluster)).join() === 'high')
  }, 30_000)

  it('takes from ReplicaSets what it has to, the least important first (PreemptionExecutionPath)', async () => {
    await using cluster = await startCluster({ nodes: 1, nodeCapacity: { ...capacity, cpu: '1' }, seed: 25 })
    const { client } = cluster
    await classes(cluster, 'p1', 'p2', 'p3', 'p4')
    const replicas = (name: string, count: number, cpu: string) =>
      client.create(ReplicaSet, {
        metadata: meta(`rs-${name}`),
        spec: {
          replicas: count,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { priorityClassName: name, terminationGracePeriodSeconds: 0, ...requesting(cpu) },
          },
        },
      } as never)
    const ready = async (name: string) => (await client.get(ReplicaSet, meta(`rs-${name}`))).status.readyReplicas ?? 0
    for (const [name, count] of [
      ['p1', 1],
      ['p2', 1],
      ['p3', 2],
    ] as const) {
      await replicas(name, count, '200m')
      await cluster.until(async () => (await ready(name)) === count)
    }
    await replicas('p4', 1, '500m')
    await cluster.until(async () => (await ready('p4')) === 1)
    // Of 1 cpu 800m were taken: the two least important pods made room, the others stay where they are.
    await cluster.until(async () => (await ready('p1')) === 0 && (await ready('p2')) === 0)
    expect(await ready('p3')).toBe(2)
    const waiting = (await client.list(Pod, { namespace: 'default' })).items.filter(({ spec }) => !spec.nodeName)
    expect(waiting.map(({ metadata }) => metadata.labels?.['app']).sort()).toEqual(['p1', 'p2'])
  }, 30_000)
})

describe('[sig-scheduling] PriorityClasses', () => {
  it('are listed, patched and updated, but their values stay', async () => {
    await using cluster = await startCluster({ seed: 26 })
    const { client } = cluster
    await classes(cluster, 'p1', 'p2')
    const listed = (await client.list(PriorityClass, {})).items.map(({ metadata }) => metadata.name)
    expect(listed).toEqual(expect.arrayContaining(['p1', 'p2', 'system-cluster-critical', 'system-node-critical']))
    const patched = await client.patch(PriorityClass, { name: 'p1' }, { type: 'merge', body: { description: 'patched' } })
    expect(patched.description).toBe('patched')
    const updated = await client.update(PriorityClass, { ...patched, description: 'updated' })
    expect(updated.description).toBe('updated')
    await expect(client.patch(PriorityClass, { name: 'p1' }, { type: 'merge', body: { value: 9 } })).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining('may not be changed in an update'),
    })
    await expect(client.update(PriorityClass, { ...updated, value: 9 })).rejects.toMatchObject({ code: 422 })
    expect((await client.get(PriorityClass, { name: 'p1' })).value).toBe(1)
  }, 30_000)
})
