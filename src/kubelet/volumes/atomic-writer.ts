import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { VolumeError } from './volume-plugin.ts'

/** A file of a volume that is written by the kubelet. */
export interface ProjectedFile {
  readonly data: Buffer
  readonly mode: number
  /** Who owns it, if not root. */
  readonly uid?: number
}

const DATA = '..data'

/**
 * Makes `directory` show exactly `files` (by relative path), all at once: the files are in a directory with the time in its name, `..data` is a
 * link to it that is replaced in one step, and each top-level name is a link through `..data`. Writes nothing when nothing changed.
 */
export async function writeAtomically(
  directory: string,
  files: ReadonlyMap<string, ProjectedFile>,
  now: number,
  fsGroup?: number,
): Promise<void> {
  for (const path of files.keys()) checkPath(path)
  await mkdir(directory, { recursive: true })
  const current = await readlink(join(directory, DATA)).catch(() => undefined)
  if (current !== undefined && (await isSame(join(directory, current), files))) return
  const fresh = await mkdtemp(join(directory, `..${stamp(now)}.`))
  await chmod(fresh, 0o755)
  for (const [path, file] of files) {
    const target = join(fresh, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, file.data)
    await chmod(target, fsGroup === undefined ? file.mode : file.mode | 0o040)
    if (fsGroup !== undefined || file.uid !== undefined) await chown(target, file.uid ?? 0, fsGroup ?? 0)
  }
  const link = join(directory, '..data_tmp')
  await rm(link, { force: true })
  await symlink(fresh.slice(directory.length + 1), link)
  await rename(link, join(directory, DATA))
  await linkNames(directory, new Set([...files.keys()].map(path => path.split(sep)[0]!)))
  if (current !== undefined) await rm(join(directory, current), { recursive: true, force: true })
}

async function linkNames(directory: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of names) {
    const path = join(directory, name)
    const present = await lstat(path).catch(() => undefined)
    if (!present) await symlink(join(DATA, name), path)
  }
  for (const name of await readdir(directory)) {
    if (!name.startsWith('..') && !names.has(name)) await rm(join(directory, name), { recursive: true, force: true })
  }
}

async function isSame(directory: string, files: ReadonlyMap<string, ProjectedFile>): Promise<boolean> {
  const present = await walk(directory, '').catch(() => undefined)
  if (present?.length !== files.size) return false
  for (const path of present) {
    const file = files.get(path)
    if (!file?.data.equals(await readFile(join(directory, path)))) return false
  }
  return true
}

async function walk(directory: string, prefix: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(prefix, entry.name)
    if (entry.isDirectory()) found.push(...(await walk(join(directory, entry.name), path)))
    else found.push(path)
  }
  return found
}

function checkPath(path: string): void {
  const parts = path.split('/')
  if (path === '' || path.startsWith('/')) throw new VolumeError(`invalid path ${JSON.stringify(path)}: must be relative and not empty`)
  if (parts.includes('..')) throw new VolumeError(`invalid path ${JSON.stringify(path)}: must not contain '..'`)
  if (parts[0]!.startsWith('..')) throw new VolumeError(`invalid path ${JSON.stringify(path)}: must not start with '..'`)
}

/** `2026_01_31_12_59_59` */
function stamp(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, '_')
}
