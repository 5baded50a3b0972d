import type { Logger } from '#base/log/logger.ts'
import { run } from '#base/process/run.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { healthBehindRedirect } from '#proxy/health.ts'
import { type ServiceProxy, startProxy } from '#proxy/proxy.ts'
import type { ClusterLayout } from '../layout/layout.ts'

/** The nftables table of a cluster's proxy on the machine itself. */
export const machineTable = (layout: ClusterLayout) => `t8s-${layout.id}-services`
/** The table in each node's own network. */
const NODE_TABLE = 'kube-proxy'

/** A proxy for each node, and one for the machine itself, which reaches Services and node ports too. */
export function startProxies(layout: ClusterLayout, informers: Informers, clock: Clock, log: Logger): ServiceProxy[] {
  const common = {
    services: informers.of(Service),
    endpointSlices: informers.of(EndpointSlice),
    nodes: informers.of(Node),
    facts: { clusterCIDRs: [layout.podCidr], serviceCIDRs: [layout.serviceCidr], families: ['ip'] as const, loopbackNodePorts: true },
    run,
    clock,
  }
  const machine = startProxy({ ...common, table: machineTable(layout), network: [], balances: true, log: log.with({ proxy: 'machine' }) })
  const nodes = layout.nodes.map(node =>
    startProxy({
      ...common,
      table: NODE_TABLE,
      nodeName: node.name,
      network: ['nsenter', `--net=${node.netnsPath}`],
      openHealth: healthBehindRedirect(layout.hostAddress),
      log: log.with({ proxy: node.name }),
    }),
  )
  return [machine, ...nodes]
}
