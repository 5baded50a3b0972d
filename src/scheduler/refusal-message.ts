import type { Refusal } from './framework/plugin.ts'

/**
 * Why a pod fits nowhere, in upstream's words: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …`.
 *
 * `refusals` are those of single nodes, with their number; `refusal` is set when the pod was refused before any node was looked at; `postFilter` is what
 * preemption found.
 */
export function refusalMessage(
  nodes: number,
  refusals: ReadonlyMap<Refusal, number>,
  refusal: Refusal | undefined,
  postFilter: string | undefined,
): string {
  if (nodes === 0) return 'no nodes available to schedule pods'
  const reasons = refusal ? refusal.reasons.join(', ') : histogram(refusals)
  return `0/${nodes} nodes are available: ${reasons}.${postFilter ? ` ${postFilter}` : ''}`
}

function histogram(refusals: ReadonlyMap<Refusal, number>): string {
  const counts = new Map<string, number>()
  for (const [{ reasons }, nodes] of refusals) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + nodes)
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ')
}
