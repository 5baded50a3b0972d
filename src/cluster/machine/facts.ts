import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, release, totalmem } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type Cgroups, readCgroups } from './cgroups.ts'

/** What was found on this machine. Nothing in here was changed to find it. */
export interface MachineFacts {
  readonly platform: string
  readonly architecture: string
  /** `Debian GNU/Linux 12 (bookworm)` */
  readonly system: string
  /** `debian` and what it is like: decides whether apt-get may be used. */
  readonly systemIds: readonly string[]
  readonly kernel: string
  readonly isRoot: boolean
  readonly processors: number
  readonly memoryBytes: number
  readonly diskFreeBytes: number
  readonly capabilities: ReadonlySet<string>
  readonly cgroups: Cgroups
  readonly appArmor: boolean
  readonly bridgeNetfilter: boolean
  /** True when /sbin/init is systemd. */
  readonly systemd: boolean
  /** File system type number of the data directory's disk. */
  readonly fileSystem: number
  /** Programs that were found on PATH (or where CNI plugins live), of those asked for. */
  readonly programs: ReadonlyMap<string, string>
}

/** Programs a real node needs, wherever they are. */
export const NODE_PROGRAMS = [
  'containerd',
  'runc',
  'ctr',
  'nft',
  'iptables',
  'conntrack',
  'ip',
  'nsenter',
  'mount',
  'busybox',
  'modprobe',
] as const

/** Where Debian and the upstream release put the CNI plugins, in the order they are tried. */
export const CNI_DIRECTORIES = ['/usr/lib/cni', '/opt/cni/bin'] as const

/** Looks at the machine; `dataDir` need not exist yet. */
export function inspectMachine(dataDir: string): MachineFacts {
  const os = osRelease()
  const disk = statfsSync(nearestExisting(dataDir))
  return {
    platform: process.platform,
    architecture: arch(),
    system: os['PRETTY_NAME'] ?? process.platform,
    systemIds: `${os['ID'] ?? ''} ${os['ID_LIKE'] ?? ''}`.trim().split(/\s+/),
    kernel: release(),
    isRoot: process.getuid?.() === 0,
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    diskFreeBytes: disk.bavail * disk.bsize,
    fileSystem: disk.type,
    capabilities: effectiveCapabilities(read('/proc/self/status')),
    cgroups: readCgroups(),
    appArmor: read('/sys/module/apparmor/parameters/enabled').trim() === 'Y',
    bridgeNetfilter: existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables'),
    systemd: existsSync('/run/systemd/system'),
    programs: findPrograms([...NODE_PROGRAMS]),
  }
}

/** Finds each program on PATH and in the system directories that a plain user's PATH leaves out. */
export function findPrograms(names: readonly string[]): Map<string, string> {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  const found = new Map<string, string>()
  for (const name of names) {
    const directory = directories.find(candidate => candidate && existsSync(join(candidate, name)))
    if (directory) found.set(name, join(directory, name))
  }
  const cni = CNI_DIRECTORIES.find(directory =>
    ['bridge', 'host-local', 'portmap', 'loopback'].every(name => existsSync(join(directory, name))),
  )
  if (cni) found.set('cni-plugins', cni)
  return found
}

/** The names of the capabilities in the CapEff line of a /proc/<pid>/status; only those anything here asks for. */
export function effectiveCapabilities(status: string): Set<string> {
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return new Set(Object.entries(CAPABILITY_BITS).flatMap(([name, bit]) => (bits & (1n << BigInt(bit)) ? [name] : [])))
}

const CAPABILITY_BITS = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_KILL: 5,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
  CAP_MKNOD: 27,
  CAP_SETFCAP: 31,
} as const

function osRelease(): Record<string, string> {
  const pairs = [...read('/etc/os-release').matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm)]
  return Object.fromEntries(pairs.map(pair => [pair[1]!, pair[2]!]))
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
