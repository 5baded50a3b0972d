import type { Duplex } from 'node:stream'
import type { Clock } from '#base/time/clock.ts'
import {
  type ContainerConfig,
  type ContainerState,
  type ContainerStatus,
  type ExecSyncResult,
  type Runtime,
  RuntimeError,
  type RuntimeEvent,
  type RuntimeImage,
  type SandboxConfig,
  type SandboxStatus,
} from '../runtime.ts'

interface MemoryContainer {
  readonly id: string
  readonly sandboxId: string
  readonly config: ContainerConfig
  readonly createdAtMs: number
  state: ContainerState
  startedAtMs: number
  finishedAtMs: number
  exitCode: number
  reason: string
}

/** A runtime that keeps everything in memory: for tests, which end its containers as they please. */
export interface MemoryRuntime extends Runtime {
  /** What it was asked to do, in order: `run web`, `create a#0`, `start a#0`, `stop a#0 2s` … */
  readonly calls: readonly string[]
  /** The images it has; empty at first. */
  addImage(name: string): void
  /** Ends the running container of that name. */
  exit(name: string, exitCode: number, reason?: string): void
  /** Ends the sandbox of a pod and all in it, as a reboot does. */
  loseSandboxes(): void
  /** What `execSync` answers. */
  onExec: (command: readonly string[]) => ExecSyncResult | Promise<ExecSyncResult>
  /** Refuses the next call of a method with this message. */
  failNext(method: string, message: string): void
  /** Containers do not end by themselves when they are asked to: they use up their grace period. */
  stubborn: boolean
}

