import { run } from '#base/process/run.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { Informers } from '#client/informers/informer.ts'
import { isReady, nodeCondition } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import type { ClusterLayout, NodeLayout } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'

const NODES_DEADLINE_MS = 60_000
const DNS_DEADLINE_MS = 20_000
const DNS_PAUSE_MS = 50

/** Resolves once the nodes say that they are Ready. Rejects with what they say instead when that takes longer than a minute. */
export function nodesReady(informers: Informers, names: readonly string[], clock: Clock): Promise<void> {
  const nodes = informers.of(Node)
  return new Promise((resolve, reject) => {
    const missing = new Set(names)
    const timer = clock.after(NODES_DEADLINE_MS, () => {
      following[Symbol.dispose]()
      const said = [...missing].map(name => `${name}: ${sayingOf(nodes.get('', name))}`)
      reject(new SetupError(`Nodes did not become ready (${said.join('; ')})`, 'see the log'))
    })
    const done = () => {
      timer.cancel()
      queueMicrotask(() => following[Symbol.dispose]())
      resolve()
    }
    const following = nodes.onChange(node => {
      if (!node || !isReady(node)) return
      missing.delete(node.metadata.name ?? '')
      if (missing.size === 0) done()
    })
  })
}

function sayingOf(node: Node | undefined): string {
  if (!node) return 'is not registered'
  return nodeCondition(node, 'Ready')?.message ?? 'says nothing of itself'
}

/** Resolves once cluster DNS answers a query that comes from the node's own network, by way of the Service, as a pod's does. */
export async function dnsAnswers(layout: ClusterLayout, node: NodeLayout, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + DNS_DEADLINE_MS
  const query = ['busybox', 'nslookup', 'kubernetes.default.svc.cluster.local', layout.dnsAddress]
  for (;;) {
    const { code, stdout } = await run('nsenter', [`--net=${node.netnsPath}`, ...query], { allowCodes: [0, 1], timeoutMs: DNS_DEADLINE_MS })
    if (code === 0) return
    if (clock.monotonic() > deadline) {
      throw new SetupError(
        `Cluster DNS does not answer in the network of ${node.name} (${stdout.trim().split('\n').at(-1)})`,
        `see ${layout.logFile}`,
      )
    }
    await sleep(clock, DNS_PAUSE_MS)
  }
}
