import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProcessError } from '#base/process/process-error.ts'
import { run } from '#base/process/run.ts'
import { loopbackPorts } from '../images/registries.ts'
import type { ClusterLayout, NodeLayout } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'
import { acceptForwarding, removeForwarding } from './forwarding.ts'
import { hostRules, nodeRules, planNetwork, type SeenNetwork } from './plan.ts'

const NETNS_DIRECTORY = '/run/netns'
const NSFS_MAGIC = 0x6e736673

/**
 * Makes the cluster's network what the layout says: the bridge, a network namespace and link per node, addresses, routes and rules. What is
 * already right stays untouched, what belongs to nodes the cluster no longer has is removed. Nothing but the cluster's own things changes;
 * the machine's settings are `network/sysctls.ts`.
 */
export async function ensureNetwork(layout: ClusterLayout, signal?: AbortSignal): Promise<void> {
  if (layout.nodes.length === 0) return
  const plan = planNetwork(layout, await seeNetwork(signal))
  for (const name of plan.removeNetns) await run('ip', ['netns', 'delete', name], { signal })
  for (const name of plan.createNetns) {
    rmSync(join(NETNS_DIRECTORY, name), { force: true }) // a plain file, left from before a reboot
    await run('ip', ['netns', 'add', name], { signal })
  }
  for (const link of plan.removeLinks) await ignoring('Cannot find device', run('ip', ['link', 'delete', link], { signal }))
  await batch([], plan.machine, signal)
  await Promise.all(plan.nodes.map(node => batch(['-n', node.netns], node.commands, signal)))
  await batch([], plan.routes, signal)
  await Promise.all(layout.nodes.map(node => setNodeSysctls(node, signal)))
  writeIfThere(`/proc/sys/net/ipv4/conf/${layout.bridge}/route_localnet`, '1') // NodePorts on the machine's loopback address
  const ports = loopbackPorts(layout)
  const rules = nodeRules(layout, ports)
  await Promise.all(layout.nodes.map(node => run('nsenter', [`--net=${node.netnsPath}`, 'nft', '-f', '-'], { input: rules, signal })))
  await run('nft', ['-f', '-'], { input: hostRules(layout, ports), signal })
  await acceptForwarding(layout, signal)
}

/** Removes the network; what does not exist is no failure. Processes in the nodes' namespaces must have ended before. */
export async function removeNetwork(layout: ClusterLayout, signal?: AbortSignal): Promise<void> {
  const seen = await seeNetwork(signal)
  const isOurs = (name: string) => name === layout.bridge || name.startsWith(`${layout.bridge}-`)
  for (const name of [...seen.netns].filter(isOurs)) await run('ip', ['netns', 'delete', name], { signal })
  for (const file of existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY).filter(isOurs) : [])
    rmSync(join(NETNS_DIRECTORY, file), { force: true })
  const links = [...(await seeNetwork(signal)).links].filter(isOurs)
  for (const link of links) await ignoring('Cannot find device', run('ip', ['link', 'delete', link], { signal }))
  await removeForwarding(layout, signal)
  for (const [family, table] of await ownTables(layout)) {
    await ignoring('No such file or directory', run('nft', ['delete', 'table', family, table], { signal }))
  }
}

/** Names of what is left of a cluster's network: namespaces, links, nftables tables. Empty when nothing is. */
export async function networkResidue(layout: ClusterLayout): Promise<string[]> {
  const seen = await seeNetwork()
  const isOurs = (name: string) => name === layout.bridge || name.startsWith(`${layout.bridge}-`)
  const files = existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY).filter(isOurs) : []
  const tables = await ownTables(layout)
  return [
    ...[...new Set([...files, ...[...seen.netns].filter(isOurs)])].map(name => `network namespace ${name}`),
    ...[...seen.links].filter(isOurs).map(name => `link ${name}`),
    ...tables.map(([family, table]) => `nftables table ${family} ${table}`),
  ]
}

/** Links and namespaces of the machine, whoever made them. */
export async function seeNetwork(signal?: AbortSignal): Promise<SeenNetwork> {
  const links = JSON.parse((await run('ip', ['-j', 'link', 'show'], { signal })).stdout || '[]') as { ifname?: string }[]
  const names = existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY) : []
  return {
    links: new Set(links.flatMap(link => link.ifname ?? [])),
    netns: new Set(names.filter(name => statfsSync(join(NETNS_DIRECTORY, name)).type === NSFS_MAGIC)),
  }
}

/** Loads the kernel parts that nodes need, where they are modules; where they are built in, or cannot be had, nothing happens. */
export async function loadKernelModules(signal?: AbortSignal): Promise<void> {
  const modules = ['overlay', 'bridge', 'br_netfilter', 'veth', 'nf_tables', 'nf_conntrack']
  const loads = modules.map(name => run('modprobe', ['--quiet', name], { signal, timeoutMs: 10_000 }))
  await Promise.allSettled(loads)
}

/** True while /run/netns is a mount point, which `ip netns` makes it on first use. */
export function netnsDirectoryIsMounted(): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some(line => line.split(' ')[4] === NETNS_DIRECTORY)
}

/** Unmounts /run/netns again, if nothing uses it. */
export async function unmountNetnsDirectory(): Promise<void> {
  while (netnsDirectoryIsMounted() && readdirSync(NETNS_DIRECTORY).length === 0) await run('umount', [NETNS_DIRECTORY])
}

/** Tables of the machine's own namespace that are the cluster's: ours, and those of its proxy on the machine, named `<ours>-…`. */
async function ownTables(layout: ClusterLayout): Promise<[family: string, table: string][]> {
  const { stdout } = await run('nft', ['list', 'tables'])
  const tables = [...stdout.matchAll(/^table (\S+) (\S+)$/gm)].map(match => [match[1]!, match[2]!] as [string, string])
  return tables.filter(([, table]) => table === layout.hostTable || table.startsWith(`${layout.hostTable}-`))
}

async function batch(options: readonly string[], commands: readonly string[], signal?: AbortSignal): Promise<void> {
  if (commands.length === 0) return
  try {
    await run('ip', [...options, '-batch', '-'], { input: `${commands.join('\n')}\n`, signal })
  } catch (error) {
    if (error instanceof ProcessError && error.says('Unknown device type')) {
      throw new SetupError(
        'This kernel has no bridge or veth links, which nodes are made of',
        'load the modules bridge and veth, or boot a kernel that has them',
        {
          cause: error,
        },
      )
    }
    throw error
  }
}

/** One `tee` in the namespace writes them all, since all are 1; /proc/sys/net shows the namespace of who opens it. */
export async function setNodeSysctls(node: NodeLayout, signal?: AbortSignal): Promise<void> {
  const wanted = [
    'net/ipv4/ip_forward',
    'net/ipv6/conf/all/forwarding',
    'net/ipv4/conf/all/route_localnet',
    'net/bridge/bridge-nf-call-iptables',
    'net/bridge/bridge-nf-call-ip6tables',
  ]
  const files = wanted.map(name => `/proc/sys/${name}`).filter(file => existsSync(file))
  await run('nsenter', [`--net=${node.netnsPath}`, 'tee', ...files], { input: '1\n', signal })
}

function writeIfThere(file: string, text: string): void {
  if (existsSync(file)) writeFileSync(file, text)
}

async function ignoring(words: string, work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof ProcessError && error.says(words))) throw error
  }
}
