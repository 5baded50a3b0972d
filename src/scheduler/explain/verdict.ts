import type { Pod } from '#kinds/core/v1/pod.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { podInfo } from '../cache/pod-info.ts'
import type { Refusal } from '../framework/plugin.ts'
import type { Profile } from '../framework/profile.ts'
import type { Refusals } from '../framework/refusals.ts'
import type { NodeSet } from '../framework/scheduling-cycle.ts'
import { schedulingCycle } from '../framework/scheduling-cycle.ts'
import { bestOf, feasibleNodes, type Nominations, totalScores } from '../framework/select-node.ts'
import { refusalMessage } from '../refusal-message.ts'

/** Why a pod went where it went, or nowhere. */
export interface Verdict {
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly schedulerName: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The node that was chosen. */
  readonly node?: string
  /** In upstream's words, if none was. */
  readonly message?: string
  /** How many nodes there were, how many were looked at, and how many of these would do. */
  readonly nodes: { readonly all: number; readonly seen: number; readonly feasible: number }
  /** Why the others would not, the most frequent reason first. */
  readonly refusals: readonly ExplainedRefusal[]
  /** The best nodes, the best first, with what each plugin gave (weighted). */
  readonly scores: readonly ExplainedScore[]
}

export interface ExplainedRefusal {
  readonly plugin: string
  readonly reasons: readonly string[]
  readonly code: Refusal['code']
  /** How many nodes; 0 if the pod was refused before any node was looked at. */
  readonly count: number
  /** Some of them by name. */
  readonly nodes: readonly string[]
}

export interface ExplainedScore {
  readonly node: string
  readonly total: number
  readonly plugins: Readonly<Record<string, number>>
}

/** How much of a verdict is kept. */
export interface VerdictBounds {
  /** How many nodes are named per reason. */
  readonly names: number
  readonly scores: number
}

/**
 * What would become of `pod` if it were placed now: every node is looked at. Pure: neither the nodes nor anything else changes. With equal
 * scores the first node counts.
 */
export function explain(
  pod: Pod,
  nodeSet: NodeSet,
  profile: Profile,
  nominations: Nominations,
  now: number,
  bounds: VerdictBounds = { names: 1_000, scores: 100 },
): Verdict {
  const cycle = schedulingCycle(podInfo(pod), nodeSet)
  const { nodes, refusals, refusal } = feasibleNodes(cycle, { ...profile, percentageOfNodesToScore: 100 }, nominations, 0)
  const record = new ScoreRecord()
  const totals = nodes.length > 0 ? totalScores(cycle, profile, nodes, record) : undefined
  const scores = totals ? record.best(nodes, totals, bounds.scores) : []
  const node = totals ? nodes[bestOf(totals)]!.name : undefined
  return verdictOf(
    { pod, profile, now, all: nodeSet.nodes.length, seen: nodeSet.nodes.length, feasible: nodes.length, refusals, refusal, scores, node },
    bounds,
  )
}

/** What an attempt found out. */
export interface Findings {
  readonly pod: Pod
  readonly profile: Profile
  readonly now: number
  readonly all: number
  readonly seen: number
  readonly feasible: number
  readonly refusals: Refusals
  readonly refusal?: Refusal | undefined
  readonly scores: readonly ExplainedScore[]
  readonly node?: string | undefined
  readonly message?: string | undefined
}

export function verdictOf(findings: Findings, bounds: VerdictBounds): Verdict {
  const { pod, profile, now, all, seen, feasible, refusals, refusal, scores, node } = findings
  const { namespace = '', name = '', uid = '' } = pod.metadata
  const message = node === undefined ? (findings.message ?? refusalMessage(all, refusals.counts, refusal, undefined)) : undefined
  return {
    pod: { namespace, name, uid },
    schedulerName: profile.schedulerName,
    at: now,
    ...(node === undefined ? {} : { node }),
    ...(message === undefined ? {} : { message }),
    nodes: { all, seen, feasible },
    refusals: refusal ? [explained(refusal, 0, [])] : explainedAll(refusals, bounds.names),
    scores,
  }
}

/** Notes what every plugin gives while nodes are scored. Hot: bench/scheduler — one record serves every pod, so that nothing is allocated. */
export class ScoreRecord {
  readonly #plugins: { name: string; scores: Float64Array; weight: number }[] = []
  #count = 0

  /** Forgets what it has noted. */
  clear(): void {
    this.#count = 0
  }

  scored(name: string, scores: Float64Array, weight: number): void {
    const known = this.#plugins[this.#count]
    const noted = known ?? { name, scores: new Float64Array(scores.length), weight }
    if (noted.scores.length < scores.length) noted.scores = new Float64Array(scores.length)
    noted.scores.set(scores)
    noted.name = name
    noted.weight = weight
    this.#plugins[this.#count++] = noted
  }

  best(nodes: readonly NodeInfo[], totals: Float64Array, limit: number): ExplainedScore[] {
    return highest(totals, limit).map(index => {
      const plugins: Record<string, number> = {}
      for (let at = 0; at < this.#count; at++) {
        const { name, scores, weight } = this.#plugins[at]!
        plugins[name] = scores[index]! * weight
      }
      return { node: nodes[index]!.name, total: totals[index]!, plugins }
    })
  }
}

/** The places of the highest, the highest first; one pass for a small `limit`. */
function highest(totals: Float64Array, limit: number): number[] {
  const best: number[] = []
  for (let index = 0; index < totals.length; index++) {
    if (best.length === limit && totals[index]! <= totals[best.at(-1)!]!) continue
    let place = best.length
    while (place > 0 && totals[best[place - 1]!]! < totals[index]!) place--
    best.splice(place, 0, index)
    if (best.length > limit) best.pop()
  }
  return best
}

function explainedAll(refusals: Refusals, names: number): ExplainedRefusal[] {
  const counts = refusals.counts
  const named = new Map<Refusal, string[]>()
  let missing = 0
  for (const count of counts.values()) missing += Math.min(count, names)
  for (const [node, refusal] of refusals) {
    if (missing <= 0) break
    const list = named.get(refusal) ?? []
    if (list.length >= names) continue
    list.push(node.name)
    named.set(refusal, list)
    missing--
  }
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([refusal, count]) => explained(refusal, count, named.get(refusal) ?? []))
}

const explained = ({ plugin, reasons, code }: Refusal, count: number, nodes: readonly string[]): ExplainedRefusal => ({
  plugin,
  reasons,
  code,
  count,
  nodes,
})
