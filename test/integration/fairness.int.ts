import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type ApiServerProcess, ask, askOn, startApiServerProcess } from '../support/api-server-process.ts'

/*
 * One user asks for many times what the server can do, with the most expensive of requests. Whoever else asks has to be served: that this is
 * the doing of priority and fairness is seen by the same flood against a server without it.
 */

const program = fileURLToPath(new URL('../support/flood.program.mjs', import.meta.url))
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
const MERGE = { 'content-type': 'application/merge-patch+json' }
const OBJECTS = 3000
const SECONDS = 8
const tokens = {
  admin: ['admin', 'system:masters'],
  flooder: ['flooder', 'readers'],
  bystander: ['bystander', 'readers'],
  node: ['system:node:n1', 'system:nodes'],
}

describe('a server that one user floods', () => {
  it('serves the others, and nodes within a second', async () => {
    const { bystander, node, flood } = await flooded([])
    console.log('with priority and fairness:', JSON.stringify({ bystander: told(bystander), node: told(node), flood }))
    expect(share(bystander)).toBeGreaterThanOrEqual(0.9)
    expect(share(node)).toBe(1)
    expect(percentile(node, 0.99)).toBeLessThan(1000)
    // The flood is at least ten times what got through, and was told to come again.
    expect(flood['429'] ?? 0).toBeGreaterThan(0)
  }, 120_000)

  it('does not, without priority and fairness', async () => {
    const { bystander, node, flood } = await flooded(['--enable-priority-and-fairness=false'])
    console.log('without:', JSON.stringify({ bystander: told(bystander), node: told(node), flood }))
    expect(share(bystander) < 0.9 || percentile(node, 0.99) >= 1000).toBe(true)
  }, 120_000)
})

interface Sample {
  readonly ok: boolean
  readonly ms: number
}

async function flooded(flags: readonly string[]): Promise<{ bystander: Sample[]; node: Sample[]; flood: Record<string, number> }> {
  await using server = await startApiServerProcess({ tokens, flags })
  await prepare(server)
  const many = ['20', '50', '/api/v1/namespaces/flooded/configmaps?labelSelector=kept%21%3Dno']
  const flood = spawn(process.execPath, [program, server.url, 'flooder', ...many], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  flood.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = once(flood, 'exit')
  await Promise.race([once(flood.stdout, 'data'), ended.then(() => Promise.reject(new Error('the flood ended before it began')))])
  const until = performance.now() + SECONDS * 1000
  const [bystander, node] = await Promise.all([
    sample(until, () => ask(server, 'GET', '/api/v1/namespaces/flooded/configmaps/c-1', { token: 'bystander' })),
    sample(until, n => ask(server, 'PATCH', `${LEASES}/n1`, { token: 'node', body: lease(n), headers: MERGE })),
  ])
  flood.stdin.end()
  await ended
  return { bystander, node, flood: JSON.parse(said.slice(said.indexOf('{'))) as Record<string, number> }
}

/** Objects to list, and who may do what. */
async function prepare(server: ApiServerProcess): Promise<void> {
  const session = connect(server.url, { ca: server.authority })
  const create = async (path: string, body: object) => {
    const { status, text } = await askOn(session, 'POST', path, { token: 'admin', body })
    if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
  }
  await create('/api/v1/namespaces', { metadata: { name: 'flooded' } })
  await create(LEASES, lease(0))
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['patch'] },
  ]
  await create(`${rbac}/clusterroles`, { metadata: { name: 'load' }, rules })
  await create(`${rbac}/clusterrolebindings`, {
    metadata: { name: 'load' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'load' },
    subjects: ['readers', 'system:nodes'].map(name => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name })),
  })
  let next = 0
  const worker = async () => {
    while (next < OBJECTS)
      await create('/api/v1/namespaces/flooded/configmaps', { metadata: { name: `c-${next++}` }, data: { k: 'v'.repeat(300) } })
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  session.close()
}

function lease(n: number): object {
  return { metadata: { name: 'n1', annotations: { n: String(n) } }, spec: { holderIdentity: 'n1', leaseDurationSeconds: 40 } }
}

/** Asks again and again, one at a time with a pause, as a kubelet or a person does. */
async function sample(untilMs: number, act: (n: number) => Promise<{ status: number }>): Promise<Sample[]> {
  const samples: Sample[] = []
  for (let n = 0; performance.now() < untilMs; n++) {
    const begin = performance.now()
    const ok = await Promise.race([
      act(n)
        .then(({ status }) => status < 300)
        .catch(() => false),
      delay(30_000).then(() => false),
    ])
    samples.push({ ok, ms: performance.now() - begin })
    await delay(50)
  }
  return samples
}

function share(samples: readonly Sample[]): number {
  return samples.filter(({ ok }) => ok).length / samples.length
}

function percentile(samples: readonly Sample[], part: number): number {
  const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
}

function told(samples: readonly Sample[]): object {
  return {
    asked: samples.length,
    served: share(samples),
    p50Ms: Math.round(percentile(samples, 0.5)),
    p99Ms: Math.round(percentile(samples, 0.99)),
  }
}
