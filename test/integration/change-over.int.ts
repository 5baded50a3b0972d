import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { run } from '#base/process/run.ts'
import { realClock } from '#base/time/real-clock.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { type SimulatedNodes, startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { type ApiServerProcess, freePort, startApiServerProcess } from '../support/api-server-process.ts'
import { type EtcdProcess, startEtcd } from '../support/etcd-process.ts'
import { type ProgramProcess, startProgram, until, writeKubeconfig } from '../support/program-process.ts'

/*
 * Two API servers on one etcd, and the programs of bin/ with a kubeconfig that names both. The server that controllers and scheduler use is
 * killed: they go on at the other one. And what each program shows of itself, to whom.
 */

const clock = realClock()
const folder = mkdtempSync(join(tmpdir(), 't8s-change-over-'))
const kubeconfig = join(folder, 'kubeconfig')
const web = { namespace: 'default', name: 'web' }
const programs: ProgramProcess[] = []
const ports = new Map<string, number>()
let etcd: EtcdProcess
let servers: ApiServerProcess[]
let inUse: ApiServerProcess
let client: HttpClient
let informers: Informers
let nodes: SimulatedNodes

beforeAll(async () => {
  etcd = await startEtcd()
  const tokens = { admin: ['admin', 'system:masters'], monitor: ['monitor', 'system:monitoring'], nobody: ['nobody'] }
  const start = () => startApiServerProcess({ tokens, flags: [`--etcd-servers=${etcd.url}`] })
  servers = [await start(), await start()]
  writeKubeconfig(kubeconfig, 'admin', servers)
  inUse = await startOnOne('kube-controller-manager', servers)
  await startOnOne('kube-scheduler', [inUse])
  const other = servers.find(server => server !== inUse)!
  client = httpClient({ server: other.url, clock, tls: { ca: other.authority }, token: 'admin' })
  informers = newInformers({ client, clock, log: silentLogger })
  nodes = startSimulatedNodes({ names: ['n1', 'n2'], client, informers, clock, log: silentLogger })
  await nodes.ready
}, 180_000)

afterAll(async () => {
  for (const program of programs) await program[Symbol.asyncDispose]()
  await nodes?.stop()
  await informers?.[Symbol.asyncDispose]()
  client?.[Symbol.dispose]()
  for (const server of servers ?? []) await server[Symbol.asyncDispose]()
  await etcd?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a program until it happens to use one of `wanted`: which of the servers it takes first is left to chance. Returns that server. */
async function startOnOne(name: string, wanted: readonly ApiServerProcess[]): Promise<ApiServerProcess> {
  for (;;) {
    const port = await freePort()
    const program = startProgram(name, [
      `--kubeconfig=${kubeconfig}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      '--kube-api-qps=-1',
    ])
    programs.push(program)
    await until(
      async () => program.log(),
      log => /"the controllers run"|"scheduling"/.test(log),
      { explain },
    )
    const server = await serverOf(program)
    if (wanted.includes(server)) {
      ports.set(name, port)
      return server
    }
    const ended = once(program.child, 'exit')
    program.child.kill('SIGTERM')
    await ended
    programs.pop()
  }
}

/** The server that a program has connections to. */
async function serverOf({ child }: ProgramProcess): Promise<ApiServerProcess> {
  const { stdout } = await run('ss', ['-tnpH', 'state', 'established'])
  const own = stdout.split('\n').filter(line => line.includes(`pid=${child.pid},`))
  return servers.find(({ url }) => own.some(line => line.includes(`:${new URL(url).port} `)))!
}

const explain = () => programs.map(({ name, log }) => `${name}:\n${log().slice(-3000)}`).join('\n')
const available = async () => (await client.get(Deployment, web)).status.availableReplicas ?? 0

/** What a program answers at its own port. */
function page(name: string, path: string, token?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'text/plain', ...(token ? { authorization: `Bearer ${token}` } : {}) }
    request({ host: '127.0.0.1', port: ports.get(name)!, path, headers, rejectUnauthorized: false }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
      .on('error', reject)
      .end()
  })
}

describe.each(['kube-controller-manager', 'kube-scheduler'])('the port of %s', name => {
  it('tells everybody how it is, check by check', async () => {
    for (const path of ['/healthz', '/livez', '/readyz']) expect(await page(name, path)).toEqual({ status: 200, text: 'ok' })
    const { text } = await page(name, '/healthz?verbose')
    expect(text).toBe('[+]ping ok\n[+]leaderElection ok\nhealthz check passed\n')
    expect((await page(name, '/healthz/leaderElection', 'admin')).text).toBe('ok')
  })

  it('shows the rest to whom the API server lets', async () => {
    expect((await page(name, '/metrics')).status).toBe(401)
    expect((await page(name, '/metrics', 'unknown')).status).toBe(401)
    expect((await page(name, '/metrics', 'nobody')).status).toBe(403)
    const { status, text } = await page(name, '/metrics', 'monitor')
    expect(status).toBe(200)
    expect(text).toContain(`leader_election_master_status{name="${name}"} 1`)
    expect((await page(name, '/metrics/slis', 'monitor')).text).toContain('kubernetes_healthcheck{name="leaderElection",type="healthz"} 1')
  })

  it('shows its flags, its state and its configuration', async () => {
    expect((await page(name, '/flagz', 'monitor')).text).toContain(`${name} flags\n`)
    expect((await page(name, '/flagz', 'monitor')).text).toContain('\nleader-elect-lease-duration=15s\n')
    expect((await page(name, '/statusz', 'monitor')).text).toMatch(/Up: 0 hr \d\d min \d\d sec\nNode version: v.+\nBinary version: 1\.36\./)
    expect((await page(name, '/configz', 'admin')).status).toBe(200)
    expect((await page(name, '/nothing', 'admin')).status).toBe(404)
  })
})

describe('programs that know two API servers', () => {
  it('go on at the other one when theirs is killed, without a restart', async () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'web:1' }] } }
    await client.create(Deployment, { metadata: web, spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template } } as never)
    await until(available, count => count === 3, { explain })
    const pids = programs.map(({ child }) => child.pid)
    inUse.child.kill('SIGKILL')
    const killedMs = performance.now()
    await client.patch(Deployment, web, { type: 'merge', body: { spec: { replicas: 8 } } })
    await until(available, count => count === 8, { explain })
    const seconds = (performance.now() - killedMs) / 1000
    console.info(`five more pods ran ${seconds.toFixed(1)} s after the API server in use was killed`)
    expect(seconds).toBeLessThan(20)
    expect(programs.map(({ child, isAlive }) => isAlive() && child.pid)).toEqual(pids)
    for (const { log } of programs) {
      expect(log()).toContain('using another API server')
      expect(log()).not.toContain('the lead was lost')
    }
  }, 90_000)
})
