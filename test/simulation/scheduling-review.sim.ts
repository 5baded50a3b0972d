import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { SchedulingReview, type SchedulingReviewSpec } from '#kinds/typernetes/v1/scheduling-review.ts'
import { askScheduler } from '#kubectl/ask-scheduler.ts'
import { printVerdict } from '#kubectl/printers/verdict-printer.ts'
import { startCluster, type TestCluster } from '../../src/testing/testing.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3, nodeCapacity: { cpu: '4', memory: '8Gi', pods: '110' } })
  const taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }]
  await cluster.client.patch(Node, { name: 'node-3' }, { type: 'merge', body: { spec: { taints } } })
  await run('small', '100m')
  await run('large', '64')
  await cluster.until(async () => (await cluster.client.get(Pod, pod('small'))).spec.nodeName !== undefined)
  await cluster.until(async () => (await cluster.client.get(Pod, pod('large'))).status.conditions?.[0]?.status === 'False')
})
afterAll(() => cluster.stop())

const pod = (name: string) => ({ namespace: 'default', name })
const run = (name: string, cpu: string) =>
  cluster.client.create(Pod, {
    metadata: pod(name),
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] },
  })
const ask = (spec: SchedulingReviewSpec, client = cluster.client) => askScheduler(client, 'default', spec, new AbortController().signal)

describe('the scheduler, asked by way of the API', () => {
  it('tells where a pod went and what the others were worth', async () => {
    const status = await ask({ pod: 'small' })
    expect(status).toMatchObject({ schedulerName: 'default-scheduler', nodes: { all: 3, seen: 3, feasible: 2 } })
    expect(status.scores?.map(({ node }) => node)).toContain(status.node)
    expect(status.refusals).toMatchObject([{ plugin: 'TaintToleration', count: 1, nodes: ['node-3'] }])
    expect(printVerdict('small', status, false)).toMatch(
      /^small went to node-[12]\n\(default-scheduler, .*3 of 3 nodes looked at, 2 would do\)\n/,
    )
  })

  it('tells why a pod waits, and by what it would go where', async () => {
    expect(await ask({ pod: 'large' })).toMatchObject({
      message: expect.stringContaining('0/3 nodes are available'),
      refusals: expect.arrayContaining([expect.objectContaining({ plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'] })]),
    })
    const supposed = await ask({ pod: 'large', supposition: { requests: { cpu: '3' }, withoutTaints: [{ key: 'dedicated' }] } })
    expect(supposed.nodes).toEqual({ all: 3, seen: 3, feasible: 3 })
    expect((await cluster.client.get(Pod, pod('large'))).spec.nodeName).toBeUndefined()
  })

  it('says that there is no such pod', async () => {
    await expect(ask({ pod: 'none' })).rejects.toThrow('there is no pod none in the namespace default')
  })

  it('answers only who may ask', async () => {
    const nobody = cluster.clientFor({ name: 'nobody', groups: [] })
    await expect(ask({ pod: 'small' }, nobody)).rejects.toMatchObject({ code: 403 })
  })

  it('leaves no question behind', async () => {
    expect((await cluster.client.list(SchedulingReview)).items).toEqual([])
  })
})
