import { setMaxListeners } from 'node:events'
import type { Logger } from '#base/log/logger.ts'
import { type Clock, sleep, type Timer } from '#base/time/clock.ts'
import {
  type ContainerState,
  type ContainerStats,
  type ContainerStatus,
  isRuntimeError,
  type Runtime,
  type RuntimeContainer,
  type RuntimeEvent,
  type RuntimeImage,
  type Sandbox,
  type SandboxStats,
} from '../runtime.ts'
import { type CriChannel, openCriChannel } from './cri-channel.ts'
import type * as Cri from './cri-messages.ts'
import { attachStreams, forwardPort } from './cri-streams.ts'

/** What a CRI runtime needs. */
export interface CriOptions {
  /** `unix:///run/containerd/containerd.sock` */
  readonly address: string
  readonly clock: Clock
  readonly log: Logger
}

const POD_UID_LABEL = 'io.kubernetes.pod.uid'
/** StopContainer answers when the container is gone: the call may take as long as the grace period, and then some. */
const STOP_MARGIN_MS = 120_000
const PULL_TIMEOUT_MS = 60 * 60_000

/** The runtime behind a CRI socket; containerd is the one that is tried. */
export function criRuntime(options: CriOptions): Runtime {
  const channel = openCriChannel(options.address, () => options.clock.now())
  const runtime = <Response>(method: string, request: object, timeoutMs?: number) =>
    channel.call<Response>('RuntimeService', method, request, timeoutMs === undefined ? {} : { timeoutMs })
  const image = <Response>(method: string, request: object, timeoutMs?: number) =>
    channel.call<Response>('ImageService', method, request, timeoutMs === undefined ? {} : { timeoutMs })
  const gone = ignoring('NotFound')
  return {
    async version() {
      return runtime<Cri.VersionResponse>('Version', {})
    },
    async status() {
      return (await runtime<Cri.StatusResponse>('Status', {})).status?.conditions ?? []
    },
    async runSandbox(config) {
      const { runtimeHandler, ...rest } = config
      return (await runtime<Cri.SandboxIdMessage>('RunPodSandbox', { config: rest, runtimeHandler: runtimeHandler ?? '' }, 240_000))
        .podSandboxId
    },
    stopSandbox: id => gone(runtime('StopPodSandbox', { podSandboxId: id })),
    removeSandbox: id => gone(runtime('RemovePodSandbox', { podSandboxId: id })),
    async sandboxStatus(id) {
      const { status } = await runtime<Cri.PodSandboxStatusResponse>('PodSandboxStatus', { podSandboxId: id })
      const ips = status!.network?.ip ? [status!.network.ip, ...status!.network.additionalIps.map(({ ip }) => ip)] : []
      return { ...sandboxOf(status!), ips, annotations: status!.annotations }
    },
    async listSandboxes(podUid) {
      const { items } = await runtime<Cri.ListPodSandboxResponse>('ListPodSandbox', { filter: { labelSelector: selector(podUid) } })
      return items.map(sandboxOf).sort((a, b) => b.createdAtMs - a.createdAtMs)
    },
    async createContainer(sandboxId, config, sandboxConfig) {
      const request = { podSandboxId: sandboxId, config, sandboxConfig }
      return (await runtime<Cri.ContainerIdMessage>('CreateContainer', request)).containerId
    },
    startContainer: async id => {
      await runtime('StartContainer', { containerId: id })
    },
    stopContainer: (id, timeoutSeconds) =>
      gone(runtime('StopContainer', { containerId: id, timeout: timeoutSeconds }, timeoutSeconds * 1000 + STOP_MARGIN_MS)),
    removeContainer: id => gone(runtime('RemoveContainer', { containerId: id })),
    async containerStatus(id) {
      const { status } = await runtime<Cri.ContainerStatusResponse>('ContainerStatus', { containerId: id })
      return containerStatusOf(status!)
    },
    async listContainers(podUid) {
      const { containers } = await runtime<Cri.ListContainersResponse>('ListContainers', { filter: { labelSelector: selector(podUid) } })
      return containers.map(containerOf)
    },
    reopenLog: async id => {
      await runtime('ReopenContainerLog', { containerId: id })
    },
    async execSync(id, command, timeoutSeconds) {
      const request = { containerId: id, cmd: command, timeout: timeoutSeconds }
      const response = await runtime<Cri.ExecSyncResponse>('ExecSync', request, timeoutSeconds * 1000 + 5000)
      return { exitCode: response.exitCode, stdout: response.stdout.toString('utf8'), stderr: response.stderr.toString('utf8') }
    },
    async exec(id, command, streams) {
      const wanted = { stdin: streams.stdin !== undefined, stdout: streams.stdout !== undefined }
      const stderr = streams.stderr !== undefined && !streams.tty
      const { url } = await runtime<Cri.UrlResponse>('Exec', { containerId: id, cmd: command, tty: streams.tty, ...wanted, stderr })
      return attachStreams(url, streams)
    },
    async attach(id, streams) {
      const wanted = { stdin: streams.stdin !== undefined, stdout: streams.stdout !== undefined }
      const stderr = streams.stderr !== undefined && !streams.tty
      const { url } = await runtime<Cri.UrlResponse>('Attach', { containerId: id, tty: streams.tty, ...wanted, stderr })
      return attachStreams(url, streams)
    },
    async portForward(sandboxId, port, stream) {
      const { url } = await runtime<Cri.UrlResponse>('PortForward', { podSandboxId: sandboxId, port: [port] })
      await forwardPort(url, port, stream)
    },
    async listImages() {
      return (await image<Cri.ListImagesResponse>('ListImages', {})).images.map(imageOf)
    },
    async imageStatus(name) {
      const { image: found } = await image<Cri.ImageStatusResponse>('ImageStatus', { image: { image: name } })
      return found ? imageOf(found) : undefined
    },
    async pullImage(name, auth, sandboxConfig) {
      const request = { image: { image: name }, auth: auth ?? null, sandboxConfig }
      return (await image<Cri.PullImageResponse>('PullImage', request, PULL_TIMEOUT_MS)).imageRef
    },
    removeImage: name => gone(image('RemoveImage', { image: { image: name } })),
    async imageFilesystem() {
      const { imageFilesystems } = await image<Cri.ImageFsInfoResponse>('ImageFsInfo', {})
      const first = imageFilesystems[0]
      if (!first) return undefined
      return { usedBytes: first.usedBytes?.value ?? 0, inodesUsed: first.inodesUsed?.value ?? 0, mountpoint: first.fsId?.mountpoint ?? '' }
    },
    async stats() {
      return (await runtime<Cri.ListContainerStatsResponse>('ListContainerStats', {})).stats.map(statsOf)
    },
    /** One by one: containerd 1.6 refuses to tell of any as long as one of them has ended. */
    async sandboxStats() {
      const isReady = async () => new Set((await this.listSandboxes()).filter(({ ready }) => ready).map(({ id }) => id))
      const read = async (podSandboxId: string) => {
        try {
          const { stats } = await runtime<Cri.PodSandboxStatsResponse>('PodSandboxStats', { podSandboxId })
          return stats ? sandboxStatsOf(stats) : []
        } catch (error) {
          if ((await isReady()).has(podSandboxId)) throw error
          return [] // it has ended meanwhile
        }
      }
      return (await Promise.all([...(await isReady())].map(read))).flat()
    },
    onEvent: listener => followEvents(channel, options, listener, id => hasEnded(channel, id)),
    close: () => channel.close(),
  }
}

