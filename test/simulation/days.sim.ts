import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { isReady as isNodeReady } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { startCluster, virtualClock } from '#testing/testing.ts'

/* Days of a whole cluster in seconds: API server, controllers, scheduler and nodes on a clock that a test moves. */

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const meta = (name: string) => ({ name, namespace: 'default' })

/** Starts a cluster on a virtual clock, whose start needs that clock to move. */
async function clusterFrom(startMs: number, nodes: number) {
  const clock = virtualClock(startMs)
  let isUp = false
  const starting = startCluster({ clock, nodes, seed: 1 }).finally(() => {
    isUp = true
  })
  while (!isUp) await clock.advance(10)
  return { clock, cluster: await starting }
}

describe('days of virtual time', () => {
  it.each([
    ['forward', '2026-03-28T00:00:00Z', ['2026-03-28T01:30', '2026-03-30T00:30']],
    ['back', '2026-10-24T12:00:00Z', ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-26T01:30']],
  ])(
    'a CronJob follows the clocks of its zone when they are put %s, and each of its Jobs ends',
    async (_, start, expected) => {
      const { clock, cluster } = await clusterFrom(Date.parse(start), 1)
      const { client } = cluster
      const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } }
      await client.create(CronJob, {
        metadata: meta('nightly'),
        spec: { schedule: '30 2 * * *', timeZone: 'Europe/Berlin', successfulJobsHistoryLimit: 10, jobTemplate: { spec: { template } } },
      } as never)
      for (let at = 0; at < 2 * DAY_MS + 2 * 60 * MINUTE_MS; at += 30 * MINUTE_MS) {
        await clock.advance(30 * MINUTE_MS)
        for (const pod of (await client.list(Pod, { namespace: 'default' })).items)
          if (pod.status.phase === 'Running') await client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: 'Succeeded' } })
      }
      await clock.advance(MINUTE_MS)
      const { items } = await client.list(Job, { namespace: 'default' })
      const times = items.map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']).sort()
      expect(times.map(time => new Date(time!).toISOString().slice(0, 16))).toEqual(expected)
      expect(items.every(({ status }) => status.succeeded === 1)).toBe(true)
      const stopping = cluster.stop()
      await clock.advance(1_000)
      await stopping
    },
    120_000,
  )

  it.each([
    ['Forbid', 1, 1],
    ['Allow', 3, 3],
    ['Replace', 1, 1],
  ])(
    'a CronJob with concurrency %s has %i at work after three times, and a suspended one none',
    async (concurrencyPolicy, atWork, jobs) => {
      const { clock, cluster } = await clusterFrom(Date.UTC(2026, 0, 1), 1)
      const { client } = cluster
      const metadata = { annotations: { 'simulated.typernetes.dev/completes-after-seconds': '3600' } }
      const template = { metadata, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } }
      const spec = { schedule: '* * * * *', concurrencyPolicy, jobTemplate: { spec: { template } } }
      await client.create(CronJob, { metadata: meta('c'), spec } as never)
      await client.create(CronJob, { metadata: meta('idle'), spec: { ...spec, suspend: true } } as never)
      for (let at = 0; at < 3.5 * MINUTE_MS; at += 5_000) await clock.advance(5_000)
      const active = async (name: string) => (await client.get(CronJob, meta(name))).status.active ?? []
      expect(await active('c')).toHaveLength(atWork)
      expect(await active('idle')).toEqual([])
      const living = (await client.list(Job, { namespace: 'default' })).items.filter(({ metadata }) => !metadata.deletionTimestamp)
      expect(living).toHaveLength(jobs)
      const stopping = cluster.stop()
      await clock.advance(1_000)
      await stopping
    },
    60_000,
  )

  it('pods of a node that falls silent move after five minutes, and nothing moves back when it speaks again', async () => {
    const { clock, cluster } = await clusterFrom(Date.UTC(2026, 0, 1), 3)
    const { client, informers } = cluster
    const unsteady = () => startSimulatedNodes({ names: ['unsteady'], client, informers, clock, log: silentLogger })
    let machine = unsteady()
    const advance = async (minutes: number) => {
      for (let done = 0; done < minutes; done++) await clock.advance(MINUTE_MS)
    }
    await advance(1)
    const labels = { app: 'web' }
    await client.create(Deployment, {
      metadata: meta('web'),
      spec: {
        replicas: 8,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    } as never)
    await advance(1)
    const pods = async () => (await client.list(Pod, { namespace: 'default' })).items
    const onUnsteady = async () =>
      (await pods()).filter(({ spec, metadata }) => spec.nodeName === 'unsteady' && !metadata.deletionTimestamp).length
    const before = await onUnsteady()
    expect(before).toBeGreaterThan(0)

    const stopping = machine.stop()
    await advance(0.5)
    await clock.advance(1_000)
    await stopping
    await advance(4)
    expect(isNodeReady(await client.get(Node, { name: 'unsteady' }))).toBe(false)
    expect(await onUnsteady()).toBe(before)
    await advance(4)
    expect(await onUnsteady()).toBe(0)
    expect((await pods()).filter(pod => isReady(pod) && pod.spec.nodeName !== 'unsteady')).toHaveLength(8)

    machine = unsteady()
    await advance(60)
    expect(isNodeReady(await client.get(Node, { name: 'unsteady' }))).toBe(true)
    expect((await pods()).map(({ spec }) => spec.nodeName)).not.toContain('unsteady')
    expect((await pods()).length).toBe(8)
    const ending = Promise.all([machine.stop(), cluster.stop()])
    await clock.advance(1_000)
    await ending
  }, 120_000)
})
