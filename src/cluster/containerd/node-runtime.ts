import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ProcessError } from '#base/process/process-error.ts'
import { run } from '#base/process/run.ts'
import {
  endProcess,
  findProcess,
  isAlive,
  isOfEarlierBoot,
  type RunningProcess,
  sendSignal,
  startDetached,
  writePidFile,
} from '#base/process/running-process.ts'
import type { NodeHost, NodeLayout } from '../layout/layout.ts'
import { ensureCgroupRoot, processesIn, readCgroups, removeCgroupRoot } from '../machine/cgroups.ts'
import type { MachineFacts } from '../machine/facts.ts'
import { SetupError } from '../setup-error.ts'
import { cniConfig, containerdConfig, type RuntimeTraits } from './config.ts'
import { findContainerd, shimsOf } from './containerd-processes.ts'
import { ensureSharedMount, unmountBelow } from './mounts.ts'
import { withNodeCri } from './node-cri.ts'

const OVERLAYFS_MAGIC = 0x794c7630
const LOG_LIMIT_BYTES = 16 << 20

/** What the machine's facts mean for containerd. */
export function runtimeTraits(facts: MachineFacts): RuntimeTraits {
  return {
    mayLowerOomScore: facts.capabilities.has('CAP_SYS_RESOURCE'),
    appArmor: facts.appArmor,
    snapshotter: facts.fileSystem === OVERLAYFS_MAGIC ? 'native' : 'overlayfs',
    cniPlugins: facts.programs.get('cni-plugins') ?? '/usr/lib/cni',
  }
}

/**
 * Brings a node's containerd up in the node's network namespace and returns once it answers. It lives on when this process ends; one that
 * runs already with the same settings is taken over, and its containers never notice. The network must exist.
 */
export async function startNodeRuntime(
  layout: NodeHost,
  node: NodeLayout,
  traits: RuntimeTraits,
  signal?: AbortSignal,
): Promise<'started' | 'adopted'> {
  forgetEarlierBoot(node)
  const directories = [
    node.kubeletDir,
    node.podLogsDir,
    node.manifestsDir,
    node.cniDir,

    node.containerd.root,
    node.containerd.state,
  ]
  for (const directory of directories) mkdirSync(directory, { recursive: true, mode: 0o711 })
  await ensureSharedMount(node.kubeletDir, signal)
  ensureCgroupRoot(readCgroups(), node.cgroupRoot)
  if (node.podCidr !== '') writePodNetwork(layout, node)
  const reconfigured = writeIfDifferent(node.containerd.config, containerdConfig(layout, node, traits))

  const running = findContainerd(node)
  if (running && !reconfigured) {
    await waitUntilReady(node, running, signal)
    writePidFile(node.containerd.pidFile, running)
    return 'adopted'
  }
  if (running) await endProcess(running)
  limitLog(node.containerd.logFile)
  // nsenter and not `ip netns exec`, which would hide the cgroup mounts.
  const args = [`--net=${node.netnsPath}`, 'containerd', '--config', node.containerd.config]
  const started = await startDetached('nsenter', args, { logFile: node.containerd.logFile, cwd: '/' })
  writePidFile(node.containerd.pidFile, started)
  await waitUntilReady(node, started, signal)
  return 'started'
}

/** Tells containerd the network of the node's pods; without it the node is not ready. */
export function writePodNetwork(layout: NodeHost, node: NodeLayout): void {
  mkdirSync(node.cniDir, { recursive: true, mode: 0o711 })
  writeIfDifferent(join(node.cniDir, '10-pods.conflist'), cniConfig(layout, node))
}

/** Ends containerd alone: containers run on under their shims, and the next start takes them over. */
export async function stopContainerd(node: NodeLayout): Promise<void> {
  const running = findContainerd(node)
  if (running) await endProcess(running)
  rmSync(node.containerd.pidFile, { force: true })
  rmSync(node.containerd.socket, { force: true })
}

/**
 * Ends everything that runs on a node: its pods, containerd, shims, and whatever else is in its cgroups; removes its mounts, cgroups, pod
 * networks and sockets. Files of the data directory stay. The node's kubelet must have ended before. Works on the remains of a crash, too.
 */
export async function stopNodeRuntime(layout: NodeHost, node: NodeLayout, traits: RuntimeTraits): Promise<void> {
  const podNetworks = await podNetworksOf(node)
  const remains = findContainerd(node) !== undefined || shimsOf(node).length > 0
  if (remains && existsSync(node.netnsPath)) {
    // containerd knows best how its pods end; it is started again for that if it was killed.
    const sandboxes = await startNodeRuntime(layout, node, traits).then(
      () => removeSandboxes(node),
      () => [],
    )
    await stopContainerd(node)
    for (const id of sandboxes) rmSync(shimSocket(node, id), { force: true })
  }
  await endRemains(node)
  await unmountBelow(node.containerd.state)
  await unmountBelow(node.dir)
  for (const name of await remainingNetns(podNetworks)) await run('ip', ['netns', 'delete', name]).catch(ignore)
  removeCgroupRoot(readCgroups(), node.cgroupRoot)
  rmSync(dirname(node.containerd.socket), { recursive: true, force: true })
  removeCniCache(layout, node)
  removeIfEmpty(layout.runDir)
  removeIfEmpty(dirname(layout.runDir))
}