const selector = (podUid: string | undefined) => (podUid === undefined ? {} : { [POD_UID_LABEL]: podUid })
const ms = (nanoseconds: number) => nanoseconds / 1e6

function ignoring(code: 'NotFound') {
  return async (call: Promise<unknown>) => {
    try {
      await call
    } catch (error) {
      if (!isRuntimeError(error, code)) throw error
    }
  }
}

function sandboxOf(sandbox: Cri.PodSandbox): Sandbox {
  return {
    id: sandbox.id,
    metadata: sandbox.metadata!,
    ready: sandbox.state === 'SANDBOX_READY',
    createdAtMs: ms(sandbox.createdAt),
    labels: sandbox.labels,
  }
}

const STATES: Readonly<Record<string, ContainerState>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
}

function containerOf(container: Cri.Container): RuntimeContainer {
  return {
    id: container.id,
    sandboxId: container.podSandboxId,
    name: container.metadata!.name,
    attempt: container.metadata!.attempt,
    state: STATES[container.state] ?? 'unknown',
    createdAtMs: ms(container.createdAt),
    labels: container.labels,
  }
}

function containerStatusOf(status: Cri.ContainerStatus): ContainerStatus {
  return {
    id: status.id,
    name: status.metadata!.name,
    attempt: status.metadata!.attempt,
    state: STATES[status.state] ?? 'unknown',
    createdAtMs: ms(status.createdAt),
    startedAtMs: ms(status.startedAt),
    finishedAtMs: ms(status.finishedAt),
    exitCode: status.exitCode,
    image: status.image?.image ?? '',
    imageRef: status.imageRef,
    reason: status.reason,
    message: status.message,
    labels: status.labels,
    annotations: status.annotations,
    logPath: status.logPath,
  }
}

function imageOf(image: Cri.Image): RuntimeImage {
  return {
    id: image.id,
    repoTags: image.repoTags,
    repoDigests: image.repoDigests,
    sizeBytes: image.size,
    username: image.username,
    pinned: image.pinned,
    ...(image.uid ? { uid: image.uid.value } : {}),
  }
}

