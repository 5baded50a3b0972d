import { ProcessError } from '#base/process/process-error.ts'
import { run } from '#base/process/run.ts'
import type { ClusterLayout } from '../layout/layout.ts'

/*
 * Firewalls and other container tools (Docker among them) make the machine drop forwarded packets that no rule of iptables accepts. An accept
 * in a table of ours does not outvote them, so the cluster's bridge gets two rules in that very chain, where there is such a policy.
 */

/** Lets packets pass between the cluster's bridge and the rest, if the machine's iptables would drop them. */
export async function acceptForwarding(layout: ClusterLayout, signal?: AbortSignal): Promise<void> {
  if (!(await dropsForwarded(signal))) return
  for (const rule of rulesOf(layout)) {
    const present = await run('iptables', ['--wait', '-C', 'FORWARD', ...rule], { signal, allowCodes: [1] })
    if (present.code !== 0) await run('iptables', ['--wait', '-I', 'FORWARD', ...rule], { signal })
  }
}

/** Takes the rules away again; that there are none is no failure. */
export async function removeForwarding(layout: ClusterLayout, signal?: AbortSignal): Promise<void> {
  if (!(await hasForwardChain(signal))) return
  for (const rule of rulesOf(layout)) {
    while ((await run('iptables', ['--wait', '-D', 'FORWARD', ...rule], { signal, allowCodes: [1, 2] })).code === 0);
  }
}

function rulesOf(layout: ClusterLayout): string[][] {
  return ['-i', '-o'].map(direction => [direction, layout.bridge, '-m', 'comment', '--comment', layout.hostTable, '-j', 'ACCEPT'])
}

async function dropsForwarded(signal?: AbortSignal): Promise<boolean> {
  return (
    (await hasForwardChain(signal)) &&
    /^-P FORWARD (DROP|REJECT)$/m.test((await run('iptables', ['--wait', '-S', 'FORWARD'], { signal })).stdout)
  )
}

/** Asked of nft first: iptables would make its tables by looking. */
async function hasForwardChain(signal?: AbortSignal): Promise<boolean> {
  try {
    await run('nft', ['list', 'chain', 'ip', 'filter', 'FORWARD'], { signal })
    return true
  } catch (error) {
    if (error instanceof ProcessError) return false
    throw error
  }
}
