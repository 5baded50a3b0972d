import { mkdir } from 'node:fs/promises'
import { writeAtomically } from './atomic-writer.ts'
import { secretFiles } from './projections.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** The keys of a Secret as files that never touch a disk. */
export const secretVolume: VolumePlugin = {
  name: 'kubernetes.io/secret',
  refreshes: true,
  supports: volume => volume.secret !== undefined,
  async setUp(request) {
    const { secretName, items, optional, defaultMode } = request.volume.secret!
    const files = await secretFiles(request, { name: secretName ?? '', items, optional }, defaultMode)
    await mkdir(request.directory, { recursive: true })
    await request.mounter.tmpfs(request.directory, { mode: '0755' })
    await writeAtomically(request.directory, files, request.now, request.pod.spec.securityContext.fsGroup)
    return { path: request.directory, readOnly: true }
  },
}