function waitUntilReady(node: NodeLayout, running: RunningProcess, signal?: AbortSignal): Promise<void> {
  return withNodeCri(node, async runtime => {
    const deadline = performance.now() + 30_000
    for (;;) {
      signal?.throwIfAborted()
      const answers =
        existsSync(node.containerd.socket) && (await Promise.race([runtime.version().then(() => true), pause(2_000)]).catch(() => false))
      if (answers === true) return
      if (!isAlive(running) || performance.now() > deadline) {
        const state = isAlive(running) ? 'does not answer on its socket after 30 s' : 'ended right after its start'
        throw new SetupError(
          `containerd of ${node.name} ${state} (${lastLine(node.containerd.logFile)})`,
          `look into ${node.containerd.logFile}`,
        )
      }
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  })
}

/** Ends and removes every pod, several at a time, and returns their ids. What containerd cannot end is ended by force right after. */
function removeSandboxes(node: NodeLayout): Promise<string[]> {
  return withNodeCri(node, async runtime => {
    const ids = (await runtime.listSandboxes()).map(sandbox => sandbox.id)
    const waiting = [...ids]
    const work = async () => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        const sandbox = id
        await runtime
          .stopSandbox(sandbox)
          .then(() => runtime.removeSandbox(sandbox))
          .catch(() => {})
      }
    }
    await Promise.all(Array.from({ length: 8 }, work))
    return ids
  })
}

/** Does not keep the process alive: an answer that came first leaves nothing to wait for. */
function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds).unref())
}

/** SIGKILL for shims and for everything in the node's cgroups and network namespace. */
async function endRemains(node: NodeLayout): Promise<void> {
  const containerd = findContainerd(node)
  const inNetns =
    node.netns !== '' && existsSync(node.netnsPath)
      ? await run('ip', ['netns', 'pids', node.netns]).then(
          result => result.stdout.split('\n'),
          () => [],
        )
      : []
  const others = [...processesIn(readCgroups(), node.cgroupRoot), ...inNetns.filter(Boolean).map(Number)].flatMap(
    pid => findProcess(pid) ?? [],
  )
  const all = [...(containerd ? [containerd] : []), ...shimsOf(node), ...others].filter(running => running.pid !== process.pid)
  for (const running of all) sendSignal(running, 'SIGKILL')
  await Promise.all(all.map(running => endProcess(running, 0)))
}

/** Names of the pods' network namespaces that have a link into the node's; they can be told apart only while the node's exists. */
async function podNetworksOf(node: NodeLayout): Promise<string[]> {
  if (!existsSync(node.netnsPath)) return []
  const { stdout } = await run('nsenter', [`--net=${node.netnsPath}`, 'ip', 'netns', 'list-id'], { allowCodes: [1, 255] })
  return [...stdout.matchAll(/iproute2 netns name: (cni-[\w-]+)/g)].map(match => match[1]!)
}

async function remainingNetns(names: readonly string[]): Promise<string[]> {
  return names.filter(name => existsSync(`/run/netns/${name}`))
}

/** Where the shim of a sandbox listens: containerd hashes its own address, the CRI namespace and the sandbox's id. */
function shimSocket(node: NodeLayout, sandbox: string): string {
  return `/run/containerd/s/${createHash('sha256')
    .update(join(node.containerd.socket, 'k8s.io', sandbox))
    .digest('hex')}`
}

/** /run may survive a reboot on machines where it is no tmpfs; nothing in it means anything then. */
function forgetEarlierBoot(node: NodeLayout): void {
  if (isOfEarlierBoot(node.containerd.pidFile)) rmSync(dirname(node.containerd.socket), { recursive: true, force: true })
}

function removeCniCache(layout: NodeHost, node: NodeLayout): void {
  const prefix = `${layout.bridge}-${node.number}-`
  for (const directory of ['/var/lib/cni/results', '/var/lib/cni/cache/results']) {
    if (!existsSync(directory)) continue
    for (const name of readdirSync(directory)) if (name.startsWith(prefix)) rmSync(join(directory, name), { force: true })
  }
}

function writeIfDifferent(path: string, text: string): boolean {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
  return true
}

function limitLog(path: string): void {
  if (existsSync(path) && statSync(path).size > LOG_LIMIT_BYTES) renameSync(path, `${path}.old`)
}

function lastLine(path: string): string {
  return existsSync(path) ? (readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '').slice(0, 300) : 'it wrote nothing'
}

function removeIfEmpty(directory: string): void {
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory)
}

function ignore(error: unknown): void {
  if (!(error instanceof ProcessError)) throw error
}