export function memoryRuntime(clock: Clock): MemoryRuntime {
  const sandboxes = new Map<string, SandboxStatus & { ready: boolean }>()
  const containers = new Map<string, MemoryContainer>()
  const images = new Map<string, RuntimeImage>()
  const listeners = new Set<(event: RuntimeEvent) => void>()
  const failures = new Map<string, string>()
  const calls: string[] = []
  let next = 1

  const tell = (event: RuntimeEvent) => {
    for (const listener of listeners) listener(event)
  }
  const asked = (method: string, what: string) => {
    calls.push(what)
    const message = failures.get(method)
    failures.delete(method)
    if (message !== undefined) throw new RuntimeError('Unknown', message)
  }
  const find = (id: string) => {
    const found = containers.get(id)
    if (!found) throw new RuntimeError('NotFound', `no container ${id}`)
    return found
  }
  const nameOf = ({ config }: MemoryContainer) => `${config.metadata.name}#${config.metadata.attempt}`
  const end = (container: MemoryContainer, exitCode: number, reason: string) => {
    if (container.state !== 'running') return
    Object.assign(container, { state: 'exited', exitCode, reason, finishedAtMs: clock.now() })
    tell({ id: container.id, type: 'exited' })
  }
  const statusOf = (container: MemoryContainer): ContainerStatus => {
    const { id, config, state, createdAtMs, startedAtMs, finishedAtMs, exitCode, reason } = container
    const { name, attempt } = config.metadata
    const { labels, annotations, logPath } = config
    const image = config.image.image
    return {
      id,
      name,
      attempt,
      state,
      createdAtMs,
      startedAtMs,
      finishedAtMs,
      exitCode,
      image,
      imageRef: image,
      reason,
      message: '',
      labels,
      annotations,
      logPath,
    }
  }
  const ofPod = (podUid: string | undefined, sandbox: SandboxStatus) => podUid === undefined || sandbox.metadata.uid === podUid

  const runtime: MemoryRuntime = {
    calls,
    stubborn: false,
    onExec: () => ({ exitCode: 0, stdout: '', stderr: '' }),
    addImage(name) {
      images.set(name, { id: name, repoTags: [name], repoDigests: [], sizeBytes: 1000, username: '', pinned: false })
    },
    exit(name, exitCode, reason = '') {
      for (const container of containers.values()) if (container.config.metadata.name === name) end(container, exitCode, reason)
    },
    loseSandboxes() {
      for (const container of containers.values()) end(container, 137, 'Error')
      for (const sandbox of sandboxes.values()) sandbox.ready = false
    },
    failNext: (method, message) => void failures.set(method, message),

    version: async () => ({ runtimeName: 'memory', runtimeVersion: '1' }),
    status: async () => ['RuntimeReady', 'NetworkReady'].map(type => ({ type, status: true, reason: '', message: '' })),
    async runSandbox(config: SandboxConfig) {
      asked('runSandbox', `run ${config.metadata.name}`)
      const id = `sandbox-${next++}`
      const { metadata, labels, annotations } = config
      sandboxes.set(id, { id, metadata, labels, annotations, ready: true, createdAtMs: clock.now() + next / 1000, ips: [`10.9.0.${next}`] })
      tell({ id, type: 'started' })
      return id
    },
    async stopSandbox(id) {
      for (const container of containers.values()) if (container.sandboxId === id) end(container, 137, 'Error')
      const sandbox = sandboxes.get(id)
      if (sandbox) sandbox.ready = false
    },
    async removeSandbox(id) {
      if (sandboxes.delete(id)) calls.push('remove sandbox')
      for (const container of containers.values()) if (container.sandboxId === id) containers.delete(container.id)
    },
    async sandboxStatus(id) {
      const found = sandboxes.get(id)
      if (!found) throw new RuntimeError('NotFound', `no sandbox ${id}`)
      return { ...found }
    },
    listSandboxes: async podUid =>
      [...sandboxes.values()]
        .filter(sandbox => ofPod(podUid, sandbox))
        .map(sandbox => ({ ...sandbox }))
        .reverse(),
    async createContainer(sandboxId, config) {
      asked('createContainer', `create ${config.metadata.name}#${config.metadata.attempt}`)
      const id = `container-${next++}`
      const times = { createdAtMs: clock.now() + next / 1000, startedAtMs: 0, finishedAtMs: 0 }
      containers.set(id, { id, sandboxId, config, ...times, state: 'created', exitCode: 0, reason: '' })
      return id
    },
    async startContainer(id) {
      const container = find(id)
      asked('startContainer', `start ${nameOf(container)}`)
      Object.assign(container, { state: 'running', startedAtMs: clock.now() })
      tell({ id, type: 'started' })
    },
    async stopContainer(id, timeoutSeconds) {
      const container = containers.get(id)
      if (container?.state !== 'running') return
      calls.push(`stop ${nameOf(container)} ${timeoutSeconds}s`)
      if (runtime.stubborn) {
        await new Promise<void>(resolve => clock.after(timeoutSeconds * 1000, resolve))
        end(container, 137, 'Error')
      } else end(container, 0, 'Completed')
    },
    async removeContainer(id) {
      containers.delete(id)
    },
    containerStatus: async id => statusOf(find(id)),
    listContainers: async podUid =>
      [...containers.values()]
        .filter(({ sandboxId }) => ofPod(podUid, sandboxes.get(sandboxId)!))
        .map(container => ({ ...statusOf(container), sandboxId: container.sandboxId })),
    reopenLog: async () => {},
    execSync: async (_, command) => runtime.onExec(command),
    exec: async (_, command, streams) => {
      const { exitCode, stdout, stderr } = await runtime.onExec(command)
      streams.stdout?.write(stdout)
      streams.stderr?.write(stderr)
      return { exitCode }
    },
    attach: async () => ({ exitCode: 0 }),
    portForward: async (_, __, stream: Duplex) => {
      stream.end()
    },
    listImages: async () => [...images.values()],
    imageStatus: async name => images.get(name),
    async pullImage(name) {
      asked('pullImage', `pull ${name}`)
      images.set(name, { id: name, repoTags: [name], repoDigests: [], sizeBytes: 1000, username: '', pinned: false })
      return name
    },
    removeImage: async name => void images.delete(name),
    imageFilesystem: async () => undefined,
    stats: async () => [],
    sandboxStats: async () => [],
    onEvent(listener) {
      listeners.add(listener)
      return { [Symbol.dispose]: () => listeners.delete(listener) }
    },
    close() {},
  }
  return runtime
}
