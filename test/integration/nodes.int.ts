import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { endProcess, isAlive, type RunningProcess, sendSignal } from '#base/process/running-process.ts'
import { findContainerd, shimsOf } from '#cluster/containerd/containerd-processes.ts'
import { withNodeCri } from '#cluster/containerd/node-cri.ts'
import { runtimeTraits, startNodeRuntime, stopNodeRuntime } from '#cluster/containerd/node-runtime.ts'
import { BUSYBOX_IMAGE } from '#cluster/images/builtin.ts'
import { builtinImages } from '#cluster/images/image-store.ts'
import { ensureImages } from '#cluster/images/load.ts'
import type { NodeLayout } from '#cluster/layout/layout.ts'
import { readMachineRecord } from '#cluster/layout/machine-record.ts'
import { type PreparedMachine, prepareMachine, releaseMachine } from '#cluster/machine/prepare.ts'
import { ensureNetwork, removeNetwork } from '#cluster/network/network.ts'
import { readSysctl } from '#cluster/network/sysctls.ts'
import { silentProgress } from '#cluster/progress/progress.ts'
import { residue } from '#cluster/residue.ts'
import type { ContainerConfig, NamespaceOptions, SandboxConfig } from '#kubelet/runtime/runtime.ts'

/* Two nodes of one cluster on this machine, with containers in them, but with nothing of Kubernetes yet. */

const folder = mkdtempSync(join(tmpdir(), 't8s-nodes-'))
const name = `it${process.pid % 100_000}`
const where = { name, dataDir: join(folder, 'data'), stateDir: join(folder, 'state') }
const forwardingBefore = readSysctl('net.ipv4.ip_forward')
let machine: PreparedMachine
let pods: { node: NodeLayout; sandbox: string; container: string; address: string }[]

const bringUp = async () => {
  machine = await prepareMachine(where, { name, nodes: 2, apiPort: 16443 }, silentProgress)
  await ensureNetwork(machine.layout)
  const images = await builtinImages(machine.layout, machine.facts)
  const outcomes = await Promise.all(machine.layout.nodes.map(node => startNodeRuntime(machine.layout, node, runtimeTraits(machine.facts))))
  const loaded = await Promise.all(machine.layout.nodes.map(node => ensureImages(node, images)))
  return { outcomes, loaded }
}
const takeDown = async () => {
  await Promise.all(machine.layout.nodes.map(node => stopNodeRuntime(machine.layout, node, runtimeTraits(machine.facts))))
  await removeNetwork(machine.layout)
  await releaseMachine(where, { purge: false })
}

beforeAll(async () => {
  await bringUp()
  pods = await Promise.all(machine.layout.nodes.map(node => startPod(node, 'first')))
}, 60_000)

