import type { Duplex, Readable, Writable } from 'node:stream'

/**
 * What runs containers, in the words of the Container Runtime Interface: sandboxes (a pod's shared namespaces), containers, images.
 * The kubelet knows no other; implementations are a CRI socket (`cri/`) and memory (`memory/`).
 *
 * Every method rejects with a {@link RuntimeError}.
 */
export interface Runtime {
  version(): Promise<RuntimeVersion>
  /** The runtime's own opinion of itself: conditions `RuntimeReady` and `NetworkReady`. */
  status(): Promise<readonly RuntimeCondition[]>

  runSandbox(config: SandboxConfig): Promise<string>
  stopSandbox(id: string): Promise<void>
  removeSandbox(id: string): Promise<void>
  sandboxStatus(id: string): Promise<SandboxStatus>
  /** All sandboxes, or those of one pod, newest first. */
  listSandboxes(podUid?: string): Promise<readonly Sandbox[]>

  createContainer(sandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** Asks the container to end and kills it after `timeoutSeconds`; resolves when it has ended. */
  stopContainer(id: string, timeoutSeconds: number): Promise<void>
  removeContainer(id: string): Promise<void>
  containerStatus(id: string): Promise<ContainerStatus>
  listContainers(podUid?: string): Promise<readonly RuntimeContainer[]>
  /** Makes the runtime open the container's log file anew, after it was renamed. */
  reopenLog(id: string): Promise<void>

  /** Runs a command in a container to its end. Rejects with code `DeadlineExceeded` after `timeoutSeconds`. */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecSyncResult>
  /** Runs a command joined to `streams`; resolves when it has ended. */
  exec(id: string, command: readonly string[], streams: ExecStreams): Promise<ExecOutcome>
  /** Joins `streams` to the container's main process. */
  attach(id: string, streams: ExecStreams): Promise<ExecOutcome>
  /** Joins `stream` to a TCP port in the pod's network; resolves when either side has ended, rejects when nobody listens. */
  portForward(sandboxId: string, port: number, stream: Duplex): Promise<void>

  listImages(): Promise<readonly RuntimeImage[]>
  /** The image, or undefined when it is not on this node. */
  imageStatus(image: string): Promise<RuntimeImage | undefined>
  pullImage(image: string, auth: ImageAuth | undefined, sandboxConfig: SandboxConfig | undefined): Promise<string>
  removeImage(image: string): Promise<void>
  imageFilesystem(): Promise<{ readonly usedBytes: number; readonly inodesUsed: number; readonly mountpoint: string } | undefined>

  stats(): Promise<readonly ContainerStats[]>
  sandboxStats(): Promise<readonly SandboxStats[]>

  /** Calls `listener` soon after a container or sandbox has started or ended. Events may be lost: relist now and then. */
  onEvent(listener: (event: RuntimeEvent) => void): Disposable
  close(): void
}

/** `NotFound`, `DeadlineExceeded`, `Unavailable` … as gRPC names them. */
export type RuntimeErrorCode =
  | 'NotFound'
  | 'DeadlineExceeded'
  | 'Unavailable'
  | 'Unimplemented'
  | 'InvalidArgument'
  | 'AlreadyExists'
  | 'Unknown'

/** A refusal of the runtime, in its own words. */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RuntimeError'
    this.code = code
  }
}

export function isRuntimeError(error: unknown, code: RuntimeErrorCode): boolean {
  return error instanceof RuntimeError && error.code === code
}

export interface RuntimeVersion {
  readonly runtimeName: string
  readonly runtimeVersion: string
}

export interface RuntimeCondition {
  readonly type: string
  readonly status: boolean
  readonly reason: string
  readonly message: string
}

export interface RuntimeEvent {
  /** The container or sandbox it is about; empty for `lost`. */
  readonly id: string
  /** `lost`: events may not have come through for a while. */
  readonly type: 'started' | 'exited' | 'oom' | 'lost'
}

export interface Sandbox {
  readonly id: string
  readonly metadata: SandboxMetadata
  readonly ready: boolean
  readonly createdAtMs: number
  readonly labels: Readonly<Record<string, string>>
}

export interface SandboxStatus extends Sandbox {
  /** Empty for a pod in the node's network. */
  readonly ips: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
}

export interface SandboxMetadata {
  readonly name: string
  readonly uid: string
  readonly namespace: string
  readonly attempt: number
}

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET'

export interface NamespaceOptions {
  readonly network: NamespaceMode
  readonly pid: NamespaceMode
  readonly ipc: NamespaceMode
  readonly targetId?: string
}

export interface Int64Value {
  readonly value: number
}

export interface SecurityProfile {
  readonly profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  readonly localhostRef?: string
}

