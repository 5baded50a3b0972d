/**
 * How fast the API server is, over TLS and HTTP/2 on the durable embedded store: `npm run bench apiserver [operations per row] [parts]`, after
 * `node tools/build.mjs --programs`; the parts are those below (`writes,leases`), all of them without. The server is a process of its own
 * and its CPU (user and system) is what the table shows per operation. The load comes from this process, on the same cores; what is only read
 * comes by h2load, where that is installed (Debian: `nghttp2-client`). Beside each row stand the figures of kube-apiserver 1.36 with etcd
 * 3.5 on two such cores, and what follows from them for us.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Expected, Load, type Measured, printHead, printRow } from './apiserver-load.ts'
import { startServer, stopServer } from './apiserver-process.ts'

const operations = Number(process.argv[2] ?? 3000)
const parts = process.argv[3]?.split(',')
const directory = mkdtempSync(join(tmpdir(), 'apiserver-bench-'))
const DEFAULT = '/api/v1/namespaces/default'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' }
const APPLY = { 'content-type': 'application/apply-patch+yaml' }

let server = await startServer(directory, true)
let load = new Load(server.port, server.process.pid!, 16)
try {
  await new Promise(resolve => setTimeout(resolve, 2000))
  const idleMb = load.memoryMb()
  printHead()
  await load.call(0, 'POST', `${DEFAULT}/serviceaccounts`, { metadata: { name: 'default' } })
  // The mixed load reads what the reads have made, and changes what the writes have.
  if (isWanted('reads', 'mixed')) await reads()
  if (isWanted('writes', 'mixed', 'leases')) await warmed()
  if (isWanted('writes', 'mixed')) await writes()
  if (isWanted('mixed')) await mixed(1)
  if (isWanted('mixed')) await mixed(16)
  if (isWanted('watched')) await watched(1000)
  if (isWanted('replayed')) await replayed()
  if (isWanted('leases')) await leases(5000)
  if (isWanted('many')) await manyPods(10_000)
  console.log(`\nMemory: ${idleMb.toFixed(0)} MB idle (upstream 308, to reach 103), ${load.memoryMb().toFixed(0)} MB after all of this.`)
  await restarted()
} finally {
  load.close()
  server.process.kill()
  rmSync(directory, { recursive: true, force: true })
}

function isWanted(...names: string[]): boolean {
  return !parts || names.some(name => parts.includes(name))
}

async function reads(): Promise<void> {
  for (let n = 0; n < 1000; n++) await load.call(n, 'POST', `${DEFAULT}/pods`, pod(`listed-${n}`))
  await load.call(0, 'POST', `${DEFAULT}/configmaps`, configMap('read'))
  const get = `${DEFAULT}/configmaps/read`
  await load.gets(get, operations, 16)
  await read('GET one object, 16 connections', '2,400/s; 612 µs', '7,200/s; 76 µs', operations * 5, 16, get)
  await read('LIST 1,000 pods', '83 ms; 89 ms CPU', '6.9 ms; 7.4 ms CPU', 100, 1, `${DEFAULT}/pods`)
  await read('LIST 1,000 pods as Table, 4 connections', '88 ms', '22 ms', 100, 4, `${DEFAULT}/pods`, TABLE)
}

/** What is measured is a server that has been running for a while: V8 has compiled what writes go through. */
async function warmed(): Promise<void> {
  const count = 3000
  for (const [plural, body] of [
    ['configmaps', configMap],
    ['pods', pod],
  ] as const) {
    const path = `${DEFAULT}/${plural}`
    await load.measure(count, 16, n => load.call(n, 'POST', path, body(`warm-${n}`)))
    await load.measure(count, 16, n => load.call(n, 'PATCH', `${path}/warm-${n}`, { metadata: { labels: { n: String(n) } } }, STRATEGIC))
    await load.measure(count, 16, n => load.call(n, 'DELETE', `${path}/warm-${n}?gracePeriodSeconds=0`))
  }
}

