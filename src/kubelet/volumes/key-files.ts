import type { KeyToPath } from '#kinds/core/v1/key-to-path.ts'
import type { ProjectedFile } from './atomic-writer.ts'
import { VolumeError } from './volume-plugin.ts'

/** The files of a config map or secret: all its keys, or those of `items` under the names they give. */
export function keyFiles(
  data: ReadonlyMap<string, Buffer>,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number,
  optional: boolean,
): Map<string, ProjectedFile> {
  const files = new Map<string, ProjectedFile>()
  if (!items || items.length === 0) {
    for (const [key, value] of data) files.set(key, { data: value, mode: defaultMode })
    return files
  }
  for (const { key, path, mode } of items) {
    const value = data.get(key)
    if (value !== undefined) files.set(path, { data: value, mode: mode ?? defaultMode })
    else if (!optional) throw new VolumeError(`references non-existent config key: ${key}`)
  }
  return files
}
