import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cgroups } from './cgroups.ts'
import { cpuWeightOf } from './cpu-units.ts'

const MOUNT_POINT = '/sys/fs/cgroup'
/** The controllers that get a pod's directory: those runc joins too. */
const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'devices', 'freezer', 'blkio', 'systemd', 'unified']
const V2_CONTROLLERS = '+cpu +cpuset +memory +pids'

/** The machine's control groups below `root` (such as `/t8s-node1`); finds out which version of the interface is there. */
export async function openCgroups(root: string, mountPoint = MOUNT_POINT): Promise<Cgroups> {
  const unified = await stat(join(mountPoint, 'cgroup.controllers')).catch(() => undefined)
  if (unified) return cgroupsV2(root, mountPoint)
  const present = await readdir(mountPoint).catch((): string[] => [])
  const hierarchies = new Set<string>()
  for (const controller of V1_CONTROLLERS) if (present.includes(controller)) hierarchies.add(controller)
  return cgroupsV1(root, mountPoint, [...hierarchies])
}

function cgroupsV1(root: string, mountPoint: string, controllers: readonly string[]): Cgroups {
  const at = (controller: string, path: string) => join(mountPoint, controller, root, path)
  const has = (controller: string) => controllers.includes(controller)
  return {
    version: 1,
    absolute: path => join('/', root, path),
    async create(path, limits) {
      for (const controller of controllers) await mkdir(at(controller, path), { recursive: true })
      if (has('cpuset')) await inheritCpuset(join(mountPoint, 'cpuset'), join(root, path))
      if (has('cpu')) {
        if (limits.cpuShares !== undefined) await writeFile(join(at('cpu', path), 'cpu.shares'), String(limits.cpuShares))
        if (limits.cpuQuota !== undefined) await writeFile(join(at('cpu', path), 'cpu.cfs_quota_us'), String(limits.cpuQuota))
      }
      if (has('memory') && limits.memoryBytes !== undefined) {
        await writeFile(join(at('memory', path), 'memory.limit_in_bytes'), String(limits.memoryBytes))
      }
      if (has('pids') && limits.pids !== undefined) await writeFile(join(at('pids', path), 'pids.max'), String(limits.pids))
    },
    async remove(path) {
      for (const controller of controllers) await removeTree(at(controller, path))
    },
    children: path => subdirectories(at(controllers.includes('memory') ? 'memory' : (controllers[0] ?? ''), path)),
  }
}

function cgroupsV2(root: string, mountPoint: string): Cgroups {
  const at = (path: string) => join(mountPoint, root, path)
  return {
    version: 2,
    absolute: path => join('/', root, path),
    async create(path, limits) {
      const directory = at(path)
      await mkdir(directory, { recursive: true })
      const parts = join(root, path).split('/').filter(Boolean)
      for (let depth = 0; depth < parts.length; depth++) {
        await writeFile(join(mountPoint, ...parts.slice(0, depth), 'cgroup.subtree_control'), V2_CONTROLLERS).catch(() => {})
      }
      if (limits.cpuShares !== undefined) await writeFile(join(directory, 'cpu.weight'), String(cpuWeightOf(limits.cpuShares)))
      if (limits.cpuQuota !== undefined) await writeFile(join(directory, 'cpu.max'), `${limits.cpuQuota} 100000`)
      if (limits.memoryBytes !== undefined) await writeFile(join(directory, 'memory.max'), String(limits.memoryBytes))
      if (limits.pids !== undefined) await writeFile(join(directory, 'pids.max'), String(limits.pids))
    },
    remove: path => removeTree(at(path)),
    children: path => subdirectories(at(path)),
  }
}

/** A new cpuset has no cpus and no memory nodes, and takes no process until it has: they come from above. */
async function inheritCpuset(mount: string, path: string): Promise<void> {
  const parts = path.split('/').filter(Boolean)
  for (let depth = 1; depth <= parts.length; depth++) {
    const directory = join(mount, ...parts.slice(0, depth))
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = await readFile(join(directory, file), 'utf8').catch(() => 'absent')
      if (own.trim() === '') await writeFile(join(directory, file), await readFile(join(directory, '..', file), 'utf8'))
    }
  }
}

async function removeTree(directory: string): Promise<void> {
  for (const child of await subdirectories(directory)) await removeTree(join(directory, child))
  await rmdir(directory).catch(error => {
    if (error.code !== 'ENOENT') throw error
  })
}

async function subdirectories(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory()).map(entry => entry.name)
}
