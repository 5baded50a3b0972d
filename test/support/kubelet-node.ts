import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger } from '#base/log/logger.ts'
import { type Credential, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { endProcess, sendSignal } from '#base/process/running-process.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { Client } from '#client/client.ts'
import { startControlPlane } from '#cluster/components/control-plane.ts'
import { findContainerd } from '#cluster/containerd/containerd-processes.ts'
import { runtimeTraits, startNodeRuntime, stopNodeRuntime } from '#cluster/containerd/node-runtime.ts'
import { builtinImages } from '#cluster/images/image-store.ts'
import { ensureImages } from '#cluster/images/load.ts'
import type { NodeLayout } from '#cluster/layout/layout.ts'
import { prepareMachine, releaseMachine } from '#cluster/machine/prepare.ts'
import { ensureNetwork, removeNetwork } from '#cluster/network/network.ts'
import { silentProgress } from '#cluster/progress/progress.ts'
import { residue } from '#cluster/residue.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { type Kubelet, startKubelet } from '#kubelet/kubelet.ts'
import { openCgroups } from '#kubelet/resources/cgroup-fs.ts'
import { criRuntime } from '#kubelet/runtime/cri/cri-runtime.ts'
import type { Runtime } from '#kubelet/runtime/runtime.ts'
import { linuxMounter } from '#kubelet/volumes/linux-mounter.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'

/** A node with a real containerd, an API server on the memory store, and kubelets that come and go. */
export interface KubeletNode {
  readonly client: Client
  readonly node: NodeLayout
  readonly runtime: Runtime
  /** A certificate that the kubelet's server believes, as the API server has one. */
  readonly apiServerCredential: Credential
  readonly authority: string
  startKubelet(): Promise<Kubelet>
  /** Kills containerd, whose containers run on, and starts it again. */
  restartContainerd(): Promise<void>
  /** What is left on the machine of it; nothing after {@link stop}. */
  residue(): Promise<string[]>
  /** Ends everything that runs. */
  stop(): Promise<void>
  /** Removes what is kept on disk. */
  purge(): Promise<void>
}

export async function startKubeletNode(): Promise<KubeletNode> {
  const folder = mkdtempSync(join(tmpdir(), 't8s-kubelet-'))
  const name = `kt${process.pid % 100_000}`
  const where = { name, dataDir: join(folder, 'data'), stateDir: join(folder, 'state') }
  const clock = realClock()
  const machine = await prepareMachine(where, { name, nodes: 1, apiPort: 16444 }, silentProgress)
  const { layout } = machine
  const node = layout.nodes[0]!
  const traits = runtimeTraits(machine.facts)
  const takeDown = async () => {
    await stopNodeRuntime(layout, node, traits)
    await removeNetwork(layout)
    await releaseMachine(where, { purge: false })
  }
  const purge = async () => {
    await releaseMachine(where, { purge: true })
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await ensureNetwork(layout)
    const images = await builtinImages(layout, machine.facts)
    await startNodeRuntime(layout, node, traits)
    await ensureImages(node, images)
  } catch (error) {
    await takeDown()
    await purge()
    throw error
  }

  const store = new MemoryStore({ clock })
  const root = await newAuthority(clock, 'test')
  const plane = await startControlPlane({
    store,
    clock,
    random: systemRandom(),
    log: silentLogger,
    serviceAccountKeys: newKeyPair(),
    parameters: { rootCA: root.certificate },
  })
  const client = plane.clientFor({ name: 'admin', groups: ['system:masters'] })
  const nodeClient = plane.clientFor({ name: `system:node:${node.name}`, groups: ['system:nodes'] })
  await defaultAccount(client)
  const authority = certificateAuthority(clock, root)
  const issue = (commonName: string, organizations: string[], usages: ('server' | 'client')[], ipAddresses: string[] = []) =>
    authority.issue({ commonName, organizations, usages, ipAddresses, validSeconds: 3600 })
  const serving = await issue(`system:node:${node.name}`, ['system:nodes'], ['server'], ['127.0.0.1'])
  const apiServerCredential = await issue('kube-apiserver-kubelet-client', ['system:masters'], ['client'])
  const openRuntime = () => criRuntime({ address: `unix://${node.containerd.socket}`, clock, log: nodeLog })
  const runtime = openRuntime()
  return {
    client,
    node,
    runtime,
    apiServerCredential,
    authority: root.certificate,
    async startKubelet() {
      const kubelet = startKubelet({
        nodeName: node.name,
        client: nodeClient,
        runtime,
        clock,
        random: systemRandom(),
        log: nodeLog,
        mounter: linuxMounter,
        cgroups: await openCgroups(node.cgroupRoot),
        rootDirectory: node.kubeletDir,
        logsDirectory: node.podLogsDir,
        nodeIPs: [node.address],
        clusterDNS: ['10.96.0.10'],
        clusterDomain: 'cluster.local',
        staticPodPath: node.manifestsDir,
        podPidsLimit: 500,
        server: { address: '127.0.0.1', port: 0, cert: serving.certificate, key: serving.privateKey, clientCA: root.certificate },
      })
      await kubelet.ready
      return kubelet
    },
    async restartContainerd() {
      const containerd = findContainerd(node)!
      sendSignal(containerd, 'SIGKILL')
      await endProcess(containerd, 1000)
      await startNodeRuntime(layout, node, traits)
    },
    residue: () => residue(layout),
    async stop() {
      runtime.close()
      await plane.stop()
      await store.close()
      await takeDown()
    },
    purge,
  }
}

/** Pods are let in once their account is there; a controller makes it. */
async function defaultAccount(client: Client): Promise<void> {
  const name = { namespace: 'default', name: 'default' }
  while (!(await client.get(ServiceAccount, name).catch(() => undefined))) await delay(20)
}

const line = (level: string) => (message: string, fields?: object) => console.log(level, message, fields ?? '')
const consoleLog = { info: line('info'), warn: line('warn'), error: line('error'), verbose: line('verbose'), with: () => consoleLog }
const nodeLog = process.env['KUBELET_LOG'] ? consoleLog : silentLogger
