import type { Node } from '#kinds/core/v1/node.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { NodeSet } from '../framework/scheduling-cycle.ts'
import { NodeInfo } from './node-info.ts'
import { type PodInfo, podInfo } from './pod-info.ts'

/**
 * All nodes with their pods: those that are bound, and those that this scheduler assumes to be because it has chosen a node for them and
 * the API server has not confirmed it yet.
 */
export interface SchedulerCache extends NodeSet {
  setNode(node: Node): NodeInfo
  removeNode(name: string): void
  /** A pod as the API server shows it, bound to `pod.spec.nodeName`. It takes the place of an assumption. */
  setPod(pod: Pod): void
  removePod(pod: Pod): void
  /** Counts `pod` on `node` from now on. */
  assume(pod: PodInfo, node: NodeInfo): void
  /** Takes back an assumption that did not come true. */
  forget(pod: PodInfo): void
  isAssumed(uid: string): boolean
}

export function schedulerCache(): SchedulerCache {
  const byName = new Map<string, NodeInfo>()
  const placed = new Map<string, { readonly node: NodeInfo; readonly assumed: boolean }>()
  const withAffinity = new Set<NodeInfo>()
  const withRequiredAntiAffinity = new Set<NodeInfo>()
  let nodes: NodeInfo[] = []

  const nodeOf = (name: string) => {
    let node = byName.get(name)
    if (!node) {
      node = new NodeInfo(name)
      byName.set(name, node)
    }
    return node
  }
  const refile = (node: NodeInfo) => {
    keep(withAffinity, node, node.affinityPods > 0)
    keep(withRequiredAntiAffinity, node, node.requiredAntiAffinityPods > 0)
  }
  const place = (pod: PodInfo, node: NodeInfo, assumed: boolean) => {
    remove(pod.uid)
    node.addPod(pod)
    placed.set(pod.uid, { node, assumed })
    refile(node)
  }
  const remove = (uid: string) => {
    const where = placed.get(uid)
    if (!where) return
    placed.delete(uid)
    where.node.removePod(uid)
    refile(where.node)
    if (!where.node.node && where.node.pods.size === 0) byName.delete(where.node.name)
  }

  return {
    get nodes() {
      return nodes
    },
    withAffinity,
    withRequiredAntiAffinity,
    get(name) {
      const node = byName.get(name)
      return node?.node ? node : undefined
    },
    setNode(object) {
      const node = nodeOf(object.metadata.name ?? '')
      const isNew = node.node === undefined
      node.setNode(object)
      if (isNew) nodes = [...nodes, node]
      return node
    },
    removeNode(name) {
      const node = byName.get(name)
      if (!node) return
      node.node = undefined
      nodes = nodes.filter(other => other !== node)
      if (node.pods.size === 0) byName.delete(name)
    },
    setPod(pod) {
      place(podInfo(pod), nodeOf(pod.spec.nodeName ?? ''), false)
    },
    removePod(pod) {
      remove(pod.metadata.uid ?? '')
    },
    assume(pod, node) {
      place(pod, node, true)
    },
    forget(pod) {
      if (placed.get(pod.uid)?.assumed) remove(pod.uid)
    },
    isAssumed: uid => placed.get(uid)?.assumed ?? false,
  }
}

function keep(set: Set<NodeInfo>, node: NodeInfo, belongs: boolean): void {
  if (belongs) set.add(node)
  else set.delete(node)
}
