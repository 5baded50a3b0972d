import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { realClock } from '#base/time/real-clock.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { type SimulatedNodes, startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { type ApiServerProcess, startApiServerProcess } from '../support/api-server-process.ts'
import { type ProgramProcess, startProgram, until, writeKubeconfig } from '../support/program-process.ts'

/*
 * Controllers and scheduler as processes of their own, two of each, by upstream's flags: when leaders die or are told to end, the others take
 * over, and nothing is done twice. A silent leader is left alone for 15 seconds; one that ends gives the lead back.
 */

const clock = realClock()
const folder = mkdtempSync(join(tmpdir(), 't8s-takeover-'))
const kubeconfig = join(folder, 'kubeconfig')
const PROGRAMS = ['kube-controller-manager', 'kube-scheduler']
const web = { namespace: 'default', name: 'web' }
const meanwhile = { made: new Set<string>(), most: 0 }
let server: ApiServerProcess
let client: HttpClient
let informers: Informers
let nodes: SimulatedNodes
let candidates: ProgramProcess[]

beforeAll(async () => {
  server = await startApiServerProcess({ tokens: { admin: ['admin', 'system:masters'] } })
  writeKubeconfig(kubeconfig, 'admin', [server])
  client = httpClient({ server: server.url, clock, tls: { ca: server.authority }, token: 'admin' })
  informers = newInformers({ client, clock, log: silentLogger })
  const names = ['n1', 'n2', 'n3']
  nodes = startSimulatedNodes({ names, client, informers, clock, log: silentLogger })
  await nodes.ready
  const pods = informers.of(Pod)
  pods.onChange(pod => {
    if (pod?.metadata.labels?.['app'] !== 'web') return
    meanwhile.made.add(pod.metadata.uid ?? '')
    meanwhile.most = Math.max(meanwhile.most, pods.list('default').filter(({ metadata }) => metadata.labels?.['app'] === 'web').length)
  })
  candidates = [...PROGRAMS, ...PROGRAMS].map(start)
})

afterAll(async () => {
  for (const one of candidates) await one[Symbol.asyncDispose]()
  await nodes.stop()
  await informers[Symbol.asyncDispose]()
  client[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

function start(program: string): ProgramProcess {
  return startProgram(program, [`--kubeconfig=${kubeconfig}`, '--leader-elect=true', '--secure-port=0', '--kube-api-qps=-1'])
}

/** The leaders that live, once there is one of each. */
async function leaders(): Promise<ProgramProcess[]> {
  const found = await eventually(
    async () => candidates.filter(one => one.isAlive() && one.log().includes('"leading"')).map(({ child }) => child.pid),
    pids => pids.length === 2,
  )
  return candidates.filter(({ child }) => found.includes(child.pid))
}

const explain = () => candidates.map(({ name, log }) => `${name}:\n${log().slice(-2000)}`).join('\n')
const eventually = <T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean) => until(ask, isWanted, { explain })
const available = async () => (await client.get(Deployment, web)).status.availableReplicas ?? 0
const scaleTo = (replicas: number) => client.patch(Deployment, web, { type: 'merge', body: { spec: { replicas } } })

/** The holders of the two leases, by lease. */
async function holders(): Promise<Map<string, string>> {
  const { items } = await client.list(Lease, { namespace: 'kube-system' })
  const named = items.filter(({ metadata }) => PROGRAMS.includes(metadata.name ?? ''))
  return new Map(named.map(({ metadata, spec }) => [metadata.name ?? '', spec.holderIdentity ?? '']))
}

/** Ends the leaders, asks for more pods at once, sees them run, and returns after how many seconds both leases had new holders. */
async function takeover(signal: NodeJS.Signals, replicas: number): Promise<number> {
  const before = await holders()
  const old = await leaders()
  const ended = old.map(({ child }) => once(child, 'exit'))
  for (const { child } of old) child.kill(signal)
  await Promise.all(ended)
  const startedMs = performance.now()
  await scaleTo(replicas)
  await eventually(holders, now => PROGRAMS.every(name => now.get(name) !== '' && now.get(name) !== before.get(name)))
  const seconds = (performance.now() - startedMs) / 1000
  await eventually(available, count => count === replicas)
  for (const { name } of old) candidates.push(start(name))
  return seconds
}

describe('two controller managers and two schedulers over HTTP', () => {
  it('do the work of one, and each work is led by one', async () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'web:1' }] } }
    await client.create(Deployment, { metadata: web, spec: { replicas: 10, selector: { matchLabels: { app: 'web' } }, template } } as never)
    await eventually(available, count => count === 10)
    expect((await leaders()).map(({ name }) => name).sort()).toEqual(['kube-controller-manager', 'kube-scheduler'])
    const { items } = await client.list(Lease, { namespace: 'kube-system' })
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(expect.arrayContaining(['kube-controller-manager', 'kube-scheduler']))
  }, 90_000)

  it('take over within 20 seconds when the leaders are killed', async () => {
    const seconds = await takeover('SIGKILL', 20)
    console.info(`taken over ${seconds.toFixed(1)} s after the leaders were killed`)
    expect(seconds).toBeLessThan(20)
  }, 120_000)

  it('take over within 3 seconds when the leaders end cleanly', async () => {
    // Both successors must wait for the lead before there is anything to take over.
    await eventually(
      async () => candidates.filter(one => one.isAlive() && one.log().includes('waiting for the lead')).length,
      count => count === 4,
    )
    const seconds = await takeover('SIGTERM', 30)
    console.info(`taken over ${seconds.toFixed(1)} s after the leaders ended`)
    expect(seconds).toBeLessThan(3)
  }, 120_000)

  it('have made no pod too many, and leave a Job that ran meanwhile with exact counts', async () => {
    expect(meanwhile.made.size).toBe(30)
    expect(meanwhile.most).toBe(30)
    const task = { metadata: { labels: { app: 'task' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } }
    const job = { namespace: 'default', name: 'count' }
    await client.create(Job, { metadata: job, spec: { completions: 6, parallelism: 3, template: task } } as never)
    const finish = async () => {
      const { items } = await client.list(Pod, { namespace: 'default', labelSelector: 'app=task' })
      for (const pod of items)
        if (pod.status.phase === 'Running')
          await client.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: 'Succeeded' } }).catch(() => undefined)
      return (await client.get(Job, job)).status
    }
    await eventually(finish, ({ succeeded = 0 }) => succeeded >= 2)
    const old = await leaders()
    for (const { child } of old) child.kill('SIGKILL')
    const status = await eventually(finish, ({ conditions }) => conditions?.some(({ type }) => type === 'Complete') ?? false)
    expect(status).toMatchObject({ succeeded: 6 })
    const { items } = await client.list(Pod, { namespace: 'default', labelSelector: 'app=task' })
    expect(items).toHaveLength(6)
  }, 120_000)
})
