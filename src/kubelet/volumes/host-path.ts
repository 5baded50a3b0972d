import type { Stats } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { VolumeError, type VolumePlugin } from './volume-plugin.ts'

/** A path of the node itself. */
export const hostPath: VolumePlugin = {
  name: 'kubernetes.io/host-path',
  refreshes: false,
  supports: volume => volume.hostPath !== undefined,
  async setUp({ volume }) {
    const { path, type } = volume.hostPath!
    const found = await stat(path).catch(() => undefined)
    if (!found && type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
    else if (!found && type === 'FileOrCreate') await (await open(path, 'a', 0o644)).close()
    else check(path, type, found)
    return { path, readOnly: false, ...(found?.isBlockDevice() ? { device: true } : {}) }
  },
}

const CHECKS: Readonly<Record<string, readonly [is: (found: Stats) => boolean, words: string]>> = {
  DirectoryOrCreate: [found => found.isDirectory(), 'is not a directory'],
  Directory: [found => found.isDirectory(), 'is not a directory'],
  FileOrCreate: [found => found.isFile(), 'is not a file'],
  File: [found => found.isFile(), 'is not a file'],
  Socket: [found => found.isSocket(), 'is not a socket file'],
  CharDevice: [found => found.isCharacterDevice(), 'is not a character device'],
  BlockDevice: [found => found.isBlockDevice(), 'is not a block device'],
}

function check(path: string, type: string, found: Stats | undefined): void {
  const rule = CHECKS[type]
  if (rule && !(found && rule[0](found))) throw new VolumeError(`hostPath type check failed: ${path} ${rule[1]}`)
}
