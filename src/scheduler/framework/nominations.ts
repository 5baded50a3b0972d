import type { PodInfo } from '../cache/pod-info.ts'
import type { Nominations } from './select-node.ts'

/** Pods with a node that others are making room on, until they are there. */
export function nominations(): Nominations & { add(pod: PodInfo, node: string): void; remove(uid: string): void } {
  const byNode = new Map<string, Map<string, PodInfo>>()
  const nodeOf = new Map<string, string>()
  const remove = (uid: string) => {
    const node = nodeOf.get(uid)
    if (node === undefined) return
    nodeOf.delete(uid)
    const pods = byNode.get(node)
    pods?.delete(uid)
    if (pods?.size === 0) byNode.delete(node)
  }
  return {
    get isEmpty() {
      return byNode.size === 0
    },
    on: node => (byNode.size === 0 ? NONE : [...(byNode.get(node)?.values() ?? NONE)]),
    nodeOf: uid => nodeOf.get(uid),
    add(pod, node) {
      remove(pod.uid)
      nodeOf.set(pod.uid, node)
      byNode.set(node, (byNode.get(node) ?? new Map()).set(pod.uid, pod))
    },
    remove,
  }
}

const NONE: readonly PodInfo[] = []
