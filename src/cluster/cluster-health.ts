import { realClock } from '#base/time/real-clock.ts'
import { httpClient } from '#client/http/http-client.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { isReady } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'

/** What the API server of a cluster says of itself and of its nodes. */
export interface ClusterHealth {
  /** The named checks of `/readyz` that fail; empty when the server is ready. */
  readonly failing: readonly string[]
  /** By name: whether the node's kubelet lately said that it is ready. */
  readonly nodes: ReadonlyMap<string, boolean>
}

const TIMEOUT_MS = 3_000

/** Asks the API server; undefined when it does not answer. */
export async function clusterHealth(layout: { readonly kubeconfig: string }): Promise<ClusterHealth | undefined> {
  try {
    using client = httpClient({
      ...clientOptionsFromFile(layout.kubeconfig, realClock({ keepAlive: false })),
      timeoutMs: TIMEOUT_MS,
      userAgent: 't8s',
    })
    const [checks, nodes] = await Promise.all([
      client.raw('/readyz?verbose').catch((error: Error) => error.message),
      client.list(Node, { signal: AbortSignal.timeout(TIMEOUT_MS) }),
    ])
    return {
      failing: checks.split('\n').flatMap(line => (line.startsWith('[-]') ? [line.slice(3).split(' ')[0]!] : [])),
      nodes: new Map(nodes.items.map(node => [node.metadata.name ?? '', isReady(node)])),
    }
  } catch {
    return undefined // whoever asks for the status wants to know just that
  }
}
