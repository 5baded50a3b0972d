/**
 * How fast scheduler and controllers are, end to end: `npm run bench loops [row|all] [scale]`. The cluster is one process as `t8s up` starts it,
 * on the durable embedded store, with simulated nodes; every row has one of its own. This process is the creator, over HTTP/2 and TLS, and
 * the watcher: work is done when a watch from outside shows it. CPU is all of the cluster's process: API server, store, controllers,
 * scheduler, nodes. `scale` 0.1 makes rows of a tenth of the nodes and objects. Beside each row stand the figures of upstream's 1.36
 * on two such cores, and what follows from them for us.
 */
import '#base/time/dispose.ts'
import { loadavg } from 'node:os'
import type { Measured } from './apiserver-load.ts'
import { type BenchCluster, type Seen, startBenchCluster } from './loops-cluster.ts'
import { startSplitCluster } from './loops-split.ts'

type Body = Record<string, unknown>
interface Expected {
  readonly work: string
  readonly upstream: string
  readonly goal: string
}

const DEFAULT = '/api/v1/namespaces/default'
const PODS = `${DEFAULT}/pods`
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const JOBS = '/apis/batch/v1/namespaces/default/jobs'
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' }
const MERGE = { 'content-type': 'application/merge-patch+json' }
const WRITERS = 64
const PATIENCE_MS = 300_000
const ZONE = 'topology.kubernetes.io/zone'
const HOST = 'kubernetes.io/hostname'

const [only = 'all', scaleText = '1'] = process.argv.slice(2)
const scale = Number(scaleText)
let serial = 0
const sized = (count: number) => Math.max(1, Math.round(count * scale))

const rows: Record<string, () => Promise<void>> = {
  plain1000: () => scheduled('pods on 1,000 empty nodes', '327/s', '1,308/s', 1000, 10_000, () => pod({}, {})),
  plain5000: () => scheduled('pods on 5,000 empty nodes', '297/s', '1,188/s', 5000, 10_000, () => pod({}, {})),
  split: () => scheduled('pods, 1,000 nodes, three processes', '327/s', '1,308/s', 1000, 10_000, () => pod({}, {}), startSplitCluster),
  spread: () =>
    scheduled('topology spread (zone, hard), 5,000 nodes', '127/s', '635/s', 5000, 5000, () =>
      pod({ color: 'blue' }, { topologySpreadConstraints: [spread({ color: 'blue' })] }),
    ),
  preferred: () =>
    scheduled('preferred affinity (host), 5,000 nodes', '195/s', '975/s', 5000, 5000, () =>
      pod(
        { foo: 'bar' },
        {
          affinity: {
            podAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term({ foo: 'bar' }, HOST) }],
            },
          },
        },
      ),
    ),
  anti: () =>
    scheduled('required anti-affinity (host), 5,000 nodes', '160/s', '800/s', 5000, 4000, () =>
      pod(
        { color: 'green' },
        { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term({ color: 'green' }, HOST)] } } },
      ),
    ),
  preemption: preempting,
  deployments,
  jobs,
  namespace: namespaceDeleted,
  nothing: fromNothing,
  held,
}

if (only !== 'all' && !rows[only]) {
  console.error(`there is no row ${only}: all, ${Object.keys(rows).join(', ')}`)
  process.exit(1)
}
console.log(`load average before: ${loadavg()[0]!.toFixed(1)}${scale === 1 ? '' : `; sizes × ${scale}`}`)
console.log(
  '| work | count | seconds | per second | CPU each | memory | upstream | to reach |\n| --- | --- | --- | --- | --- | --- | --- | --- |',
)
for (const [name, row] of Object.entries(rows)) if (only === 'all' || only === name) await row()

/** Pods created as fast as they are taken; done when a watch shows the last one bound. */
async function scheduled(
  work: string,
  upstream: string,
  goal: string,
  nodes: number,
  count: number,
  make: () => Body,
  start = startBenchCluster,
): Promise<void> {
  const act = async (cluster: BenchCluster) => {
    await zoned(cluster, sized(nodes))
    const total = sized(count)
    const bound = await condition(cluster, PODS, ({ object }) => object.spec.nodeName !== undefined)
    await measured(cluster, { work, upstream, goal }, total, async () => {
      await createAll(cluster, PODS, total, make)
      await bound.reached(total)
    })
  }
  await withCluster(sized(nodes), act, start)
}

