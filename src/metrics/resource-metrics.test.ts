import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { type ResourceMetrics, resourceMetrics } from './resource-metrics.ts'
import type { StatsSummary } from './stats-summary.ts'

let clock: VirtualClock
let api: FakeApi
let informers: Informers
let metrics: ResourceMetrics
let reads: string[]
/** What each pod has used of a core, in seconds, since it began. */
let usedSeconds: (pod: string) => number

beforeEach(async () => {
  clock = virtualClock()
  api = new FakeApi(clock)
  informers = newInformers({ client: api.client(), clock, log: silentLogger })
  reads = []
  const startMs = clock.now()
  usedSeconds = () => (clock.now() - startMs) / 4000
  const readSummary = async ({ metadata: { name = '' } }: Node) => {
    reads.push(name)
    if (name === 'silent') throw new Error('no answer')
    return summaryOf(name)
  }
  metrics = resourceMetrics({ informers, readSummary, clock, log: silentLogger })
  for (const name of ['n1', 'silent']) api.put(Node, { metadata: { name, labels: { size: name } } })
  for (const [name, namespace] of [
    ['web', 'default'],
    ['db', 'other'],
  ])
    api.put(Pod, { metadata: { name, namespace, labels: { app: name } }, spec: { nodeName: 'n1', containers: [] } })
})

afterEach(() => informers[Symbol.asyncDispose]())

function summaryOf(nodeName: string): StatsSummary {
  const stats = (pod: string, factor = 1) => ({
    cpu: { time: '2026-01-01T00:00:00Z', usageCoreNanoSeconds: Math.round(usedSeconds(pod) * 1e9 * factor) },
    memory: { workingSetBytes: 3 << 20 },
  })
  const pod = (name: string, namespace: string) => ({
    podRef: { name, namespace, uid: name },
    containers: [
      { name: 'main', ...stats(name) },
      { name: 'side', ...stats(name, 0) },
    ],
  })
  return { node: { nodeName, ...stats('node', 2) }, pods: [pod('web', 'default'), pod('db', 'other'), pod('gone', 'default')] }
}

/** Answers once enough time has passed. */
async function answer<T>(asked: Promise<T>): Promise<T> {
  await clock.advance(2_000)
  return asked
}

describe('resource metrics', () => {
  it('tell what pods use by two readings, a second apart when nobody has asked before', async () => {
    const pods = await answer(metrics.pods.list(''))
    expect(pods.map(({ metadata }) => metadata.name)).toEqual(['web', 'db'])
    expect(pods[0]).toMatchObject({
      kind: 'PodMetrics',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      window: '1s',
      containers: [
        { name: 'main', usage: { cpu: '250000000n', memory: '3072Ki' } },
        { name: 'side', usage: { cpu: '0', memory: '3072Ki' } },
      ],
    })
  })

  it('tell what nodes use, and nothing of a node that does not answer', async () => {
    expect(await answer(metrics.nodes.list())).toMatchObject([
      { metadata: { name: 'n1', labels: { size: 'n1' } }, usage: { cpu: '500000000n', memory: '3072Ki' } },
    ])
    expect(await answer(metrics.nodes.get('silent'))).toBeUndefined()
    expect(await answer(metrics.nodes.get('absent'))).toBeUndefined()
  })

  it('are of one namespace, or of one pod, if that is asked for', async () => {
    expect((await answer(metrics.pods.list('other'))).map(({ metadata }) => metadata.name)).toEqual(['db'])
    expect((await answer(metrics.pods.get('web', 'default')))?.metadata.name).toBe('web')
    expect(await answer(metrics.pods.get('web', 'other'))).toBeUndefined()
  })

  it('read nothing while nobody asks, once for all who ask together, and not again for who asks soon after', async () => {
    await clock.advance(3600_000)
    expect(reads).toEqual([])
    api.remove(Node, 'silent', '')
    await answer(Promise.all([metrics.pods.list(''), metrics.nodes.list(), metrics.pods.get('web', 'default')]))
    expect(reads).toEqual(['n1', 'n1'])
    await answer(metrics.pods.list(''))
    expect(reads).toHaveLength(2)
    await clock.advance(15_000)
    const [pod] = await answer(metrics.pods.list(''))
    expect(reads).toHaveLength(3)
    expect(pod).toMatchObject({ window: '18s' })
  })

  it('leave out a pod of which a container has begun anew', async () => {
    await answer(metrics.pods.list(''))
    await clock.advance(15_000)
    usedSeconds = pod => (pod === 'web' ? 0.1 : 100)
    expect((await answer(metrics.pods.list(''))).map(({ metadata }) => metadata.name)).toEqual(['db'])
  })
})
