import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Volume } from '#kinds/core/v1/volume.ts'
import type { PodReferences } from '../pods/environment.ts'
import type { RunningFacts } from '../pods/pod-fields.ts'

/** One sort of volume: how it comes to be on the node, and how it goes. */
export interface VolumePlugin {
  /** As upstream names it; its directory is this with `/` as `~`. */
  readonly name: string
  supports(volume: Volume): boolean
  /** Makes the volume and answers with the path on the node that containers mount. Is called again, and then finds its own work. */
  setUp(request: VolumeRequest): Promise<MountedVolume>
  /** Whether what it shows may change while the pod runs, so that {@link setUp} is worth repeating. */
  readonly refreshes: boolean
}

export interface VolumeRequest {
  readonly pod: Pod
  readonly volume: Volume
  /** The volume's own directory; it may not exist yet. */
  readonly directory: string
  readonly references: PodReferences
  readonly tokens: TokenSource
  readonly running: RunningFacts
  readonly mounter: Mounter
  readonly now: number
}

export interface MountedVolume {
  /** What a container's mount is bound to. */
  readonly path: string
  readonly readOnly: boolean
  /** A block device and no directory. */
  readonly device?: boolean
  /** When setting up again is due, if it is before the usual. */
  readonly refreshAtMs?: number
}

/** Gives service account tokens that are bound to a pod. */
export interface TokenSource {
  request(
    pod: Pod,
    audience: string | undefined,
    expirationSeconds: number,
  ): Promise<{ readonly token: string; readonly expiresAtMs: number }>
}

/** Mounts, behind an interface so that tests need no root. */
export interface Mounter {
  /** Mounts a tmpfs of at most `sizeBytes` on a directory, unless there is one. */
  tmpfs(directory: string, options: { readonly sizeBytes?: number; readonly mode: string }): Promise<void>
  /** What is mounted at or below a path, deepest first. */
  mountsUnder(path: string): Promise<readonly string[]>
  unmount(path: string): Promise<void>
}

/** A volume could not be set up; the message is what upstream's event says behind the volume's name. */
export class VolumeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'VolumeError'
  }
}
