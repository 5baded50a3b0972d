/**
 * How fast the API server is, over TLS and HTTP/2 on the durable embedded store: `bench/apiserver.bench.ts [operations per row]`, after
 * `node tools/build.mjs --programs`. The server is a process of its own and its CPU is what the table shows per operation; the load comes
 * from this process, on the same cores.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { realClock } from '#base/time/real-clock.ts'

const operations = Number(process.argv[2] ?? 3000)
const directory = mkdtempSync(join(tmpdir(), 'apiserver-bench-'))
const port = 46_550
const TICK_US = 10_000

const server = await startServer()
const sessions = Array.from({ length: 16 }, () => connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false }))
try {
  await run()
} finally {
  for (const session of sessions) session.close()
  server.kill()
  rmSync(directory, { recursive: true, force: true })
}

async function run(): Promise<void> {
  const maps = '/api/v1/namespaces/default/configmaps'
  const pods = '/api/v1/namespaces/default/pods'
  await call(0, 'POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
  console.log('| work | per second | CPU µs each | p50 ms | p99 ms |\n|---|---|---|---|---|')
  for (let n = 0; n < 1000; n++) await call(n, 'POST', pods, pod(`listed-${n}`, `node-${n % 50}`))
  await call(0, 'POST', maps, configMap('read'))
  await row('GET one object, 16 connections', operations * 3, 16, n => call(n, 'GET', `${maps}/read`))
  await row('LIST 1,000 pods', 100, 1, n => call(n, 'GET', pods))
  await row('LIST of them 20 by node', 500, 1, n => call(n, 'GET', `${pods}?fieldSelector=spec.nodeName%3Dnode-7`))
  await row('LIST 1,000 pods as Table', 50, 4, n =>
    call(n, 'GET', pods, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }),
  )
  await row('create ConfigMap 1 KiB, 16 writers', operations, 16, n => call(n, 'POST', maps, configMap(`new-${n}`)))
  await row('create pod 3 KB, 16 writers', operations, 16, n => call(n, 'POST', pods, pod(`new-${n}`)))
  await row('update ConfigMap, 16 writers', operations, 16, n => call(n, 'PUT', `${maps}/new-${n}`, configMap(`new-${n}`, String(n))))
  const label = (n: number) => ({ metadata: { labels: { n: String(n) } } })
  await row('strategic patch, 16 writers', operations, 16, n =>
    call(n, 'PATCH', `${maps}/new-${n}`, label(n), { 'content-type': 'application/strategic-merge-patch+json' }),
  )
  await row('apply, 16 writers', operations, 16, n =>
    call(
      n,
      'PATCH',
      `${maps}/new-${n}?fieldManager=bench&force=true`,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `new-${n}` }, data: { applied: String(n) } },
      { 'content-type': 'application/apply-patch+yaml' },
    ),
  )
  const running = { status: { phase: 'Running', podIP: '10.0.0.1' } }
  await row('pod status patch, 16 writers', operations, 16, n =>
    call(n, 'PATCH', `${pods}/new-${n}/status`, running, { 'content-type': 'application/strategic-merge-patch+json' }),
  )
  await row('delete pod, 16 writers', operations, 16, n => call(n, 'DELETE', `${pods}/new-${n}?gracePeriodSeconds=0`))
  await watched(1000)
  const memory = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]
  console.log(`\nMemory at the end: ${Math.round(Number(memory) / 1024)} MB`)
}

/** One event, delivered to each of many watchers. */
async function watched(watchers: number): Promise<void> {
  const path = '/api/v1/namespaces/watched/configmaps'
  await call(0, 'POST', '/api/v1/namespaces', { metadata: { name: 'watched' } })
  let received = 0
  const streams = Array.from({ length: watchers }, (_, index) => {
    const stream = sessions[index % sessions.length]!.request(headersOf('GET', `${path}?watch=true&resourceVersion=0`))
    stream.on('data', () => received++)
    return stream
  })
  await new Promise(resolve => setTimeout(resolve, 1000))
  const events = 50
  received = 0
  const before = cpuUs()
  const start = performance.now()
  for (let n = 0; n < events; n++) await call(n, 'POST', path, configMap(`w-${n}`))
  while (received < events * watchers * 0.95 && performance.now() - start < 20_000) await new Promise(resolve => setTimeout(resolve, 20))
  const tookMs = performance.now() - start
  const each = (cpuUs() - before) / (events * watchers)
  console.log(`| event to one of ${watchers} watchers | ${Math.round((events * watchers) / (tookMs / 1000))} | ${each.toFixed(1)} | | |`)
  for (const stream of streams) stream.close()
}