/** Nodes with four pods of 7.2 cpus each, of which three must go for each pod that comes. */
async function preempting(): Promise<void> {
  const nodes = sized(500)
  await withCluster(nodes, async cluster => {
    const bound = await condition(cluster, PODS, ({ object }) => object.spec.nodeName !== undefined)
    for (const [name, value] of [
      ['low', 1],
      ['high', 100],
    ] as const)
      await cluster.load.call(0, 'POST', '/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, value })
    await createAll(cluster, PODS, nodes * 4, () => pod({}, { priorityClassName: 'low', terminationGracePeriodSeconds: 0 }, '7200m'))
    await bound.reached(nodes * 4)
    bound.close()
    const taken = await condition(
      cluster,
      PODS,
      ({ object }) => object.metadata.labels?.['high'] === '1' && object.spec.nodeName !== undefined,
    )
    await measured(cluster, { work: `preemption on ${nodes} full nodes`, upstream: '35/s', goal: '350/s' }, nodes, async () => {
      await createAll(cluster, PODS, nodes, () => pod({ high: '1' }, { priorityClassName: 'high' }, '24'))
      await taken.reached(nodes)
    })
  })
}

/** Created until all their pods are available, given another template until it has been rolled out, deleted until no pod is left. */
async function deployments(): Promise<void> {
  await withCluster(100, async cluster => {
    const count = sized(100)
    const row = (what: string, upstream: string, goal: string, act: () => Promise<void>) =>
      measured(cluster, { work: `${count} Deployments × 10: ${what} (per pod)`, upstream, goal }, count * 10, act)
    const first = await condition(cluster, DEPLOYMENTS, seen => isRolledOut(seen, 'pause:1'))
    await row('created and available', '15 ms', '3.75 ms', async () => {
      await createAll(cluster, DEPLOYMENTS, count, n => deployment(`web-${n}`))
      await first.reached(count)
    })
    const second = await condition(cluster, DEPLOYMENTS, seen => isRolledOut(seen, 'pause:2'))
    const pods = await condition(cluster, PODS, () => true)
    await row('rolled', '40 ms', '10 ms', async () => {
      const spec = { template: { spec: { containers: [{ name: 'c', image: 'pause:2' }] } } }
      await each(count, n => cluster.load.call(n, 'PATCH', `${DEPLOYMENTS}/web-${n}`, { spec }, STRATEGIC))
      await second.reached(count)
      await pods.reached(count * 10)
    })
    await row('deleted', '10 ms', '2.5 ms', async () => {
      await each(count, n => cluster.load.call(n, 'DELETE', `${DEPLOYMENTS}/web-${n}`))
      await pods.reached(0)
    })
  })
}

function deployment(name: string): Body {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: pod({}, {})['spec'] }
  return { metadata: { name }, spec: { replicas: 10, selector: { matchLabels: labels }, template } }
}

function isRolledOut({ object }: Seen, image: string): boolean {
  const { metadata, spec, status = {} } = object
  const whole = ['replicas', 'updatedReplicas', 'availableReplicas'].every(field => status[field] === spec.replicas)
  return whole && status['observedGeneration'] === metadata.generation && spec.template?.spec.containers[0]?.image === image
}

async function jobs(): Promise<void> {
  await withCluster(100, async cluster => {
    const count = sized(1000)
    const { spec } = pod({}, { restartPolicy: 'Never' })
    const complete = await condition(
      cluster,
      JOBS,
      ({ object }) => object.status?.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') ?? false,
    )
    await measured(cluster, { work: 'Jobs of one pod, complete', upstream: '37 ms', goal: '7.4 ms' }, count, async () => {
      await createAll(cluster, JOBS, count, () => ({ spec: { template: { spec } } }))
      await complete.reached(count)
    })
  })
}

