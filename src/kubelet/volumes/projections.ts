import type { KeyToPath } from '#kinds/core/v1/key-to-path.ts'
import type { DownwardAPIVolumeFile } from '#kinds/core/v1/projected-volume.ts'
import { fieldOf, resourceFieldOf } from '../pods/pod-fields.ts'
import { namespaceOf } from '../pods/pod-names.ts'
import type { ProjectedFile } from './atomic-writer.ts'
import { keyFiles } from './key-files.ts'
import { VolumeError, type VolumeRequest } from './volume-plugin.ts'

interface KeySource {
  readonly name: string
  readonly items?: readonly KeyToPath[] | undefined
  readonly optional?: boolean | undefined
}

/** The files a config map brings into a volume. */
export async function configMapFiles(request: VolumeRequest, source: KeySource, mode: number): Promise<Map<string, ProjectedFile>> {
  const optional = source.optional ?? false
  const found = await find(
    () => request.references.configMap(namespaceOf(request.pod), source.name),
    optional,
    `configmap "${source.name}" not found`,
  )
  const data = new Map<string, Buffer>()
  for (const [key, value] of Object.entries(found?.data ?? {})) data.set(key, Buffer.from(value))
  for (const [key, value] of Object.entries(found?.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'))
  return keyFiles(data, source.items, mode, optional)
}

/** The files a secret brings into a volume. */
export async function secretFiles(request: VolumeRequest, source: KeySource, mode: number): Promise<Map<string, ProjectedFile>> {
  const optional = source.optional ?? false
  const found = await find(
    () => request.references.secret(namespaceOf(request.pod), source.name),
    optional,
    `secret "${source.name}" not found`,
  )
  const data = new Map(Object.entries(found?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
  return keyFiles(data, source.items, mode, optional)
}

/** The files in which a pod reads of itself. */
export function downwardFiles(
  request: VolumeRequest,
  items: readonly DownwardAPIVolumeFile[],
  defaultMode: number,
): Map<string, ProjectedFile> {
  const files = new Map<string, ProjectedFile>()
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    let text = ''
    if (fieldRef) text = fieldOf(request.pod, fieldRef.fieldPath, request.running)
    else if (resourceFieldRef) text = resourceFieldOf(request.pod, resourceFieldRef, undefined, request.running)
    files.set(path, { data: Buffer.from(text), mode: mode ?? defaultMode })
  }
  return files
}

async function find<T>(get: () => Promise<T>, optional: boolean, missing: string): Promise<T | undefined> {
  try {
    return await get()
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === 404
    if (isMissing && optional) return undefined
    throw new VolumeError(isMissing ? missing : (error as Error).message, { cause: error })
  }
}
