import { NEEDED_CONTROLLERS } from './cgroups.ts'
import { type MachineFacts, NODE_PROGRAMS } from './facts.ts'
import type { PortOwner } from './ports.ts'

/** One thing that was looked at, and what it means for the cluster. */
export interface Finding {
  readonly level: 'fine' | 'warning' | 'problem'
  /** `kernel`, `cgroups` … */
  readonly topic: string
  /** What was found. */
  readonly what: string
  /** What to do about it; always there for a problem. */
  readonly remedy?: string
}

export interface MachineNeeds {
  /** False when all nodes are simulated: then neither root nor containers are needed. */
  readonly realNodes: boolean
  readonly dataDir: string
  readonly apiPort: number
}

const GIB = 1024 ** 3
export const KERNEL_NEEDED = [5, 13] as const
export const DISK_NEEDED_BYTES = 2 * GIB

/** Decides from the facts what is fine, what is worth knowing and what keeps a cluster from running here. */
export function checkMachine(facts: MachineFacts, portOwner: PortOwner | undefined, needs: MachineNeeds): Finding[] {
  const always = [checkDisk(facts, needs), checkPort(portOwner, needs)]
  if (!needs.realNodes) return [fine('system', `${facts.system}, ${facts.architecture}`), ...always]
  return [
    checkSystem(facts),
    checkRoot(facts),
    checkKernel(facts),
    checkCgroups(facts),
    ...checkCapabilities(facts),
    ...always,
    checkMemory(facts),
    checkRuntime(facts),
    checkBridgeNetfilter(facts),
  ]
}

function checkSystem(facts: MachineFacts): Finding {
  if (facts.platform === 'linux') return fine('system', `${facts.system}, ${facts.architecture}, ${facts.processors} processors`)
  return problem(
    'system',
    `Nodes that run containers need Linux, and this is ${facts.platform}`,
    'use a Linux machine, or simulated nodes: t8s up --simulated-nodes 3',
  )
}

function checkRoot(facts: MachineFacts): Finding {
  if (facts.isRoot) return fine('user', 'root')
  return problem('user', 'Nodes that run containers need root', 'run "sudo ./t8s up", or use simulated nodes: ./t8s up --simulated-nodes 3')
}

function checkKernel(facts: MachineFacts): Finding {
  const [major = 0, minor = 0] = facts.kernel.split('.').map(part => Number.parseInt(part, 10))
  const [neededMajor, neededMinor] = KERNEL_NEEDED
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return fine('kernel', facts.kernel)
  return problem(
    'kernel',
    `Linux ${neededMajor}.${neededMinor} or newer is needed, and this kernel is ${facts.kernel}`,
    'boot a newer kernel',
  )
}

function checkCgroups(facts: MachineFacts): Finding {
  const missing = NEEDED_CONTROLLERS.filter(name => !facts.cgroups.controllers.includes(name))
  if (facts.cgroups.version !== undefined && missing.length === 0) {
    return fine('cgroups', `version ${facts.cgroups.version}: ${facts.cgroups.controllers.join(' ')}`)
  }
  const what = `The cgroup controllers ${missing.join(', ')} are not available`
  return problem('cgroups', what, 'mount cgroup version 2 on /sys/fs/cgroup with these controllers, as systemd does')
}

function checkCapabilities(facts: MachineFacts): Finding[] {
  const missing = ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_MKNOD', 'CAP_SYS_CHROOT'].filter(name => !facts.capabilities.has(name))
  if (facts.isRoot && missing.length > 0) {
    return [
      problem('capabilities', `Root lacks ${missing.join(', ')} here`, 'run on a machine, or in a container started with --privileged'),
    ]
  }
  if (facts.capabilities.has('CAP_SYS_RESOURCE')) return [fine('capabilities', 'all that is needed')]
  return [warning('capabilities', 'CAP_SYS_RESOURCE is missing: containers get no negative oom_score_adj and no raised limits')]
}

function checkDisk(facts: MachineFacts, needs: MachineNeeds): Finding {
  const free = `${(facts.diskFreeBytes / GIB).toFixed(1)} GiB free for ${needs.dataDir}`
  const needed = needs.realNodes ? DISK_NEEDED_BYTES : DISK_NEEDED_BYTES / 8
  if (facts.diskFreeBytes >= needed) return fine('disk', free)
  return problem('disk', `Only ${free}, and ${needed / GIB} GiB are needed`, 'make room, or choose another disk with --data-dir')
}

function checkPort(owner: PortOwner | undefined, needs: MachineNeeds): Finding {
  if (!owner) return fine('port', `${needs.apiPort} is free for the API server`)
  const who = owner.program ? `${owner.program} (process ${owner.pid})` : 'another program'
  return problem('port', `Port ${needs.apiPort} is taken by ${who}`, 'end that program, or choose another port with --port')
}

function checkMemory(facts: MachineFacts): Finding {
  const text = `${(facts.memoryBytes / GIB).toFixed(1)} GiB`
  return facts.memoryBytes >= GIB ? fine('memory', text) : warning('memory', `${text} are little for a cluster`)
}

function checkRuntime(facts: MachineFacts): Finding {
  const missing = missingForNodes(facts)
  if (missing.length === 0) return fine('runtime', `containerd (${facts.programs.get('containerd')}), runc, CNI plugins, nftables`)
  if (facts.systemIds.includes('debian') || facts.systemIds.includes('ubuntu')) {
    return facts.isRoot ? fine('runtime', `will be installed: ${missing.join(', ')}`) : warning('runtime', `missing: ${missing.join(', ')}`)
  }
  return problem(
    'runtime',
    `Missing on this machine: ${missing.join(', ')}`,
    'install them; on Debian and its relatives t8s does it by itself',
  )
}

function checkBridgeNetfilter(facts: MachineFacts): Finding {
  if (facts.bridgeNetfilter) return fine('br_netfilter', 'present')
  return warning('br_netfilter', 'not loaded yet: it is tried; without it a Service cannot lead back to a pod of the same node')
}

/** Programs real nodes need that were not found; the loader of kernel modules is not needed where modules are built in. */
export function missingForNodes(facts: Pick<MachineFacts, 'programs'>): string[] {
  return [...NODE_PROGRAMS, 'cni-plugins'].filter(name => name !== 'modprobe' && !facts.programs.has(name))
}

const fine = (topic: string, what: string): Finding => ({ level: 'fine', topic, what })
const warning = (topic: string, what: string): Finding => ({ level: 'warning', topic, what })
const problem = (topic: string, what: string, remedy: string): Finding => ({ level: 'problem', topic, what, remedy })