async function row(name: string, count: number, writers: number, act: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const timesMs: number[] = []
  const before = cpuUs()
  const start = performance.now()
  const worker = async () => {
    while (next < count) {
      const n = next++
      const begin = performance.now()
      await act(n)
      timesMs.push(performance.now() - begin)
    }
  }
  await Promise.all(Array.from({ length: writers }, worker))
  const tookMs = performance.now() - start
  timesMs.sort((a, b) => a - b)
  const at = (share: number) => timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * share))]!.toFixed(1)
  const rate = Math.round(count / (tookMs / 1000))
  console.log(`| ${name} | ${rate} | ${Math.round((cpuUs() - before) / count)} | ${at(0.5)} | ${at(0.99)} |`)
}

function call(n: number, method: string, path: string, body?: object, more: Record<string, string> = {}): Promise<void> {
  const session: ClientHttp2Session = sessions[n % sessions.length]!
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...headersOf(method, path), ...(body ? { 'content-type': 'application/json' } : {}), ...more })
    stream.on('response', ({ ':status': status = 0 }) => {
      if (status >= 300) reject(new Error(`${method} ${path} was answered ${status}`))
    })
    stream.on('data', () => undefined)
    stream.on('end', resolve)
    stream.on('error', reject)
    stream.end(body && JSON.stringify(body))
  })
}

function headersOf(method: string, path: string) {
  return { ':method': method, ':path': path, authorization: 'Bearer token', accept: 'application/json' }
}

function configMap(name: string, value = 'v') {
  return { metadata: { name }, data: { value, filler: 'x'.repeat(900) } }
}

function pod(name: string, nodeName?: string) {
  const container = (index: number) => ({
    name: `c${index}`,
    image: 'registry.example.com/team/program:1.2.3',
    env: Array.from({ length: 8 }, (_, at) => ({ name: `VARIABLE_${at}`, value: 'a value of some length' })),
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
    ports: [{ name: 'http', containerPort: 8080 }],
  })
  return {
    metadata: { name, labels: { app: 'web', tier: 'front' } },
    spec: {
      ...(nodeName ? { nodeName } : {}),
      containers: [container(0), container(1)].map((one, at) => (at ? { ...one, ports: [] } : one)),
    },
  }
}

/** User and system time of the server, in microseconds. */
function cpuUs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

async function startServer() {
  const clock = realClock()
  const authority = await newAuthority(clock, 'bench')
  const tls = await certificateAuthority(clock, authority).issue({
    commonName: 'bench',
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
    validSeconds: 86_400,
  })
  const keys = newKeyPair()
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const process_ = spawn(
    'bin/kube-apiserver',
    [
      `--data-dir=${join(directory, 'data')}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--tls-cert-file=${file('tls.crt', tls.certificate)}`,
      `--tls-private-key-file=${file('tls.key', tls.privateKey)}`,
      `--token-auth-file=${file('tokens.csv', 'token,admin,u-admin,"system:masters"\n')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('sa.pub', keys.publicKey)}`,
      `--service-account-signing-key-file=${file('sa.key', keys.privateKey)}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--endpoint-reconciler-type=none',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  for (let attempt = 0; attempt < 400; attempt++) {
    if (await isReady()) return process_
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('the API server is not ready after 20 s')
}

function isReady(): Promise<boolean> {
  return new Promise(resolve => {
    const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    session.on('error', () => resolve(false))
    const stream = session.request(headersOf('GET', '/readyz'))
    stream.on('error', () => resolve(false))
    stream.on('response', ({ ':status': status }) => {
      resolve(status === 200)
      session.close()
    })
    stream.resume()
  })
}
