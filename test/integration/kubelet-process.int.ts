import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import type { HttpClient } from '#client/http/http-client.ts'
import { runtimeTraits, startNodeRuntime, stopNodeRuntime } from '#cluster/containerd/node-runtime.ts'
import { BUSYBOX_IMAGE } from '#cluster/images/builtin.ts'
import { builtinImages } from '#cluster/images/image-store.ts'
import { ensureImages } from '#cluster/images/load.ts'
import type { NodeLayout } from '#cluster/layout/layout.ts'
import { type PreparedMachine, prepareMachine, releaseMachine } from '#cluster/machine/prepare.ts'
import { ensureNetwork, removeNetwork } from '#cluster/network/network.ts'
import { silentProgress } from '#cluster/progress/progress.ts'
import { residue } from '#cluster/residue.ts'
import { isReady as isNodeReady } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { freePort } from '../support/api-server-process.ts'
import { type LoneServer, startLoneServer } from '../support/lone-server.ts'
import { type ProgramProcess, startProgram, until, writeKubeconfig } from '../support/program-process.ts'

/* bin/kubelet as a process of its own: it has a kubeconfig, a containerd, and nobody else of this project beside the API server. */

const folder = mkdtempSync(join(tmpdir(), 't8s-kubelet-process-'))
const name = `kp${process.pid % 100_000}`
const where = { name, dataDir: join(folder, 'data'), stateDir: join(folder, 'state') }
const store = new MemoryStore({ clock: realClock() })
let machine: PreparedMachine
let node: NodeLayout
let server: LoneServer
let client: HttpClient
let kubelet: ProgramProcess
let ports: { readonly api: number; readonly healthz: number }

beforeAll(async () => {
  machine = await prepareMachine(where, { name, nodes: 1, apiPort: 16445 }, silentProgress)
  node = machine.layout.nodes[0]!
  await ensureNetwork(machine.layout)
  const images = await builtinImages(machine.layout, machine.facts)
  await startNodeRuntime(machine.layout, node, runtimeTraits(machine.facts))
  await ensureImages(node, images)
  server = await startLoneServer(store, {}, [node.name])
  client = server.client()
  ports = { api: await freePort(), healthz: await freePort() }
  const own = { url: `https://127.0.0.1:${server.port}`, authority: server.authority }
  writeKubeconfig(join(folder, 'kubeconfig'), server.nodeToken(node.name), [own])
  writeFileSync(join(folder, 'ca.crt'), server.authority)
  const config = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    podLogsDir: node.podLogsDir,
    cgroupRoot: node.cgroupRoot,
    staticPodPath: node.manifestsDir,
    containerRuntimeEndpoint: `unix://${node.containerd.socket}`,
    authentication: { x509: { clientCAFile: join(folder, 'ca.crt') } },
    maxPods: 1000,
    podsPerCore: 7,
    seccompDefault: true,
    rotateCertificates: true,
  }
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config))
  kubelet = startKubelet()
}, 120_000)

afterAll(async () => {
  await kubelet?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
  await store.close()
  if (!machine) return
  await takeDown()
  await releaseMachine(where, { purge: true })
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const startKubelet = () =>
  startProgram('kubelet', [
    `--kubeconfig=${join(folder, 'kubeconfig')}`,
    `--config=${join(folder, 'config.yaml')}`,
    `--root-dir=${node.kubeletDir}`,
    `--cert-dir=${join(folder, 'pki')}`,
    `--hostname-override=${node.name}`,
    `--node-ip=${node.address}`,
    '--address=127.0.0.1',
    `--port=${ports.api}`,
    `--healthz-port=${ports.healthz}`,
    '--node-labels=tier=one',
  ])

const takeDown = async () => {
  await stopNodeRuntime(machine.layout, node, runtimeTraits(machine.facts))
  await removeNetwork(machine.layout)
  await releaseMachine(where, { purge: false })
}

const end = async () => {
  const ended = once(kubelet.child, 'exit')
  kubelet.child.kill('SIGTERM')
  const [code] = await ended
  return code as number | null
}

const explain = () => kubelet.log()
const podNamed = (name: string) => client.get(Pod, { namespace: 'default', name })
const presence = () => client.get(Node, { name: node.name }).catch(error => (isNotFound(error) ? undefined : Promise.reject(error)))

describe('bin/kubelet', () => {
  it('registers its node by its kubeconfig and configuration, and makes it Ready', async () => {
    const there = await until(presence, present => present !== undefined && isNodeReady(present), { explain })
    expect(there!.metadata.labels).toMatchObject({ tier: 'one', 'kubernetes.io/hostname': node.name })
    expect(there!.status.capacity).toMatchObject({ pods: String(7 * cpus().length) })
    expect(there!.status.declaredFeatures).toEqual(['ExtendWebSocketsToKubelet'])
    expect(there!.status.daemonEndpoints?.kubeletEndpoint?.Port).toBe(ports.api)
    const healthz = async () => (await fetch(`http://127.0.0.1:${ports.healthz}/healthz`)).text()
    await until(healthz, said => said === 'ok', { explain })
    expect(kubelet.log()).toContain('fields of the configuration are accepted, but have no effect here')
  }, 90_000)

  it('runs a pod, with the runtime’s seccomp profile where none is named', async () => {
    const script =
      'grep Seccomp: /proc/self/status >/tmp/seccomp; test -s /tmp/seccomp && touch /tmp/ready; trap "exit 0" TERM; while :; do sleep 0.1; done'
    const container = {
      name: 'main',
      image: BUSYBOX_IMAGE,
      command: ['sh', '-c', script],
      readinessProbe: { exec: { command: ['grep', '-q', '2', '/tmp/seccomp'] }, periodSeconds: 1 },
    }
    const spec = { nodeName: node.name, terminationGracePeriodSeconds: 2, containers: [container] }
    await client.create(Pod, { metadata: { name: 'one', namespace: 'default' }, spec } as never)
    const pod = await until(() => podNamed('one'), isReady, { explain })
    expect(pod.status.podIP).toBeTruthy()
  }, 90_000)

  it('leaves its pods running when it ends, and finds them again when it comes back', async () => {
    const before = (await podNamed('one')).status.containerStatuses![0]!
    expect(await end()).toBe(0)
    kubelet = startKubelet()
    await until(
      () =>
        fetch(`http://127.0.0.1:${ports.healthz}/healthz`).then(
          answer => answer.ok,
          () => false,
        ),
      isUp => isUp,
      { explain },
    )
    await client.patch(Pod, { namespace: 'default', name: 'one' }, { type: 'merge', body: { metadata: { labels: { seen: 'again' } } } })
    const after = (await until(() => podNamed('one'), isReady, { explain })).status.containerStatuses![0]!
    expect([after.containerID, after.restartCount]).toEqual([before.containerID, before.restartCount])
  }, 90_000)

  it('ends a pod that is deleted, and leaves nothing behind', async () => {
    await client.delete(Pod, { namespace: 'default', name: 'one' })
    const isGone = () =>
      podNamed('one').then(
        () => false,
        error => isNotFound(error) || Promise.reject(error),
      )
    await until(isGone, gone => gone === true, { explain })
    expect(await end()).toBe(0)
    await takeDown()
    expect(await residue(machine.layout)).toEqual([])
  }, 90_000)
})
