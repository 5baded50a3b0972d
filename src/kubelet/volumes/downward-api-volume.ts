import { writeAtomically } from './atomic-writer.ts'
import { downwardFiles } from './projections.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** What a pod may read of itself, as files. */
export const downwardApiVolume: VolumePlugin = {
  name: 'kubernetes.io/downward-api',
  refreshes: true,
  supports: volume => volume.downwardAPI !== undefined,
  async setUp(request) {
    const { items = [], defaultMode } = request.volume.downwardAPI!
    await writeAtomically(
      request.directory,
      downwardFiles(request, items, defaultMode),
      request.now,
      request.pod.spec.securityContext.fsGroup,
    )
    return { path: request.directory, readOnly: true }
  },
}
