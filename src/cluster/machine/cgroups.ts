import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Which cgroup hierarchies hold the controllers. With version 1 each controller has a directory of its own, with version 2 all share one. */
export interface Cgroups {
  readonly version: 1 | 2 | undefined
  readonly controllers: readonly string[]
  /** Directories under which a node's cgroup root exists: one per mounted hierarchy. */
  readonly mounts: readonly string[]
}

/** Controllers without which no container can be limited. */
export const NEEDED_CONTROLLERS = ['cpu', 'memory', 'pids'] as const

/** Reads which hierarchies are mounted, from /proc/self/mounts (or the given text and tree, in tests). */
export function readCgroups(mounts = readFileSync('/proc/self/mounts', 'utf8')): Cgroups {
  const lines = mounts.split('\n').map(line => line.split(' '))
  const v1 = lines.filter(fields => fields[2] === 'cgroup')
  const v2 = lines.find(fields => fields[2] === 'cgroup2')
  const unified = v2?.[1] ? words(join(v2[1], 'cgroup.controllers')) : []
  if (v2?.[1] && NEEDED_CONTROLLERS.every(name => unified.includes(name))) return { version: 2, controllers: unified, mounts: [v2[1]] }
  if (v1.length === 0) return { version: v2 ? 2 : undefined, controllers: unified, mounts: v2?.[1] ? [v2[1]] : [] }
  const controllers = v1.flatMap(fields => (fields[3] ?? '').split(',').filter(option => KNOWN_CONTROLLERS.has(option)))
  return { version: 1, controllers, mounts: [...new Set([...v1.map(fields => fields[1]!), ...(v2?.[1] ? [v2[1]] : [])])] }
}

/** Makes a node's cgroup root in every hierarchy; with version 2 it also hands the controllers down. */
export function ensureCgroupRoot(cgroups: Cgroups, root: string): void {
  for (const mount of cgroups.mounts) {
    const directory = join(mount, root)
    mkdirSync(directory, { recursive: true })
    if (existsSync(join(mount, 'cgroup.controllers'))) delegate(mount, directory)
    else inheritCpuset(mount, directory)
  }
}

/** Removes a node's cgroups, children first; what still has processes stays and is returned. */
export function removeCgroupRoot(cgroups: Cgroups, root: string): string[] {
  return cgroups.mounts.flatMap(mount => removeTree(join(mount, root)))
}

/** Directories of a node's cgroup root that exist. */
export function existingCgroups(cgroups: Cgroups, root: string): string[] {
  return cgroups.mounts.map(mount => join(mount, root)).filter(directory => existsSync(directory))
}

/** The numbers of all processes in a node's cgroups. */
export function processesIn(cgroups: Cgroups, root: string): number[] {
  const found = new Set<number>()
  const visit = (directory: string) => {
    for (const pid of words(join(directory, 'cgroup.procs'))) found.add(Number(pid))
    for (const child of subdirectories(directory)) visit(join(directory, child))
  }
  for (const mount of cgroups.mounts) visit(join(mount, root))
  return [...found].filter(pid => pid > 0)
}

const KNOWN_CONTROLLERS = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'devices',
  'freezer',
  'blkio',
  'pids',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
])

function delegate(parent: string, child: string): void {
  for (const directory of [parent, child]) {
    const enabled = words(join(directory, 'cgroup.subtree_control'))
    for (const controller of words(join(directory, 'cgroup.controllers'))) {
      if (!enabled.includes(controller)) tryWrite(join(directory, 'cgroup.subtree_control'), `+${controller}`)
    }
  }
}

/** A version 1 cpuset without cpus or memory nodes takes no process. */
function inheritCpuset(parent: string, child: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(child, file)) || words(join(child, file)).length > 0) continue
    tryWrite(join(child, file), readFileSync(join(parent, file), 'utf8').trim())
  }
}

function removeTree(directory: string): string[] {
  const left = subdirectories(directory).flatMap(child => removeTree(join(directory, child)))
  if (left.length > 0) return left
  try {
    rmdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return [directory]
  }
  return []
}

function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name)
  } catch {
    return []
  }
}

function tryWrite(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch {
    // a controller that cannot be handed down is missing from what the kubelet finds, and it says so
  }
}

function words(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean)
  } catch {
    return []
  }
}
