/**
 * The row `split` of bench/loops.bench.ts: API server, controller manager and scheduler in processes of their own (`bin/…`), as upstream's
 * are, and the simulated nodes in the process of the load.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setMaxListeners } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '#base/log/logger.ts'
import { realClock } from '#base/time/real-clock.ts'
import { httpClient } from '#client/http/http-client.ts'
import { informers } from '#client/informers/informers.ts'
import { startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { Load } from './apiserver-load.ts'
import { startServer, stopServer } from './apiserver-process.ts'
import { type BenchCluster, ready, watch } from './loops-cluster.ts'

const CONNECTIONS = 4

/** Starts one with so many simulated nodes, all Ready. */
export async function startSplitCluster(nodes: number): Promise<BenchCluster> {
  const startedAtMs = performance.now()
  // All requests of the nodes end by one signal.
  setMaxListeners(0)
  const directory = mkdtempSync(join(tmpdir(), 't8s-split-'))
  const server = await startServer(directory, true)
  const address = `https://127.0.0.1:${server.port}`
  const file = join(directory, 'kubeconfig')
  writeFileSync(file, JSON.stringify(kubeconfigOf(address)))
  const started: ChildProcess[] = []
  const start = (program: string, ...args: string[]) => {
    const limits = ['--kube-api-qps=5000', '--kube-api-burst=5000', '--leader-elect=false', '--secure-port=0']
    const child = spawn(`bin/${program}`, [`--kubeconfig=${file}`, ...limits, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    started.push(child)
    return child.pid!
  }
  const processes = {
    'API server': server.process.pid!,
    scheduler: start('kube-scheduler'),
    'controller manager': start('kube-controller-manager', `--service-account-private-key-file=${join(directory, 'sa.key')}`),
    'nodes and load': process.pid,
  }
  const clock = realClock()
  const client = httpClient({ clock, server: address, token: 'token', tls: { insecureSkipVerify: true } })
  const shared = informers({ client, clock, log: silentLogger })
  const names = Array.from({ length: nodes }, (_, index) => `simulated-${index + 1}`)
  const running = startSimulatedNodes({ names, client, informers: shared, clock, log: silentLogger })
  await running.ready
  const load = new Load(server.port, server.process.pid!, CONNECTIONS)
  const cluster: BenchCluster = {
    load,
    processes,
    startedAtMs,
    upSeconds: (performance.now() - startedAtMs) / 1000,
    watch: (path, onEvent) => watch(load, path, onEvent),
    async stop() {
      load.close()
      await running.stop()
      await shared[Symbol.asyncDispose]()
      client[Symbol.dispose]()
      for (const child of started) {
        const gone = new Promise(resolve => child.once('close', resolve))
        child.kill()
        await gone
      }
      await stopServer(server)
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await ready(cluster, nodes)
  return cluster
}

function kubeconfigOf(server: string) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'bench', user: { token: 'token' } }],
  }
}