function statsOf(stats: Cri.ContainerStats): ContainerStats {
  return {
    id: stats.attributes!.id,
    labels: stats.attributes!.labels,
    timestampMs: ms(stats.cpu?.timestamp ?? 0),
    cpuNanoSeconds: stats.cpu?.usageCoreNanoSeconds?.value ?? 0,
    memoryWorkingSetBytes: stats.memory?.workingSetBytes?.value ?? 0,
    memoryUsageBytes: stats.memory?.usageBytes?.value ?? 0,
    memoryRssBytes: stats.memory?.rssBytes?.value ?? 0,
    writableLayerBytes: stats.writableLayer?.usedBytes?.value ?? 0,
  }
}

function sandboxStatsOf(stats: Cri.PodSandboxStats): SandboxStats[] {
  if (!stats.attributes?.metadata) return []
  const linux = stats.linux
  return [
    {
      id: stats.attributes.id,
      metadata: stats.attributes.metadata,
      timestampMs: ms(linux?.cpu?.timestamp ?? 0),
      cpuNanoSeconds: linux?.cpu?.usageCoreNanoSeconds?.value ?? 0,
      memoryWorkingSetBytes: linux?.memory?.workingSetBytes?.value ?? 0,
      memoryUsageBytes: linux?.memory?.usageBytes?.value ?? 0,
      memoryRssBytes: linux?.memory?.rssBytes?.value ?? 0,
      receivedBytes: linux?.network?.defaultInterface?.rxBytes?.value ?? 0,
      sentBytes: linux?.network?.defaultInterface?.txBytes?.value ?? 0,
      processes: linux?.process?.processCount?.value ?? 0,
    },
  ]
}

const EVENT_TYPES: Readonly<Record<string, RuntimeEvent['type']>> = {
  '/tasks/start': 'started',
  '/tasks/exit': 'exited',
  '/tasks/oom': 'oom',
}
const SUBSCRIBE_AGAIN_MS = 500
/** After an end was announced, the runtime's own books follow within moments: how long to wait between looks. */
const SETTLE_MS = [0, 5, 10, 20, 40, 80, 160, 320, 640]

/** Follows containerd's task events, subscribing again whenever the stream breaks. An end is told once the runtime's own books show it. */
function followEvents(
  channel: CriChannel,
  { clock, log }: CriOptions,
  listener: (event: RuntimeEvent) => void,
  hasEnded: (id: string) => Promise<boolean>,
): Disposable {
  const ended = new AbortController()
  setMaxListeners(0, ended.signal) // As many containers may end at once as there are.
  let subscription: Disposable | undefined
  let timer: Timer | undefined
  const settle = async (event: RuntimeEvent) => {
    for (const delayMs of SETTLE_MS) {
      if (delayMs > 0) await sleep(clock, delayMs, ended.signal)
      if (await hasEnded(event.id)) break
    }
    if (!ended.signal.aborted) listener(event)
  }
  const subscribe = () => {
    subscription = channel.subscribe(
      ['topic~="^/tasks/(start|exit|oom)"'],
      (topic, body) => {
        const type = EVENT_TYPES[topic]
        const [id, processId] = leadingStringsOf(body)
        if (!type || id === undefined) return
        if (type !== 'exited') return listener({ id, type })
        if (processId === id) settle({ id, type }).catch(() => undefined) // Other processes are those of exec.
      },
      error => {
        if (ended.signal.aborted) return
        log.verbose('the event stream of the container runtime broke; subscribing again', { error: error?.message })
        timer = clock.after(SUBSCRIBE_AGAIN_MS, () => {
          subscribe()
          timer = clock.after(SUBSCRIBE_AGAIN_MS, () => listener({ id: '', type: 'lost' }))
        })
      },
    )
  }
  subscribe()
  return {
    [Symbol.dispose]() {
      ended.abort(new Error('events are no longer followed'))
      timer?.cancel()
      subscription?.[Symbol.dispose]()
    },
  }
}

async function hasEnded(channel: CriChannel, id: string): Promise<boolean> {
  try {
    const { status } = await channel.call<Cri.ContainerStatusResponse>('RuntimeService', 'ContainerStatus', { containerId: id })
    return status?.state !== 'CONTAINER_RUNNING'
  } catch {
    return true // A sandbox, or gone already.
  }
}

/** Every task event begins with the container's id, and that of an exit goes on with the process's: fields 1 and 2, each tag, length, text. */
function leadingStringsOf(body: Buffer): string[] {
  const found: string[] = []
  for (let at = 0; at + 1 < body.length && body[at] === 0x0a + 8 * found.length; ) {
    const length = body[at + 1]!
    if (length >= 0x80) break
    found.push(body.toString('utf8', at + 2, at + 2 + length))
    at += 2 + length
  }
  return found
}
