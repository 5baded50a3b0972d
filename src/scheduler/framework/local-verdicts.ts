import { RecentMap } from '#base/collections/recent-map.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Refusal, SchedulerPlugin } from './plugin.ts'
import type { PluginWith, Profile } from './profile.ts'
import type { SchedulingCycle } from './scheduling-cycle.ts'

type Filters = Profile['points']['filter']

/** How many signatures are remembered, and of how many of them what they came to. */
const SEEN = 256
const KEPT = 16

/**
 * What the plugins that look at nothing but one node say of pods of one signature, kept from pod to pod as long as the node stays as it is:
 * of a thousand replicas each changes one node, and only that is looked at again (the idea of KEP-5598).
 *
 * Hot: bench/scheduler.
 */
export class LocalVerdicts {
  readonly #profile: Profile
  /** Signatures that were met, those met last at the end. */
  readonly #seen = new Set<string>()
  readonly #kept = new RecentMap<string, SignatureVerdicts>(KEPT)

  constructor(profile: Profile) {
    this.#profile = profile
  }

  /** Undefined for the first pod of its kind: another may never come. */
  of(pod: PodInfo): SignatureVerdicts | undefined {
    const signature = signatureOf(this.#profile.plugins, pod)
    const kept = this.#kept.get(signature)
    if (kept) return kept
    if (!this.#seen.delete(signature)) {
      remember(this.#seen, signature)
      return undefined
    }
    const verdicts = new SignatureVerdicts()
    this.#kept.set(signature, verdicts)
    return verdicts
  }
}

function remember(seen: Set<string>, signature: string): void {
  seen.add(signature)
  if (seen.size > SEEN) seen.delete(seen.values().next().value!)
}

function signatureOf(plugins: readonly SchedulerPlugin[], pod: PodInfo): string {
  const parts: unknown[] = []
  for (const plugin of plugins) if (plugin.sign) parts.push(plugin.sign(pod))
  return JSON.stringify(parts)
}

/** Of pods of one signature. Entries stand at the places of nodes and hold for one version of each; versions are never used twice. */
export class SignatureVerdicts {
  #filters: Filters = []
  readonly #refusals: (Refusal | undefined)[] = []
  readonly #filtered: number[] = []
  readonly #besideComing: (Coming | undefined)[] = []
  readonly #scores = new Map<string, { readonly scores: number[]; readonly scored: number[] }>()

  /** How many of `filters` are answered from here: those that come first, up to the one that looks at more than the node. */
  begin(filters: Filters): number {
    let count = 0
    while (count < filters.length && filters[count]!.sign) count++
    const isSame = count === this.#filters.length && this.#filters.every((plugin, index) => plugin === filters[index])
    if (isSame) return count
    // The same plugins say the same, whether somebody takes the time or not.
    const isKnown = count === this.#filters.length && this.#filters.every(({ name }, index) => name === filters[index]!.name)
    this.#filters = filters.slice(0, count)
    if (isKnown) return count
    this.#filtered.length = 0
    this.#besideComing.length = 0
    return count
  }

  /** As `refusalOf` of these first filters. */
  refusalOf(cycle: SchedulingCycle, node: NodeInfo): Refusal | undefined {
    const { place } = node
    if (this.#filtered[place] === node.version) return this.#refusals[place]
    let refusal: Refusal | undefined
    for (let index = 0; index < this.#filters.length && !refusal; index++) refusal = this.#filters[index]!.filter(cycle, node)
    grow(this.#filtered, cycle.nodeSet.nodes.length)
    this.#refusals[place] = refusal
    this.#filtered[place] = node.version
    return refusal
  }

  /**
   * The refusal of a node on which pods that are on their way there count; undefined if that is to be found out. `coming` is the same array as long
   * as they are the same, and which of them count follows from `priority`.
   */
  beside(node: NodeInfo, coming: readonly PodInfo[], priority: number): Coming | undefined {
    const known = this.#besideComing[node.place]
    return known?.version === node.version && known.coming === coming && known.priority === priority ? known : undefined
  }

  rememberBeside({ version, place }: NodeInfo, coming: readonly PodInfo[], priority: number, refusal: Refusal | undefined): void {
    this.#besideComing[place] = { version, coming, priority, refusal }
  }

  /** Writes what `plugin`, which has a signature, gives each of `nodes` into `scores`. */
  score(plugin: PluginWith<'score'>, cycle: SchedulingCycle, nodes: readonly NodeInfo[], scores: Float64Array): void {
    let known = this.#scores.get(plugin.name)
    if (!known) {
      known = { scores: [], scored: [] }
      this.#scores.set(plugin.name, known)
    }
    grow(known.scored, cycle.nodeSet.nodes.length)
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index]!
      const { place } = node
      if (known.scored[place] !== node.version) {
        known.scores[place] = plugin.score(cycle, node)
        known.scored[place] = node.version
      }
      scores[index] = known.scores[place]!
    }
  }
}

/** What came of a node together with the pods that are on their way there. */
interface Coming {
  readonly version: number
  readonly coming: readonly PodInfo[]
  readonly priority: number
  readonly refusal: Refusal | undefined
}

/** Without holes arrays stay quick. */
function grow(versions: number[], length: number): void {
  while (versions.length < length) versions.push(-1)
}
