import { silentLogger } from '#base/log/logger.ts'
import { realClock } from '#base/time/real-clock.ts'
import { criRuntime } from '#kubelet/runtime/cri/cri-runtime.ts'
import type { Runtime } from '#kubelet/runtime/runtime.ts'
import type { NodeLayout } from '../layout/layout.ts'

/** Lets `work` speak with a node's containerd, as the kubelet does, over a connection of its own. */
export async function withNodeCri<Result>(node: NodeLayout, work: (runtime: Runtime) => Promise<Result>): Promise<Result> {
  const runtime = criRuntime({ address: `unix://${node.containerd.socket}`, clock: realClock(), log: silentLogger })
  try {
    return await work(runtime)
  } finally {
    runtime.close()
  }
}
