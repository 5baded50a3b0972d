import type { Node } from '#kinds/core/v1/node.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { SchedulerCache } from '../cache/scheduler-cache.ts'
import { nominations } from '../framework/nominations.ts'
import type { Profile } from '../framework/profile.ts'
import { explain, type Verdict } from './verdict.ts'

/** What is supposed to be different. */
export interface Supposition {
  /** So many more nodes like this one, without its pods. */
  readonly moreNodes?: { readonly like: string; readonly count: number } | undefined
  /** Nodes that are not there. */
  readonly withoutNodes?: readonly string[] | undefined
  /** Taints that are not there: on one node, or with this key wherever it stands. */
  readonly withoutTaints?: readonly { readonly node?: string; readonly key: string }[] | undefined
  /** Cordoned nodes that are not. */
  readonly uncordoned?: readonly string[] | undefined
  /** Labels that a node has besides its own. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
  /** Pods that are not there, as `<namespace>/<name>`. */
  readonly withoutPods?: readonly string[] | undefined
  /** What each container of the pod requests instead, as `{ cpu: '100m' }`. */
  readonly requests?: Readonly<Record<string, string>> | undefined
}

/** What would become of `pod` under `supposition`. Pure: it is tried on a copy of the cache. */
export function whatIf(pod: Pod, supposition: Supposition, cache: SchedulerCache, profile: Profile, now: number): Verdict {
  const supposed = cache.copy()
  for (const name of supposition.withoutNodes ?? []) supposed.removeNode(name)
  for (const info of [...supposed.nodes]) {
    const changed = changedNode(info.node!, supposition)
    if (changed !== info.node) supposed.setNode(changed)
    for (const { pod: other } of [...info.pods.values()]) {
      if (supposition.withoutPods?.includes(`${other.metadata.namespace}/${other.metadata.name}`)) supposed.removePod(other)
    }
  }
  const model = supposition.moreNodes && supposed.get(supposition.moreNodes.like)?.node
  for (let number = 1; model && number <= supposition.moreNodes!.count; number++) supposed.setNode(anotherNode(model, number))
  return explain(changedPod(pod, supposition), supposed, profile, nominations(), now)
}

function changedNode(node: Node, { withoutTaints = [], uncordoned = [], labels = {} }: Supposition): Node {
  const name = node.metadata.name ?? ''
  const isGone = (key: string) => withoutTaints.some(taint => taint.key === key && (taint.node === undefined || taint.node === name))
  const taints = (node.spec.taints ?? []).filter(({ key }) => !isGone(key) && !(key === UNSCHEDULABLE && uncordoned.includes(name)))
  const isUncordoned = Boolean(node.spec.unschedulable) && uncordoned.includes(name)
  const more = Object.hasOwn(labels, name) ? labels[name]! : undefined
  if (taints.length === (node.spec.taints?.length ?? 0) && !isUncordoned && !more) return node
  return {
    ...node,
    metadata: { ...node.metadata, ...(more ? { labels: { ...node.metadata.labels, ...more } } : {}) },
    spec: { ...node.spec, taints, ...(isUncordoned ? { unschedulable: false } : {}) },
  }
}

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

function anotherNode(model: Node, number: number): Node {
  const name = `${model.metadata.name}-like-${number}`
  const labels = { ...model.metadata.labels }
  if (labels['kubernetes.io/hostname'] !== undefined) labels['kubernetes.io/hostname'] = name
  return { ...model, metadata: { ...model.metadata, name, uid: name, labels } }
}

function changedPod(pod: Pod, { requests }: Supposition): Pod {
  const { nodeName: _placed, ...spec } = pod.spec
  const containers = requests
    ? spec.containers.map(container => ({
        ...container,
        resources: { ...container.resources, requests: { ...container.resources.requests, ...requests } },
      }))
    : spec.containers
  return { ...pod, spec: { ...spec, containers } }
}
