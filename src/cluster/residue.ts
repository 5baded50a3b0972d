import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { readPidFile } from '#base/process/running-process.ts'
import { findContainerd, shimsOf } from './containerd/containerd-processes.ts'
import { mountsBelow } from './containerd/mounts.ts'
import type { ClusterLayout } from './layout/layout.ts'
import { existingCgroups, processesIn, readCgroups } from './machine/cgroups.ts'
import { networkResidue } from './network/network.ts'

/**
 * What is left of a cluster that should be down, one line each: processes, mounts, network namespaces, links, nftables tables, cgroups and
 * sockets. Files of the data directory do not count. Empty when nothing is left.
 */
export async function residue(cluster: ClusterLayout): Promise<string[]> {
  const controlPlane = readPidFile(cluster.pidFile)
  const cgroups = cluster.nodes.length > 0 ? readCgroups() : { version: undefined, controllers: [], mounts: [] }
  const ofNodes = cluster.nodes.flatMap(node => [
    ...[findContainerd(node)].flatMap(running => (running ? `process ${running.pid} (containerd of ${node.name})` : [])),
    ...shimsOf(node).map(running => `process ${running.pid} (containerd-shim of ${node.name})`),
    ...processesIn(cgroups, node.cgroupRoot).map(pid => `process ${pid} (in ${node.cgroupRoot})`),
    ...existingCgroups(cgroups, node.cgroupRoot).map(directory => `cgroup ${directory}`),
    ...mountsBelow(dirname(node.containerd.socket)).map(point => `mount ${point}`),
    ...(existsSync(node.containerd.socket) ? [`socket ${node.containerd.socket}`] : []),
  ])
  return [
    ...(controlPlane ? [`process ${controlPlane.pid} (control plane)`] : []),
    ...ofNodes,
    ...mountsBelow(cluster.dataDir).map(point => `mount ${point}`),
    ...(existsSync(cluster.runDir) ? [`directory ${cluster.runDir}`] : []),
    ...(cluster.nodes.length > 0 ? await networkResidue(cluster) : []),
  ]
}
