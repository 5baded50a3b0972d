import { readFile, statfs } from 'node:fs/promises'
import { arch, availableParallelism, release } from 'node:os'

/** What the machine is and has, as a node's status tells it. */
export interface MachineFacts {
  readonly cpus: number
  readonly memoryBytes: number
  readonly ephemeralStorageBytes: number
  readonly machineID: string
  readonly systemUUID: string
  readonly bootID: string
  readonly kernelVersion: string
  readonly osImage: string
  readonly architecture: string
}

/** How full the machine is just now. */
export interface MachineUsage {
  readonly memoryAvailableBytes: number
  readonly diskAvailableBytes: number
  readonly inodesFree: number
  readonly processes: number
  readonly processLimit: number
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** Asks the machine; `directory` tells whose disk counts. */
export async function readMachineFacts(directory: string): Promise<MachineFacts> {
  const [memory, machineID, uuid, bootID, osRelease, disk] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    firstLine('/etc/machine-id'),
    firstLine('/sys/class/dmi/id/product_uuid'),
    firstLine('/proc/sys/kernel/random/boot_id'),
    readFile('/etc/os-release', 'utf8').catch(() => ''),
    statfs(directory),
  ])
  return {
    cpus: availableParallelism(),
    memoryBytes: meminfo(memory, 'MemTotal'),
    ephemeralStorageBytes: disk.blocks * disk.bsize,
    machineID,
    systemUUID: uuid || machineID,
    bootID,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
    architecture: ARCHITECTURES[arch()] ?? arch(),
  }
}

export async function readMachineUsage(directory: string): Promise<MachineUsage> {
  const [memory, disk, load, limit] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    statfs(directory),
    firstLine('/proc/loadavg'),
    firstLine('/proc/sys/kernel/pid_max'),
  ])
  return {
    memoryAvailableBytes: meminfo(memory, 'MemAvailable'),
    diskAvailableBytes: disk.bavail * disk.bsize,
    inodesFree: disk.files === 0 ? Number.POSITIVE_INFINITY : disk.ffree,
    processes: Number(load.split(' ')[3]?.split('/')[1] ?? 0),
    processLimit: Number(limit) || 32_768,
  }
}

function meminfo(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
}

async function firstLine(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n')[0]!.trim()
}