async function writes(): Promise<void> {
  const maps = `${DEFAULT}/configmaps`
  const pods = `${DEFAULT}/pods`
  const stamp = () => String(performance.now())
  const running = () => ({ status: { phase: 'Running', podIP: '10.0.0.1', message: stamp() } })
  const labelled = () => ({ metadata: { labels: { n: stamp() } } })
  const applied = (n: number) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `new-${n}` }, data: { applied: stamp() } })
  const write = (work: string, upstream: string, goal: string, act: (n: number) => Promise<unknown>) =>
    row(`${work}, 16 writers`, upstream, goal, operations, 16, act)
  await write('create ConfigMap 1 KiB', '1,700/s; 980 µs', '3,400/s; 245 µs', n => load.call(n, 'POST', maps, configMap(`new-${n}`)))
  await write('create pod 3 KB', '545/s; 2,450 µs', '1,635/s; 490 µs', n => load.call(n, 'POST', pods, pod(`new-${n}`)))
  await write('update ConfigMap', '1,300/s; 1,300 µs', '3,250/s; 325 µs', n =>
    load.call(n, 'PUT', `${maps}/new-${n}`, configMap(`new-${n}`, stamp())),
  )
  await write('strategic patch of a ConfigMap', '760/s; from 1,300 µs', '1,900/s; 325 µs', n =>
    load.call(n, 'PATCH', `${maps}/new-${n}`, labelled(), STRATEGIC),
  )
  await write('strategic patch of a pod', '760/s; to 3,600 µs', '1,900/s; 900 µs', n =>
    load.call(n, 'PATCH', `${pods}/new-${n}`, labelled(), STRATEGIC),
  )
  await write('apply', '510/s; to 3,600 µs', '1,275/s; 900 µs', n =>
    load.call(n, 'PATCH', `${maps}/new-${n}?fieldManager=bench&force=true`, applied(n), APPLY),
  )
  await write('pod status patch', '500/s; to 3,600 µs', '1,250/s; 900 µs', n =>
    load.call(n, 'PATCH', `${pods}/new-${n}/status`, running(), STRATEGIC),
  )
  await write('delete pod', '617/s; 2,500 µs', '2,470/s; 625 µs', n => load.call(n, 'DELETE', `${pods}/new-${n}?gracePeriodSeconds=0`))
}

/** 70 reads, some of them lists, and 30 writes of a hundred. */
async function mixed(workers: number): Promise<void> {
  const upstream = workers === 1 ? 'p99 95 ms' : 'p99 106 ms'
  const goal = workers === 1 ? 'p99 9.5 ms' : 'p99 10.6 ms'
  const maps = `${DEFAULT}/configmaps`
  const act = (n: number) => {
    const turn = (n * 37) % 100
    if (turn < 5) return load.call(n, 'GET', `${DEFAULT}/pods?limit=100`)
    if (turn < 70) return load.call(n, 'GET', `${DEFAULT}/pods/listed-${n % 1000}`)
    return turn < 85
      ? load.call(n, 'PUT', `${maps}/new-${n % operations}`, configMap(`new-${n % operations}`, `${workers}-${n}`))
      : load.call(n, 'POST', maps, configMap(`mixed-${workers}-${n}`))
  }
  await row(`mixed: 70 % reads, 30 % writes, ${workers} at once`, upstream, goal, operations, workers, act)
}

/** One event, delivered to each of many watchers. */
async function watched(watchers: number): Promise<void> {
  const path = '/api/v1/namespaces/watched/configmaps'
  await load.call(0, 'POST', '/api/v1/namespaces', { metadata: { name: 'watched' } })
  let received = 0
  const streams = Array.from({ length: watchers }, (_, index) => {
    const stream = load.stream(index, 'GET', `${path}?watch=true&resourceVersion=0`)
    stream.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) received++
    })
    return stream
  })
  await Promise.all(streams.map(stream => new Promise(resolve => stream.once('response', resolve))))
  const events = 100
  const before = load.cpuUs()
  const start = performance.now()
  for (let n = 0; n < events; n++) await load.call(n, 'POST', path, configMap(`w-${n}`))
  while (received < events * watchers) await new Promise(resolve => setTimeout(resolve, 5))
  const perSecond = received / ((performance.now() - start) / 1000)
  const expected = { work: `event to one of ${watchers} watchers`, upstream: '23–26 µs', goal: '8 µs' }
  printRow(expected, { perSecond, cpuUs: (load.cpuUs() - before) / received })
  const closed = streams.map(stream => new Promise(resolve => stream.once('close', resolve)))
  for (const stream of streams) stream.close()
  await Promise.all(closed)
}

/** From the request until all that is there has come. */
async function replayed(): Promise<void> {
  const path = '/api/v1/namespaces/replayed'
  await load.call(0, 'POST', '/api/v1/namespaces', { metadata: { name: 'replayed' } })
  await load.call(0, 'POST', `${path}/serviceaccounts`, { metadata: { name: 'default' } })
  for (let n = 0; n < 100; n++) await load.call(n, 'POST', `${path}/pods`, pod(`p-${n}`))
  await row('watch opened, 100 pods replayed', '16 ms', '2 ms', 200, 1, n => {
    const stream = load.stream(n, 'GET', `${path}/pods?watch=true&resourceVersion=0`)
    return new Promise<void>((resolve, reject) => {
      let events = 0
      stream.on('data', (chunk: Buffer) => {
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) events++
        if (events < 100) return
        resolve()
        stream.close()
      })
      stream.on('error', reject)
    })
  })
}

