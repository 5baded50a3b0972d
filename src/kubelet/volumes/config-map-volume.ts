import { writeAtomically } from './atomic-writer.ts'
import { configMapFiles } from './projections.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** The keys of a ConfigMap as files. */
export const configMapVolume: VolumePlugin = {
  name: 'kubernetes.io/configmap',
  refreshes: true,
  supports: volume => volume.configMap !== undefined,
  async setUp(request) {
    const { name, items, optional, defaultMode } = request.volume.configMap!
    const files = await configMapFiles(request, { name: name ?? '', items, optional }, defaultMode)
    await writeAtomically(request.directory, files, request.now, request.pod.spec.securityContext.fsGroup)
    return { path: request.directory, readOnly: true }
  },
}
