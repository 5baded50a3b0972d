// From a pod's creation to Running in the API, against the bare calls to the container runtime, on a real containerd. Needs root.
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { BUSYBOX_IMAGE } from '#cluster/images/builtin.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { ContainerConfig, SandboxConfig } from '#kubelet/runtime/runtime.ts'
import { type KubeletNode, startKubeletNode } from '../test/support/kubelet-node.ts'

const RUNS = 20

const node = await startKubeletNode()
try {
  const kubelet = await node.startKubelet()
  const running = new Map<string, () => void>()
  const { metadata } = await node.client.list(Pod)
  const watch = node.client.watch(
    Pod,
    { resourceVersion: metadata.resourceVersion },
    {
      event: ({ object }) => {
        if (object.status?.phase === 'Running') running.get(object.metadata.name ?? '')?.()
      },
      closed() {},
    },
  )
  const pods: number[] = []
  const bare: number[] = []
  for (let count = 0; count < RUNS; count++) {
    pods.push(await timed(() => startPod(`pod-${count}`)))
    await node.client.delete(Pod, { namespace: 'default', name: `pod-${count}` })
    await delay(300)
    bare.push(await timed(() => startBare(node, `bare-${count}`)))
    await clear(node, `bare-${count}`)
  }
  watch[Symbol.dispose]()
  await kubelet.stop()
  const [ours, least] = [median(pods), median(bare)]
  console.log(`pod ${ours.toFixed(0)} ms, bare calls ${least.toFixed(0)} ms: ${(ours / least).toFixed(2)} times (median of ${RUNS})`)

  async function startPod(name: string): Promise<void> {
    const done = new Promise<void>(resolve => running.set(name, resolve))
    const container = {
      name: 'main',
      image: BUSYBOX_IMAGE,
      command: ['sleep', '1000'],
      resources: { limits: { cpu: '1', memory: '64Mi' } },
    }
    const spec = { nodeName: node.node.name, terminationGracePeriodSeconds: 0, containers: [container] }
    await node.client.create(Pod, { metadata: { name, namespace: 'default' }, spec })
    await done
  }
} finally {
  await node.stop()
  await node.purge()
}

async function startBare({ node: layout, runtime }: KubeletNode, name: string): Promise<void> {
  const securityContext = { namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } } as const
  const sandbox: SandboxConfig = {
    metadata: { name, uid: name, namespace: 'bench', attempt: 0 },
    hostname: name,
    logDirectory: `${layout.podLogsDir}/${name}`,
    labels: {},
    annotations: {},
    linux: { cgroupParent: `${layout.cgroupRoot}/kubepods/${name}`, securityContext },
  }
  const container: ContainerConfig = {
    metadata: { name: 'main', attempt: 0 },
    image: { image: BUSYBOX_IMAGE },
    command: ['sleep', '1000'],
    envs: [],
    mounts: [],
    labels: {},
    annotations: {},
    logPath: 'main.log',
    linux: { resources: { cpuPeriod: 100_000, cpuQuota: 100_000, memoryLimitInBytes: 64 << 20 }, securityContext },
  }
  const id = await runtime.runSandbox(sandbox)
  await runtime.startContainer(await runtime.createContainer(id, container, sandbox))
}

async function clear({ runtime }: KubeletNode, uid: string): Promise<void> {
  for (const { id, metadata } of await runtime.listSandboxes()) {
    if (metadata.uid !== uid) continue
    await runtime.stopSandbox(id)
    await runtime.removeSandbox(id)
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}