/** Each node renews its lease every ten seconds for as long as it lives: what is measured is the second time. */
async function leases(nodes: number): Promise<void> {
  await load.call(0, 'POST', '/api/v1/namespaces', { metadata: { name: 'kube-node-lease' } }).catch(() => undefined)
  const lease = (name: string) => ({ metadata: { name }, spec: { holderIdentity: name, leaseDurationSeconds: 40 } })
  const held: string[] = []
  await load.measure(nodes, 16, async n => {
    held[n] = await load.call(n, 'POST', LEASES, lease(`node-${n}`), {}, true)
  })
  const renew = async (n: number) => {
    const mine = JSON.parse(held[n % nodes]!) as { spec: { renewTime?: string } }
    mine.spec.renewTime = `${new Date().toISOString().slice(0, -1)}000Z`
    held[n % nodes] = await load.call(n, 'PUT', `${LEASES}/node-${n % nodes}`, mine, {}, true)
  }
  const expected = { work: 'lease renewal at 500/s, 5,000 nodes', upstream: '1,900 µs', goal: '380 µs' }
  await load.paced(nodes, 500, renew)
  printRow(expected, await load.paced(nodes, 500, renew))
}

async function manyPods(count: number): Promise<void> {
  const path = '/api/v1/namespaces/many'
  await load.call(0, 'POST', '/api/v1/namespaces', { metadata: { name: 'many' } })
  await load.call(0, 'POST', `${path}/serviceaccounts`, { metadata: { name: 'default' } })
  const beforeMb = load.memoryMb('own')
  await load.measure(count, 16, n => load.call(n, 'POST', `${path}/pods`, pod(`p-${n}`, `node-${n % 100}`, `s${n % 20}`)))
  await new Promise(resolve => setTimeout(resolve, 3000))
  const [first] = (JSON.parse(await load.call(0, 'GET', `${path}/pods?limit=1`, undefined, {}, true)) as { items: object[] }).items
  const bytes = JSON.stringify(first).length
  const each = ((load.memoryMb('own') - beforeMb) * 1024 * 1024) / count
  await read('LIST 10,000 pods', '765 ms', '64 ms', 15, 1, `${path}/pods`)
  await read('LIST 10,000 pods, compressed', '', '', 15, 1, `${path}/pods`, { 'accept-encoding': 'gzip' })
  await read('500 of them by label', '53 ms', '5.3 ms', 100, 1, `${path}/pods?labelSelector=shard%3Ds7`)
  await read('100 of them by node', '17 ms', '3.4 ms', 200, 1, `${path}/pods?fieldSelector=spec.nodeName%3Dnode-7`)
  await read('LIST 10,000 pods as Table', '327 ms', '82 ms', 15, 1, `${path}/pods`, TABLE)
  const kilobytes = (size: number) => `${(size / 1024).toFixed(1)} KB`
  console.log(`\nA stored pod of ${kilobytes(bytes)} takes ${kilobytes(each - bytes)} beyond that (to reach 6 KB), garbage included.`)
}

async function restarted(): Promise<void> {
  load.close()
  await stopServer(server)
  const megabytes = statSync(join(directory, 'data/data.mdb')).size / 1024 / 1024
  server = await startServer(directory, false)
  load = new Load(server.port, server.process.pid!, 1)
  console.log(
    `A store of ${megabytes.toFixed(0)} MB serves ${server.startSeconds.toFixed(2)} s after its process was started (to reach 2 s for 100 MB).`,
  )
}

async function read(work: string, upstream: string, goal: string, count: number, workers: number, path: string, more = {}): Promise<void> {
  printRow({ work, upstream, goal }, await load.gets(path, count, workers, more))
}

async function row(work: string, upstream: string, goal: string, count: number, workers: number, act: (n: number) => Promise<unknown>) {
  const expected: Expected = { work, upstream, goal }
  const measured: Measured = await load.measure(count, workers, act)
  printRow(expected, measured)
}

function configMap(name: string, value = 'v') {
  return { metadata: { name }, data: { value, filler: 'x'.repeat(900) } }
}

/** 3 KB as it is sent, 4.3 KB and more once it is stored. */
function pod(name: string, nodeName?: string, shard = 's0') {
  const container = (index: number) => ({
    name: `c${index}`,
    image: 'registry.example.com/team/program:1.2.3',
    env: Array.from({ length: 8 }, (_, at) => ({ name: `VARIABLE_${at}`, value: 'a value of some length' })),
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
    ports: index === 0 ? [{ name: 'http', containerPort: 8080 }] : [],
  })
  return {
    metadata: { name, labels: { app: 'web', tier: 'front', shard } },
    spec: { ...(nodeName ? { nodeName } : {}), containers: [container(0), container(1)] },
  }
}
