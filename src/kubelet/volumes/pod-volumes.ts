import { chmod, mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { uidOf } from '../pods/pod-names.ts'
import { configMapVolume } from './config-map-volume.ts'
import { downwardApiVolume } from './downward-api-volume.ts'
import { emptyDir } from './empty-dir.ts'
import { hostPath } from './host-path.ts'
import { persistentVolumeClaim } from './persistent-volume-claim.ts'
import { projectedVolume } from './projected-volume.ts'
import { secretVolume } from './secret-volume.ts'
import { type MountedVolume, type Mounter, VolumeError, type VolumePlugin, type VolumeRequest } from './volume-plugin.ts'

/** Every sort of volume this kubelet knows; the first that supports a volume has it. */
export const VOLUME_PLUGINS: readonly VolumePlugin[] = [
  emptyDir,
  hostPath,
  configMapVolume,
  secretVolume,
  projectedVolume,
  downwardApiVolume,
  persistentVolumeClaim,
]

export type VolumeContext = Pick<VolumeRequest, 'references' | 'tokens' | 'running' | 'now'>

/** A volume of a pod that could not be set up. */
export interface VolumeFailure {
  readonly volume: string
  readonly error: Error
}

/** The volumes of the node's pods, below `<root>/pods/<uid>/volumes` as upstream has them. */
export class PodVolumes {
  readonly #podsDirectory: string
  readonly #mounter: Mounter
  readonly #plugins: readonly VolumePlugin[]

  constructor(rootDirectory: string, mounter: Mounter, plugins: readonly VolumePlugin[] = VOLUME_PLUGINS) {
    this.#podsDirectory = join(rootDirectory, 'pods')
    this.#mounter = mounter
    this.#plugins = plugins
  }

  podDirectory(podUid: string): string {
    return join(this.#podsDirectory, podUid)
  }

  /** Sets up every volume that a container of the pod mounts. Nothing is thrown: what failed is in the answer. */
  async setUp(pod: Pod, context: VolumeContext): Promise<{ mounted: Map<string, MountedVolume>; failures: VolumeFailure[] }> {
    const mounted = new Map<string, MountedVolume>()
    const failures: VolumeFailure[] = []
    const set = async (name: string, setUp: Promise<MountedVolume>) => {
      try {
        mounted.set(name, await setUp)
      } catch (error) {
        failures.push({ volume: name, error: error instanceof Error ? error : new Error(String(error)) })
      }
    }
    await Promise.all((pod.spec.volumes ?? []).map(volume => set(volume.name, this.#setUpOne(pod, volume, context))))
    return { mounted, failures }
  }

  /** Sets up again what may have changed; answers when the next time is due, if it is before the usual. */
  async refresh(pod: Pod, context: VolumeContext): Promise<{ failures: VolumeFailure[]; refreshAtMs: number | undefined }> {
    const failures: VolumeFailure[] = []
    let refreshAtMs: number | undefined
    for (const volume of pod.spec.volumes ?? []) {
      if (!this.#plugins.find(plugin => plugin.supports(volume))?.refreshes) continue
      try {
        const { refreshAtMs: due } = await this.#setUpOne(pod, volume, context)
        if (due !== undefined) refreshAtMs = Math.min(refreshAtMs ?? due, due)
      } catch (error) {
        failures.push({ volume: volume.name, error: error instanceof Error ? error : new Error(String(error)) })
      }
    }
    return { failures, refreshAtMs }
  }

  /** Unmounts and removes all that was kept for a pod. */
  async tearDown(podUid: string): Promise<void> {
    const directory = this.podDirectory(podUid)
    for (const path of await this.#mounter.mountsUnder(directory)) await this.#mounter.unmount(path)
    await rm(directory, { recursive: true, force: true })
  }

  /** The pods something is kept of. */
  async pods(): Promise<string[]> {
    return readdir(this.#podsDirectory).catch(() => [])
  }

  async #setUpOne(pod: Pod, volume: NonNullable<Pod['spec']['volumes']>[number], context: VolumeContext): Promise<MountedVolume> {
    const plugin = this.#plugins.find(candidate => candidate.supports(volume))
    if (!plugin) {
      const source = Object.keys(volume).find(key => key !== 'name') ?? 'nothing'
      throw new VolumeError(`no volume plugin matched: this kubelet has none for ${source}`)
    }
    const directory = join(this.podDirectory(uidOf(pod)), 'volumes', plugin.name.replace('/', '~'), volume.name)
    return plugin.setUp({ pod, volume, directory, mounter: this.#mounter, ...context })
  }
}

/** The path of a subPath within a volume, made if it is missing; links may not lead out of the volume. */
export async function resolveSubPath(volumePath: string, subPath: string, make: boolean): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..'))
    throw new VolumeError(`subPath "${subPath}" must be relative and may not contain '..'`)
  const root = await realpath(volumePath)
  const inside = (path: string) => path === root || path.startsWith(`${root}/`)
  let path = root
  for (const part of subPath.split('/').filter(piece => piece !== '' && piece !== '.')) {
    const next = join(path, part)
    const resolved = await realpath(next).catch(() => undefined)
    if (resolved === undefined) {
      if (!make) throw new VolumeError(`failed to prepare subPath for volumeMount: ${subPath} does not exist`)
      await mkdir(next, { mode: 0o750 })
      await chmod(next, 0o750)
      path = next
      continue
    }
    if (!inside(resolved)) throw new VolumeError(`failed to prepare subPath for volumeMount: ${subPath} leads out of the volume`)
    path = resolved
  }
  return path
}