/** Fields are those of the CRI message of the same name. */
export interface SandboxConfig {
  readonly metadata: SandboxMetadata
  readonly hostname?: string
  readonly logDirectory: string
  readonly dnsConfig?: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] }
  readonly portMappings?: readonly {
    readonly protocol: 'TCP' | 'UDP' | 'SCTP'
    readonly containerPort: number
    readonly hostPort: number
    readonly hostIp: string
  }[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly runtimeHandler?: string
  readonly linux: {
    readonly cgroupParent?: string
    readonly sysctls?: Readonly<Record<string, string>>
    readonly securityContext: {
      readonly namespaceOptions: NamespaceOptions
      readonly runAsUser?: Int64Value
      readonly runAsGroup?: Int64Value
      readonly supplementalGroups?: readonly number[]
      readonly privileged?: boolean
      readonly seccomp?: SecurityProfile
    }
  }
}

export interface ContainerResources {
  readonly cpuPeriod?: number
  readonly cpuQuota?: number
  readonly cpuShares?: number
  readonly memoryLimitInBytes?: number
  readonly oomScoreAdj?: number
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
}

export interface Mount {
  readonly containerPath: string
  readonly hostPath: string
  readonly readonly?: boolean
  readonly propagation?: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL'
}

/** Fields are those of the CRI message of the same name. */
export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number }
  readonly image: { readonly image: string }
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly envs: readonly { readonly key: string; readonly value: string }[]
  readonly mounts: readonly Mount[]
  readonly devices?: readonly { readonly containerPath: string; readonly hostPath: string; readonly permissions: string }[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Relative to the sandbox's log directory. */
  readonly logPath: string
  readonly stdin?: boolean
  readonly stdinOnce?: boolean
  readonly tty?: boolean
  readonly linux: {
    readonly resources: ContainerResources
    readonly securityContext: {
      readonly capabilities?: { readonly addCapabilities: readonly string[]; readonly dropCapabilities: readonly string[] }
      readonly privileged?: boolean
      readonly namespaceOptions: NamespaceOptions
      readonly runAsUser?: Int64Value
      readonly runAsGroup?: Int64Value
      readonly runAsUsername?: string
      readonly readonlyRootfs?: boolean
      readonly supplementalGroups?: readonly number[]
      readonly noNewPrivs?: boolean
      readonly maskedPaths?: readonly string[]
      readonly readonlyPaths?: readonly string[]
      readonly seccomp?: SecurityProfile
    }
  }
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface RuntimeContainer {
  readonly id: string
  readonly sandboxId: string
  readonly name: string
  readonly attempt: number
  readonly state: ContainerState
  readonly createdAtMs: number
  readonly labels: Readonly<Record<string, string>>
}

export interface ContainerStatus {
  readonly id: string
  readonly name: string
  readonly attempt: number
  readonly state: ContainerState
  readonly createdAtMs: number
  readonly startedAtMs: number
  readonly finishedAtMs: number
  readonly exitCode: number
  /** The name the container was made from, and what it resolved to. */
  readonly image: string
  readonly imageRef: string
  /** `OOMKilled`, `Error`, `Completed` … */
  readonly reason: string
  readonly message: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly logPath: string
}

export interface ExecSyncResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** The ends a process in a container is joined to. With `tty` there is no `stderr`. */
export interface ExecStreams {
  readonly stdin?: Readable | undefined
  readonly stdout?: Writable | undefined
  readonly stderr?: Writable | undefined
  readonly tty: boolean
  /** Calls `listener` with each new size of the terminal, the present one first. */
  readonly onResize?: ((listener: (size: TerminalSize) => void) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface TerminalSize {
  readonly width: number
  readonly height: number
}

/** How a joined process ended, as the v4 stream protocol reports it. */
export interface ExecOutcome {
  readonly exitCode: number
  /** Why it could not be run at all; then `exitCode` says nothing. */
  readonly error?: string
}

export interface RuntimeImage {
  readonly id: string
  readonly repoTags: readonly string[]
  readonly repoDigests: readonly string[]
  readonly sizeBytes: number
  /** The user the image runs as: a number, or a name, or neither (root). */
  readonly uid?: number
  readonly username: string
  readonly pinned: boolean
}

export interface ImageAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly serverAddress?: string
  readonly identityToken?: string
  readonly registryToken?: string
}

export interface ContainerStats {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly timestampMs: number
  readonly cpuNanoSeconds: number
  readonly memoryWorkingSetBytes: number
  readonly memoryUsageBytes: number
  readonly memoryRssBytes: number
  readonly writableLayerBytes: number
}

export interface SandboxStats {
  readonly id: string
  readonly metadata: SandboxMetadata
  readonly timestampMs: number
  readonly cpuNanoSeconds: number
  readonly memoryWorkingSetBytes: number
  readonly memoryUsageBytes: number
  readonly memoryRssBytes: number
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly processes: number
}