afterAll(async () => {
  await takeDown()
  await releaseMachine(where, { purge: true })
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

describe('two nodes', () => {
  it('carry pods that reach each other by their own addresses, without NAT', async () => {
    const [first, second] = pods as [(typeof pods)[0], (typeof pods)[0]]
    expect(first.address).toMatch(/^10\.\d+\.1\.\d+$/)
    expect(second.address).toMatch(/^10\.\d+\.2\.\d+$/)
    const answer = await execIn(first, ['wget', '-qO-', `http://${second.address}:8080/cgi-bin/who`])
    expect(answer.stdout.trim()).toBe(first.address)
  })

  it('carry pods that the machine itself reaches', async () => {
    const answer = await fetch(`http://${pods[1]!.address}:8080/cgi-bin/who`)
    expect((await answer.text()).trim()).toBe(machine.layout.hostAddress)
  })

  it('stay as they are when brought up again', async () => {
    const before = machine.layout.nodes.map(node => findContainerd(node)?.pid)
    const { outcomes, loaded } = await bringUp()
    expect(outcomes).toEqual(['adopted', 'adopted'])
    expect(loaded).toEqual([0, 0])
    expect(machine.layout.nodes.map(node => findContainerd(node)?.pid)).toEqual(before)
  })

  it('keep their containers running when containerd is killed and started again', async () => {
    const pod = pods[0]!
    const started = await startedAt(pod)
    const containerd = findContainerd(pod.node)!
    sendSignal(containerd, 'SIGKILL')
    await endProcess(containerd, 1000)
    expect(isAlive(containerd)).toBe(false)
    expect((await bringUp()).outcomes).toEqual(['started', 'adopted'])
    expect(await startedAt(pod)).toBe(started)
    expect((await execIn(pod, ['true'])).exitCode).toBe(0)
  })

  it('leave nothing behind when taken down, and give the machine its settings back', async () => {
    await takeDown()
    expect(await residue(machine.layout)).toEqual([])
    expect(readMachineRecord(where.stateDir).changes).toBeUndefined()
    expect(readSysctl('net.ipv4.ip_forward')).toBe(forwardingBefore)
    await bringUp()
    expect(await withNodeCri(machine.layout.nodes[0]!, runtime => runtime.listSandboxes())).toEqual([])
    pods = await Promise.all(machine.layout.nodes.map(node => startPod(node, 'second')))
  }, 60_000)

  it('come back after everything was killed', async () => {
    await killAll(machine.layout.nodes.flatMap(node => [findContainerd(node)!, ...shimsOf(node)]))
    expect((await bringUp()).outcomes).toEqual(['started', 'started'])
    for (const pod of pods)
      expect(await withNodeCri(pod.node, runtime => runtime.sandboxStatus(pod.sandbox))).toMatchObject({ ready: false })
    pods = await Promise.all(machine.layout.nodes.map(node => startPod(node, 'third')))
  }, 60_000)

  it('can be taken down after everything was killed', async () => {
    const processes = machine.layout.nodes.flatMap(node => [findContainerd(node)!, ...shimsOf(node)])
    expect(processes.length).toBeGreaterThanOrEqual(4)
    await killAll(processes)
    await takeDown()
    expect(await residue(machine.layout)).toEqual([])
    const netns = existsSync('/run/netns') ? (await run('ls', ['/run/netns'])).stdout : ''
    expect(netns).not.toContain(`t8s-${name}`)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder)
    await bringUp()
  }, 60_000)
})

/** Kills them all, and waits until none is left: the kernel takes its time. */
async function killAll(processes: readonly RunningProcess[]): Promise<void> {
  for (const running of processes) sendSignal(running, 'SIGKILL')
  await Promise.all(processes.map(running => endProcess(running, 1000)))
}

const inPod: NamespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' }

function sandboxConfig(node: NodeLayout, name: string): SandboxConfig {
  return {
    metadata: { name, uid: `${name}-uid`, namespace: 'default', attempt: 0 },
    hostname: name,
    logDirectory: join(node.podLogsDir, name),
    labels: {},
    annotations: {},
    linux: { cgroupParent: `${node.cgroupRoot}/kubepods/${name}`, securityContext: { namespaceOptions: inPod } },
  }
}

/** A web server whose one page says who asks. */
async function startPod(node: NodeLayout, name: string) {
  return await withNodeCri(node, async runtime => {
    const config = sandboxConfig(node, name)
    const sandbox = await runtime.runSandbox(config)
    const script =
      "mkdir -p /w/cgi-bin; printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' >/w/cgi-bin/who; chmod +x /w/cgi-bin/who; exec httpd -f -p 0.0.0.0:8080 -h /w"
    const container: ContainerConfig = {
      metadata: { name: 'web', attempt: 0 },
      image: { image: BUSYBOX_IMAGE },
      command: ['sh', '-c', script],
      envs: [],
      mounts: [],
      labels: {},
      annotations: {},
      logPath: 'web.log',
      linux: { resources: {}, securityContext: { namespaceOptions: inPod } },
    }
    const id = await runtime.createContainer(sandbox, container, config)
    await runtime.startContainer(id)
    const address = (await runtime.sandboxStatus(sandbox)).ips[0]!
    await runtime.execSync(id, ['sh', '-c', 'until wget -qO /dev/null http://127.0.0.1:8080/cgi-bin/who; do sleep 0.02; done'], 10)
    return { node, sandbox, container: id, address }
  })
}

const execIn = (pod: { node: NodeLayout; container: string }, command: string[]) =>
  withNodeCri(pod.node, runtime => runtime.execSync(pod.container, command, 10))

const startedAt = (pod: { node: NodeLayout; container: string }) =>
  withNodeCri(pod.node, async runtime => (await runtime.containerStatus(pod.container)).startedAtMs)
