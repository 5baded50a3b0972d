import { mkdir } from 'node:fs/promises'
import { type ProjectedFile, writeAtomically } from './atomic-writer.ts'
import { configMapFiles, downwardFiles, secretFiles } from './projections.ts'
import { VolumeError, type VolumePlugin } from './volume-plugin.ts'

/** Several sources in one directory, among them the service account's token; in memory, since it may hold secrets. */
export const projectedVolume: VolumePlugin = {
  name: 'kubernetes.io/projected',
  refreshes: true,
  supports: volume => volume.projected !== undefined,
  async setUp(request) {
    const { sources, defaultMode } = request.volume.projected!
    const files = new Map<string, ProjectedFile>()
    let refreshAtMs: number | undefined
    for (const source of sources ?? []) {
      const { configMap, secret, downwardAPI, serviceAccountToken } = source
      if (configMap) merge(files, await configMapFiles(request, { ...configMap, name: configMap.name ?? '' }, defaultMode))
      else if (secret) merge(files, await secretFiles(request, { ...secret, name: secret.name ?? '' }, defaultMode))
      else if (downwardAPI) merge(files, downwardFiles(request, downwardAPI.items ?? [], defaultMode))
      else if (serviceAccountToken) {
        const { audience, expirationSeconds, path } = serviceAccountToken
        const { token, expiresAtMs } = await request.tokens.request(request.pod, audience, expirationSeconds)
        const renewAtMs = expiresAtMs - 0.2 * expirationSeconds * 1000
        refreshAtMs = Math.min(refreshAtMs ?? renewAtMs, renewAtMs)
        files.set(path, { data: Buffer.from(token), ...tokenAccess(request.pod.spec, defaultMode) })
      } else throw new VolumeError(`a source of this projected volume (${Object.keys(source).join(', ')}) is not known to this kubelet`)
    }
    await mkdir(request.directory, { recursive: true })
    await request.mounter.tmpfs(request.directory, { mode: '0755' })
    await writeAtomically(request.directory, files, request.now, request.pod.spec.securityContext.fsGroup)
    return { path: request.directory, readOnly: true, ...(refreshAtMs === undefined ? {} : { refreshAtMs }) }
  },
}

/** The token is for the pod's own user alone, where all its containers run as the same one. */
function tokenAccess(spec: Parameters<VolumePlugin['setUp']>[0]['pod']['spec'], defaultMode: number): { mode: number; uid?: number } {
  if (spec.securityContext.fsGroup !== undefined) return { mode: 0o600 }
  const users = new Set(
    [...spec.containers, ...(spec.initContainers ?? [])].map(
      ({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext.runAsUser,
    ),
  )
  const [user] = users
  return users.size === 1 && user !== undefined ? { mode: 0o600, uid: user } : { mode: defaultMode }
}

function merge(into: Map<string, ProjectedFile>, from: ReadonlyMap<string, ProjectedFile>): void {
  for (const [path, file] of from) into.set(path, file)
}
