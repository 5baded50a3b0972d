/** The answers of a CRI runtime as they come from the wire, for the fields in runtime-v1.proto. Times are nanoseconds since the epoch. */
export interface SandboxIdMessage {
  readonly podSandboxId: string
}
export interface ContainerIdMessage {
  readonly containerId: string
}
export interface UrlResponse {
  readonly url: string
}
export interface VersionResponse {
  readonly runtimeName: string
  readonly runtimeVersion: string
}
export interface StatusResponse {
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: boolean; readonly reason: string; readonly message: string }[]
  } | null
}
export interface PodSandboxMetadata {
  readonly name: string
  readonly uid: string
  readonly namespace: string
  readonly attempt: number
}
export interface PodSandbox {
  readonly id: string
  readonly metadata: PodSandboxMetadata | null
  readonly state: string
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
}
export interface PodSandboxStatus extends PodSandbox {
  readonly network: { readonly ip: string; readonly additionalIps: readonly { readonly ip: string }[] } | null
  readonly annotations: Readonly<Record<string, string>>
}
export interface PodSandboxStatusResponse {
  readonly status: PodSandboxStatus | null
}
export interface ListPodSandboxResponse {
  readonly items: readonly PodSandbox[]
}
export interface Container {
  readonly id: string
  readonly podSandboxId: string
  readonly metadata: { readonly name: string; readonly attempt: number } | null
  readonly state: string
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
}
export interface ListContainersResponse {
  readonly containers: readonly Container[]
}
export interface ContainerStatus extends Omit<Container, 'podSandboxId'> {
  readonly startedAt: number
  readonly finishedAt: number
  readonly exitCode: number
  readonly image: { readonly image: string } | null
  readonly imageRef: string
  readonly reason: string
  readonly message: string
  readonly annotations: Readonly<Record<string, string>>
  readonly logPath: string
}
export interface ContainerStatusResponse {
  readonly status: ContainerStatus | null
}
export interface ExecSyncResponse {
  readonly stdout: Buffer
  readonly stderr: Buffer
  readonly exitCode: number
}
export interface Image {
  readonly id: string
  readonly repoTags: readonly string[]
  readonly repoDigests: readonly string[]
  readonly size: number
  readonly uid: { readonly value: number } | null
  readonly username: string
  readonly pinned: boolean
}
export interface ListImagesResponse {
  readonly images: readonly Image[]
}
export interface ImageStatusResponse {
  readonly image: Image | null
}
export interface PullImageResponse {
  readonly imageRef: string
}
interface UInt64 {
  readonly value: number
}
export interface ImageFsInfoResponse {
  readonly imageFilesystems: readonly {
    readonly fsId: { readonly mountpoint: string } | null
    readonly usedBytes: UInt64 | null
    readonly inodesUsed: UInt64 | null
  }[]
}
interface CpuUsage {
  readonly timestamp: number
  readonly usageCoreNanoSeconds: UInt64 | null
}
interface MemoryUsage {
  readonly workingSetBytes: UInt64 | null
  readonly usageBytes: UInt64 | null
  readonly rssBytes: UInt64 | null
}
export interface ContainerStats {
  readonly attributes: { readonly id: string; readonly labels: Readonly<Record<string, string>> } | null
  readonly cpu: CpuUsage | null
  readonly memory: MemoryUsage | null
  readonly writableLayer: { readonly usedBytes: UInt64 | null } | null
}
export interface ListContainerStatsResponse {
  readonly stats: readonly ContainerStats[]
}
export interface PodSandboxStats {
  readonly attributes: { readonly id: string; readonly metadata: PodSandboxMetadata | null } | null
  readonly linux: {
    readonly cpu: CpuUsage | null
    readonly memory: MemoryUsage | null
    readonly network: { readonly defaultInterface: { readonly rxBytes: UInt64 | null; readonly txBytes: UInt64 | null } | null } | null
    readonly process: { readonly processCount: UInt64 | null } | null
  } | null
}
export interface PodSandboxStatsResponse {
  readonly stats: PodSandboxStats | null
}
