import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageFile } from './archive.ts'

/** The files of a folder as entries of a layer below `target`, in the order of their names; modes and links are kept, owners are not. */
export function filesOfFolder(folder: string, target = ''): ImageFile[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name): ImageFile[] => {
      const from = join(folder, name)
      const path = target === '' ? name : `${target.replace(/^\/+|\/+$/g, '')}/${name}`
      const status = lstatSync(from)
      const mode = status.mode & 0o7777
      if (status.isDirectory()) return [{ path, mode }, ...filesOfFolder(from, path)]
      if (status.isSymbolicLink()) return [{ path, mode: 0o777, symbolicLink: readlinkSync(from) }]
      return status.isFile() ? [{ path, mode, content: { file: from } }] : []
    })
}