/** A quarter each of pods that run, ConfigMaps, Secrets and Services. */
async function namespaceDeleted(): Promise<void> {
  await withCluster(100, async cluster => {
    const quarter = sized(250)
    const path = '/api/v1/namespaces/full'
    await cluster.load.call(0, 'POST', '/api/v1/namespaces', { metadata: { name: 'full' } })
    const accounts = await condition(cluster, `${path}/serviceaccounts`, ({ type }) => type !== 'DELETED')
    await accounts.reached(1)
    const running = await condition(cluster, `${path}/pods`, ({ object }) => object.status?.['phase'] === 'Running')
    await createAll(cluster, `${path}/pods`, quarter, () => pod({}, {}))
    await createAll(cluster, `${path}/configmaps`, quarter, () => ({ data: { key: 'value' } }))
    await createAll(cluster, `${path}/secrets`, quarter, () => ({ stringData: { key: 'value' } }))
    await createAll(cluster, `${path}/services`, quarter, () => ({ spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }))
    await running.reached(quarter)
    const isThere = await condition(
      cluster,
      '/api/v1/namespaces',
      ({ type, object }) => object.metadata.name === 'full' && type !== 'DELETED',
    )
    await isThere.reached(1)
    await measured(
      cluster,
      { work: 'objects of a namespace that is deleted', upstream: '13 ms', goal: '2.6 ms' },
      quarter * 4,
      async () => {
        await cluster.load.call(0, 'DELETE', path)
        await isThere.reached(0)
      },
    )
  })
}

/** From the start of the process: all nodes Ready, then all pods Running. */
async function fromNothing(): Promise<void> {
  const nodes = sized(5000)
  const count = sized(10_000)
  await withCluster(nodes, async cluster => {
    const nodeSeconds = (performance.now() - cluster.startedAtMs) / 1000
    const running = await condition(cluster, PODS, ({ object }) => object.status?.['phase'] === 'Running')
    await createAll(cluster, PODS, count, () => pod({}, {}))
    await running.reached(count)
    const seconds = (performance.now() - cluster.startedAtMs) / 1000
    print({
      work: `${nodes} nodes Ready (${nodeSeconds.toFixed(1)} s) and ${count} pods Running, from nothing`,
      count: '',
      seconds: seconds.toFixed(1),
      perSecond: '',
      cpu: `${(cluster.load.cpuUs() / 1_000_000).toFixed(1)} s in all`,
      memory: `${cluster.load.peakMemoryMb().toFixed(0)} MB at most`,
      upstream: '≤ 20 s for each (kwok)',
      goal: '≤ 20 s, ≤ 1,024 MB',
    })
  })
}

/**
 * Pods held by the cluster, and what requests take meanwhile: one object at a time, 200 a second, while every five seconds somebody lists all
 * pods. SLOs: https://github.com/kubernetes/community/blob/master/sig-scalability/slos/api_call_latency.md
 */
async function held(): Promise<void> {
  const nodes = sized(5000)
  const count = sized(100_000)
  const seconds = 30
  await withCluster(nodes, async cluster => {
    const running = await condition(cluster, PODS, ({ object }) => object.status?.['phase'] === 'Running')
    const { load } = cluster
    const goal = '≤ 4,096 MB'
    await measured(cluster, { work: `pods created and Running on ${nodes} nodes`, upstream: '–', goal }, count, async () => {
      await createAll(cluster, PODS, count, () => pod({}, {}))
      await running.reached(count)
    })
    const first = serial - count + 1
    const half = Math.floor(count / 2)
    const some = (n: number) => `${PODS}/bench-${first + ((n * 7919) % half)}`
    const calls: Record<string, (n: number) => Promise<unknown>> = {
      get: n => load.call(n, 'GET', some(n)),
      patch: n => load.call(n, 'PATCH', some(n), { metadata: { labels: { seen: String(n) } } }, MERGE),
      create: () => createAll(cluster, PODS, 1, () => pod({}, {})),
      delete: n => load.call(n, 'DELETE', `${PODS}/bench-${first + half + n}`),
    }
    const lists: Promise<Measured>[] = []
    for (let at = 0; at < seconds; at += 5)
      lists.push(
        new Promise(resolve => setTimeout(() => resolve(load.measure(1, 1, () => load.call(1, 'GET', '/api/v1/pods'))), at * 1000)),
      )
    const singles = await Promise.all(Object.values(calls).map(act => load.paced(seconds * 50, 50, act)))
    const listed = await Promise.all(lists)
    const row = (work: string, { p99Ms = 0, p50Ms = 0 }: Measured, to: string) =>
      print({
        work: `${work}, ${count} pods held: p99 (p50)`,
        count: '',
        seconds: `${(p99Ms / 1000).toFixed(3)} (${(p50Ms / 1000).toFixed(3)})`,
        perSecond: '',
        cpu: '',
        memory: `${load.memoryMb().toFixed(0)} MB, ${load.peakMemoryMb().toFixed(0)} at most`,
        upstream: '–',
        goal: to,
      })
    Object.keys(calls).forEach((name, index) => {
      row(name, singles[index]!, '≤ 1 s')
    })
    const timesMs = listed.map(({ p99Ms = 0 }) => p99Ms).sort((a, b) => a - b)
    row('list of all', { p99Ms: timesMs.at(-1)!, p50Ms: timesMs[timesMs.length >> 1]! }, '≤ 30 s')
  })
}

