import type { Logger } from '#base/log/logger.ts'
import { run } from '#base/process/run.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import type { Informer } from '#client/informers/informer.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { writePodNetwork } from '../containerd/node-runtime.ts'
import { setNodeSysctls } from '../network/network.ts'
import type { AgentLayout } from './agent-record.ts'
import { writeAgentRecord } from './agent-record.ts'
import { type PodRoute, planRoutes, ROUTE_PROTOCOL, wantedRoutes } from './pod-routes.ts'

const GATHER_MS = 50
const AGAIN_MS = 2_000

/**
 * Connects this node's pods with those of all other nodes, which are on one network with it: the addresses the cluster gave the node become
 * those of its CNI network, and a route leads to each other node's. What pods send to anybody else takes the node's address.
 */
export async function connectPods(
  layout: AgentLayout,
  nodes: Informer<Node>,
  clock: Clock,
  log: Logger,
): Promise<{ stop(): Promise<void> }> {
  await setNodeSysctls(layout.node)
  await run('nft', ['-f', '-'], { input: masqueradeRules(layout) })
  let { podCidr } = layout
  let timer: Timer | undefined
  let running = Promise.resolve()
  const reconcile = async () => {
    const given = nodes.get('', layout.nodeName)?.spec.podCIDR ?? ''
    if (given !== '' && given !== podCidr) {
      writeAgentRecord(layout.dataDir, { ...layout, podCidr: given })
      writePodNetwork(layout, { ...layout.node, podCidr: given })
      podCidr = given
      log.info('the node was given addresses for its pods', { podCIDR: given })
    }
    const commands = planRoutes(wantedRoutes(nodes.list(), layout.nodeName), await presentRoutes())
    if (commands.length > 0) await run('ip', ['-force', '-batch', '-'], { input: `${commands.join('\n')}\n` })
  }
  const soon = (delayMs: number) => {
    timer ??= clock.after(delayMs, () => {
      timer = undefined
      running = reconcile().catch(error => {
        log.warn('the routes to other nodes could not be made; trying again', { error })
        soon(AGAIN_MS)
      })
    })
  }
  const following = nodes.onChange((now, before) => {
    const isOther = now?.spec.podCIDR !== before?.spec.podCIDR || addressesOf(now) !== addressesOf(before)
    if (isOther) soon(GATHER_MS)
  })
  return {
    async stop() {
      following[Symbol.dispose]()
      timer?.cancel()
      await running
    },
  }
}

/** Removes what {@link connectPods} made. */
export async function disconnectPods(layout: AgentLayout): Promise<void> {
  const commands = planRoutes([], await presentRoutes())
  if (commands.length > 0) await run('ip', ['-force', '-batch', '-'], { input: `${commands.join('\n')}\n` })
  for (const table of [layout.table, 'kube-proxy']) await run('nft', ['delete', 'table', 'ip', table], { allowCodes: [1] })
  await run('ip', ['link', 'delete', 'cni0'], { allowCodes: [1] })
}

async function presentRoutes(): Promise<PodRoute[]> {
  const { stdout } = await run('ip', ['-j', 'route', 'show', 'proto', ROUTE_PROTOCOL])
  const routes = JSON.parse(stdout || '[]') as { dst?: string; gateway?: string }[]
  return routes.flatMap(({ dst, gateway }) => (dst && gateway ? [{ to: dst, via: gateway }] : []))
}

function addressesOf(node: Node | undefined): string {
  return (node?.status.addresses ?? []).map(({ address }) => address).join()
}

function masqueradeRules({ table, cluster }: AgentLayout): string {
  return `
table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${cluster.podCidr} ip daddr != ${cluster.podCidr} oifname != "cni0" masquerade
  }
}
`
}
