import { stat } from 'node:fs/promises'
import type { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { namespaceOf } from '../pods/pod-names.ts'
import { hostPath } from './host-path.ts'
import { type MountedVolume, VolumeError, type VolumePlugin, type VolumeRequest } from './volume-plugin.ts'

/** The volume that a claim is bound to, where it is a path of this node. */
export const persistentVolumeClaim: VolumePlugin = {
  name: 'kubernetes.io/persistent-volume-claim',
  refreshes: false,
  supports: volume => volume.persistentVolumeClaim !== undefined,
  async setUp(request) {
    const { claimName, readOnly = false } = request.volume.persistentVolumeClaim!
    const volume = await boundVolume(request, claimName)
    const mounted = await setUpVolume(request, volume)
    return { ...mounted, readOnly: readOnly || mounted.readOnly }
  },
}

async function boundVolume({ pod, references }: VolumeRequest, claimName: string): Promise<PersistentVolume> {
  const namespace = namespaceOf(pod)
  const claim = await references.claim(namespace, claimName)
  const { volumeName } = claim.spec
  if (claim.status.phase !== 'Bound' || !volumeName) throw new VolumeError(`PersistentVolumeClaim "${claimName}" is not bound`)
  const volume = await references.persistentVolume(volumeName)
  if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
    throw new VolumeError(`PersistentVolume "${volumeName}" is bound to another claim than ${namespace}/${claimName}`)
  }
  return volume
}

async function setUpVolume(request: VolumeRequest, { metadata, spec }: PersistentVolume): Promise<MountedVolume> {
  if (spec.hostPath) return hostPath.setUp({ ...request, volume: { name: request.volume.name, hostPath: spec.hostPath } })
  if (spec.local) {
    const found = await stat(spec.local.path).catch(() => undefined)
    if (!found) throw new VolumeError(`path "${spec.local.path}" does not exist`)
    return { path: spec.local.path, readOnly: false, ...(found.isBlockDevice() ? { device: true } : {}) }
  }
  throw new VolumeError(
    `no volume plugin matched: this kubelet mounts PersistentVolumes of hostPath and local, and "${metadata.name}" is neither`,
  )
}
