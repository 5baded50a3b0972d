import { runtimeTraits, stopNodeRuntime } from '../containerd/node-runtime.ts'
import { clusterProcess, stopClusterProcess } from '../control-plane-process.ts'
import type { ResolvedWhereabouts } from '../layout/data-directory.ts'
import { inspectMachine } from '../machine/facts.ts'
import { releaseMachine } from '../machine/prepare.ts'
import type { Progress } from '../progress/progress.ts'
import { agentLayout, readAgentRecord } from './agent-record.ts'
import { registeredName } from './bring-up-agent.ts'
import { disconnectPods } from './pod-network.ts'

/** Ends the agent in a data directory, if there is one, with the containers of its node. The Node object stays until somebody deletes it. */
export async function takeAgentDown(
  where: ResolvedWhereabouts,
  progress: Progress,
  options: { readonly purge: boolean },
): Promise<'down' | 'absent'> {
  const record = readAgentRecord(where.dataDir)
  if (!record) return 'absent'
  const layout = agentLayout(record, where.dataDir)
  if (clusterProcess(layout)) await progress.step('stop the agent', () => stopClusterProcess(layout))
  await progress.step('stop the node', async () => {
    await stopNodeRuntime(layout, layout.node, runtimeTraits(inspectMachine(where.dataDir)))
    await disconnectPods(layout)
  })
  await releaseMachine({ ...where, name: registeredName(where) }, options)
  return 'down'
}