async function withCluster(nodes: number, act: (cluster: BenchCluster) => Promise<void>, start = startBenchCluster): Promise<void> {
  const cluster = await start(nodes)
  try {
    await act(cluster)
  } finally {
    await cluster.stop()
  }
}

async function measured(cluster: BenchCluster, { work, upstream, goal }: Expected, count: number, act: () => Promise<void>): Promise<void> {
  const processes = Object.entries(cluster.processes ?? { '': undefined })
  const used = () => processes.map(([, pid]) => cluster.load.cpuUs(pid))
  const before = used()
  const start = performance.now()
  await act()
  const seconds = (performance.now() - start) / 1000
  const each = used().map((us, index) => ((us - before[index]!) / 1000 / count).toFixed(2))
  print({
    work,
    count: String(count),
    seconds: seconds.toFixed(1),
    perSecond: (count / seconds).toFixed(0),
    cpu: processes.map(([name], index) => `${name} ${each[index]} ms`.trim()).join(', '),
    memory: `${cluster.load.memoryMb().toFixed(0)} MB`,
    upstream,
    goal,
  })
}

interface Row {
  readonly work: string
  readonly count: string
  readonly seconds: string
  readonly perSecond: string
  readonly cpu: string
  readonly memory: string
  readonly upstream: string
  readonly goal: string
}

function print({ work, count, seconds, perSecond, cpu, memory, upstream, goal }: Row): void {
  console.log(`| ${[work, count, seconds, perSecond, cpu, memory, upstream, goal].join(' | ')} |`)
}

/** Waits until for so many objects `holds`, as a watch of `path` shows them; to be closed where others are to be measured after it. */
async function condition(cluster: BenchCluster, path: string, holds: (seen: Seen) => boolean) {
  const holding = new Set<string>()
  let check = () => {}
  const watch = await cluster.watch(path, seen => {
    if (seen.type !== 'DELETED' && holds(seen)) holding.add(seen.object.metadata.uid)
    else holding.delete(seen.object.metadata.uid)
    check()
  })
  const reached = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`after ${PATIENCE_MS / 1000} s ${holding.size} of ${path} and not ${count} were so`)),
        PATIENCE_MS,
      )
      check = () => {
        if (holding.size !== count) return
        clearTimeout(timer)
        check = () => {}
        resolve()
      }
      check()
    })
  return { reached, close: () => watch[Symbol.dispose]() }
}

function createAll(cluster: BenchCluster, path: string, count: number, make: (n: number) => Body): Promise<void> {
  return each(count, n => {
    const body = make(n)
    const metadata = { name: `bench-${++serial}`, ...(body['metadata'] as object | undefined) }
    return cluster.load.call(n, 'POST', path, { ...body, metadata })
  })
}

async function each(count: number, act: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const writer = async () => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
}

/** Gives the nodes three zones. */
function zoned(cluster: BenchCluster, nodes: number): Promise<void> {
  return each(nodes, n =>
    cluster.load.call(n, 'PATCH', `/api/v1/nodes/simulated-${n + 1}`, { metadata: { labels: { [ZONE]: `zone-${n % 3}` } } }, MERGE),
  )
}

function pod(labels: Record<string, string>, spec: Body, cpu = '100m', image = 'pause:1'): Body {
  const containers = [{ name: 'c', image, resources: { requests: { cpu, memory: '500Mi' } } }]
  return { metadata: { labels }, spec: { containers, ...spec } }
}

function spread(matchLabels: Record<string, string>): Body {
  return { maxSkew: 5, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels } }
}

function term(matchLabels: Record<string, string>, topologyKey: string): Body {
  return { labelSelector: { matchLabels }, topologyKey }
}
