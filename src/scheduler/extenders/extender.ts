import type { Logger } from '#base/log/logger.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { Extender as ExtenderSettings } from '../configuration/scheduler-configuration.ts'
import type { Refusal } from '../framework/plugin.ts'

/** Posts `body` as JSON to `url` and resolves to the JSON of the answer; rejects when that is no success or takes too long. */
export type CallExtender = (
  url: string,
  body: unknown,
  options: { readonly settings: ExtenderSettings; readonly timeoutMs: number },
) => Promise<unknown>

/** A program outside that has a say in scheduling, over HTTP (upstream's scheduler extender, v1). */
export interface Extender {
  readonly name: string
  readonly settings: ExtenderSettings
  /** Whether it is to be asked about the pod. */
  isInterested(pod: Pod): boolean
  /** The nodes it leaves, and why not the others. An extender that may be ignored leaves all when it does not answer. */
  filter(
    pod: Pod,
    nodes: readonly NodeInfo[],
  ): Promise<{ readonly nodes: readonly NodeInfo[]; readonly refusals: readonly (readonly [NodeInfo, Refusal])[] }>
  /** What its preferences add to the scores, by node. */
  prioritize(pod: Pod, nodes: readonly NodeInfo[]): Promise<ReadonlyMap<string, number>>
  /** Set if it binds the pods it is interested in. */
  bind?(pod: Pod, node: string): Promise<void>
}

const DEFAULT_TIMEOUT_MS = 5_000
/** Extenders score from 0 to 10, plugins from 0 to 100. */
const SCORE_FACTOR = 10

export function extender(settings: ExtenderSettings, call: CallExtender, log: Logger): Extender {
  const name = settings.urlPrefix ?? ''
  const timeoutMs = settings.httpTimeout ? durationMs(settings.httpTimeout) : DEFAULT_TIMEOUT_MS
  const managed = new Set((settings.managedResources ?? []).map(resource => resource.name ?? ''))
  const post = (verb: string, body: unknown) => call(`${name.replace(/\/+$/, '')}/${verb}`, body, { settings, timeoutMs })
  const argsOf = (pod: Pod, nodes: readonly NodeInfo[]) => ({
    pod,
    ...(settings.nodeCacheCapable ? { nodenames: nodes.map(node => node.name) } : { nodes: { items: nodes.map(({ node }) => node) } }),
  })

  return {
    name,
    settings,
    isInterested: pod => managed.size === 0 || requestsAny(pod, managed),
    async filter(pod, nodes) {
      if (!settings.filterVerb) return { nodes, refusals: [] }
      try {
        return readFilter((await post(settings.filterVerb, argsOf(pod, nodes))) as FilterResult, nodes, name)
      } catch (error) {
        if (!settings.ignorable)
          throw new Error(`the extender ${name} could not filter: see whether it runs, or make it ignorable`, { cause: error })
        log.warn('an extender did not filter; it may be ignored', { extender: name, error })
        return { nodes, refusals: [] }
      }
    },
    async prioritize(pod, nodes) {
      if (!settings.prioritizeVerb) return new Map()
      try {
        const list = (await post(settings.prioritizeVerb, argsOf(pod, nodes))) as readonly {
          readonly host: string
          readonly score: number
        }[]
        return new Map(list.map(({ host, score }) => [host, score * (settings.weight ?? 1) * SCORE_FACTOR]))
      } catch (error) {
        // Preferences are not worth a pod that waits.
        log.warn('an extender did not say what it prefers', { extender: name, error })
        return new Map()
      }
    },
    ...(settings.bindVerb
      ? {
          async bind(pod, node) {
            const { name: podName, namespace: podNamespace, uid: podUID } = pod.metadata
            const result = (await post(settings.bindVerb!, { podName, podNamespace, podUID, node })) as { readonly error?: string } | null
            if (result?.error) throw new Error(`the extender ${name} could not bind: ${result.error}`)
          },
        }
      : {}),
  }
}

interface FilterResult {
  readonly nodes?: { readonly items?: readonly Node[] | null } | null
  readonly nodenames?: readonly string[] | null
  readonly failedNodes?: Readonly<Record<string, string>> | null
  readonly failedAndUnresolvableNodes?: Readonly<Record<string, string>> | null
  readonly error?: string
}

function readFilter(result: FilterResult, nodes: readonly NodeInfo[], extender: string) {
  if (result.error) throw new Error(result.error)
  const left = new Set(result.nodenames ?? (result.nodes?.items ?? []).map(node => node.metadata.name ?? ''))
  const refusal = (code: Refusal['code'], reason: string): Refusal => ({ plugin: extender, code, reasons: [reason] })
  const refusals = nodes.flatMap((node): (readonly [NodeInfo, Refusal])[] => {
    if (left.has(node.name)) return []
    const never = result.failedAndUnresolvableNodes?.[node.name]
    if (never !== undefined) return [[node, refusal('unresolvable', never)]]
    return [[node, refusal('unschedulable', result.failedNodes?.[node.name] ?? `node(s) were refused by the extender ${extender}`)]]
  })
  return { nodes: nodes.filter(node => left.has(node.name)), refusals }
}

function requestsAny({ spec }: Pod, resources: ReadonlySet<string>): boolean {
  return [...spec.containers, ...(spec.initContainers ?? [])].some(({ resources: { requests, limits } }) =>
    [...Object.keys(requests ?? {}), ...Object.keys(limits ?? {})].some(name => resources.has(name)),
  )
}
