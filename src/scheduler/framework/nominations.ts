import type { PodInfo } from '../cache/pod-info.ts'
import type { Nominations } from './select-node.ts'

/** Pods with a node that others are making room on, until they are there. */
export function nominations(): Nominations & { add(pod: PodInfo, node: string): void; remove(uid: string): void } {
  const byNode = new Map<string, readonly PodInfo[]>()
  const nodeOf = new Map<string, string>()
  const remove = (uid: string) => {
    const node = nodeOf.get(uid)
    if (node === undefined) return
    nodeOf.delete(uid)
    const left = byNode.get(node)!.filter(pod => pod.uid !== uid)
    if (left.length > 0) byNode.set(node, left)
    else byNode.delete(node)
  }
  return {
    get isEmpty() {
      return byNode.size === 0
    },
    on: node => byNode.get(node) ?? NONE,
    nodeOf: uid => nodeOf.get(uid),
    add(pod, node) {
      remove(pod.uid)
      nodeOf.set(pod.uid, node)
      byNode.set(node, [...(byNode.get(node) ?? NONE), pod])
    },
    remove,
  }
}

const NONE: readonly PodInfo[] = []
