import { chmod, chown, mkdir } from 'node:fs/promises'
import { wholeValueOf } from '#machinery/quantity/quantity.ts'
import { VolumeError, type VolumePlugin } from './volume-plugin.ts'

/** A directory that lives as long as its pod, on the node's disk or in memory. */
export const emptyDir: VolumePlugin = {
  name: 'kubernetes.io/empty-dir',
  refreshes: false,
  supports: volume => volume.emptyDir !== undefined,
  async setUp({ pod, volume, directory, mounter }) {
    const { medium = '', sizeLimit } = volume.emptyDir!
    if (medium !== '' && medium !== 'Memory') throw new VolumeError(`storage medium "${medium}" is not available on this node`)
    await mkdir(directory, { recursive: true })
    if (medium === 'Memory')
      await mounter.tmpfs(directory, { mode: '0777', ...(sizeLimit === undefined ? {} : { sizeBytes: wholeValueOf(sizeLimit) }) })
    const group = pod.spec.securityContext.fsGroup
    if (group !== undefined) await chown(directory, 0, group)
    await chmod(directory, group === undefined ? 0o777 : 0o2777)
    return { path: directory, readOnly: false }
  },
}
