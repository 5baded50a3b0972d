/** The cluster under load in bench/loops.bench.ts, and what somebody outside sees of it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { ClientHttp2Stream } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Load } from './apiserver-load.ts'

const CONNECTIONS = 4
const READY_BEFORE_MS = 60_000

/** What a watch tells. */
export interface Seen {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: {
    readonly metadata: {
      readonly name: string
      readonly uid: string
      readonly generation?: number
      readonly labels?: Record<string, string>
    }
    readonly spec: {
      readonly nodeName?: string
      readonly replicas?: number
      readonly template?: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
    }
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[]
      readonly [field: string]: unknown
    }
  }
}

/** A cluster in one process of its own: API server on the durable store, controllers, scheduler and simulated nodes, as `t8s up` starts it. */
export interface BenchCluster {
  readonly load: Load
  /** From the start of `t8s up` until all nodes were registered. */
  readonly upSeconds: number
  readonly startedAtMs: number
  /** Follows what is and becomes of `path`. */
  watch(path: string, onEvent: (seen: Seen) => void): Promise<Disposable>
  /** By what they are, where the cluster is more than one process. */
  readonly processes?: Readonly<Record<string, number>>
  stop(): void | Promise<void>
}

/** Starts one of so many simulated nodes, with 32 cpus and room for 110 pods each, all Ready. */
export async function startBenchCluster(nodes: number): Promise<BenchCluster> {
  const dataDir = mkdtempSync(join(tmpdir(), 't8s-loops-'))
  const where = ['--name', `loops${process.pid}`, '--data-dir', dataDir]
  const startedAtMs = performance.now()
  t8s('up', ...where, '--nodes', '0', '--simulated-nodes', String(nodes))
  const upSeconds = (performance.now() - startedAtMs) / 1000
  const stop = () => {
    t8s('down', '--purge', ...where)
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    const kubeconfig = readFileSync(join(dataDir, 'kubeconfig'), 'utf8')
    const port = Number(/server: https:\/\/127\.0\.0\.1:(\d+)/.exec(kubeconfig)![1])
    const field = (name: string) => Buffer.from(new RegExp(`${name}: (\\S+)`).exec(kubeconfig)![1]!, 'base64').toString()
    const pid = Number(readFileSync(join(dataDir, 't8s.pid'), 'utf8').split('\n')[0])
    const load = new Load(port, pid, CONNECTIONS, { cert: field('client-certificate-data'), key: field('client-key-data') })
    const cluster: BenchCluster = {
      load,
      upSeconds,
      startedAtMs,
      watch: (path, onEvent) => watch(load, path, onEvent),
      stop: () => {
        load.close()
        stop()
      },
    }
    await ready(cluster, nodes)
    return cluster
  } catch (error) {
    stop()
    throw error
  }
}

function t8s(...args: string[]): void {
  const { status, stderr } = spawnSync('./t8s', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`t8s ${args.join(' ')} failed: ${stderr}`)
}

/** All nodes are Ready and without taints, and pods may be created in the namespace default. */
export async function ready({ load }: BenchCluster, count: number): Promise<void> {
  const until = performance.now() + READY_BEFORE_MS
  for (;;) {
    const nodes = JSON.parse(await load.call(0, 'GET', '/api/v1/nodes', undefined, {}, true)) as {
      items: { spec: { taints?: unknown[] }; status: { conditions?: { type: string; status: string }[] } }[]
    }
    const isReady = nodes.items.every(
      ({ spec, status }) => !spec.taints?.length && status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    const account = await load.call(0, 'GET', '/api/v1/namespaces/default/serviceaccounts/default').then(
      () => true,
      () => false,
    )
    if (account && isReady && nodes.items.length === count) return
    if (performance.now() > until) throw new Error(`the nodes are not ready after ${READY_BEFORE_MS / 1000} s`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

/** A list and a watch in one: begins with ADDED of all there is. */
export async function watch(load: Load, path: string, onEvent: (seen: Seen) => void): Promise<Disposable> {
  const stream: ClientHttp2Stream = load.stream(0, 'GET', `${path}?watch=true&resourceVersion=0`)
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('error', () => {}) // it ends with the cluster
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const seen = JSON.parse(line) as Seen
      if (seen.type === 'ERROR') throw new Error(`the watch of ${path} failed: ${line}`)
      onEvent(seen)
    }
  })
  await new Promise(resolve => stream.once('response', resolve))
  return { [Symbol.dispose]: () => stream.close() }
}
