import type { Node } from '#kinds/core/v1/node.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { NodeSet } from '../framework/scheduling-cycle.ts'
import { keyOfClaim } from '../volumes/pod-claims.ts'
import { interleaved } from './interleaved.ts'
import { NodeInfo } from './node-info.ts'
import { type NamespaceLabels, type PodInfo, podInfo } from './pod-info.ts'
import { CountedPods } from './pod-tallies.ts'
import { Topology } from './topology.ts'

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
  forget(uid: string): void
  isAssumed(uid: string): boolean
  /** The node of a pod that is bound or assumed to be. */
  placeOf(uid: string): NodeInfo | undefined
  /** How many pods it counts, and how many of them are assumed. */
  sizes(): { readonly pods: number; readonly assumed: number }
  /** The labels of a namespace changed, which terms of affinity may go by. */
  namespaceChanged(): void
  /** Another cache with the same nodes and pods: to try things on. */
  copy(): SchedulerCache
}

export function schedulerCache(labelsOf: NamespaceLabels = () => undefined): SchedulerCache {
  const byName = new Map<string, NodeInfo>()
  const placed = new Map<string, { readonly node: NodeInfo; readonly assumed: boolean }>()
  const topology = new Topology()
  const images = new Map<string, number>()
  const claimUsers = new Map<string, number>()
  const tallies = new CountedPods(topology, labelsOf, () => byName.values())
  let nodes: readonly NodeInfo[] | undefined

  const nodeOf = (name: string) => {
    let node = byName.get(name)
    if (!node) {
      node = new NodeInfo(name)
      byName.set(name, node)
    }
    return node
  }
  const place = (pod: PodInfo, node: NodeInfo, assumed: boolean) => {
    remove(pod.uid)
    // It may have been forgotten with its last pod, just now.
    byName.set(node.name, node)
    node.addPod(pod)
    tallies.count(pod, node, 1)
    countClaims(pod, 1)
    placed.set(pod.uid, { node, assumed })
  }
  const remove = (uid: string) => {
    const where = placed.get(uid)
    if (!where) return
    const { node } = where
    placed.delete(uid)
    const pod = node.pods.get(uid)!
    node.removePod(uid)
    tallies.count(pod, node, -1)
    countClaims(pod, -1)
    if (!node.node && node.pods.size === 0) byName.delete(node.name)
  }
  const countClaims = (pod: PodInfo, sign: 1 | -1) => {
    for (const claim of pod.claims) {
      const key = keyOfClaim(claim)
      const users = (claimUsers.get(key) ?? 0) + sign
      if (users === 0) claimUsers.delete(key)
      else claimUsers.set(key, users)
    }
  }
  const countImages = (node: NodeInfo, sign: 1 | -1) => {
    for (const image of node.imageBytes.keys()) images.set(image, (images.get(image) ?? 0) + sign)
  }
  const countRefusers = (node: NodeInfo, sign: 1 | -1) => {
    if (node.isTainted) topology.tainted += sign
    if (node.isSoftlyTainted) topology.softlyTainted += sign
    if (node.node?.spec.unschedulable) topology.unschedulable += sign
  }
  const all = () => {
    if (!nodes) {
      nodes = interleaved([...byName.values()].filter(node => node.node))
      nodes.forEach((node, index) => {
        node.place = index
      })
    }
    return nodes
  }

  const cache: SchedulerCache = {
    get nodes() {
      return all()
    },
    topology,
    tallies,
    nodesWithImage: image => images.get(image) ?? 0,
    usersOfClaim: claim => claimUsers.get(claim) ?? 0,
    get(name) {
      const node = byName.get(name)
      return node?.node ? node : undefined
    },
    setNode(object) {
      const node = nodeOf(object.metadata.name ?? '')
      const before = node.node
      const { labels } = node
      countImages(node, -1)
      countRefusers(node, -1)
      node.setNode(object)
      countImages(node, 1)
      countRefusers(node, 1)
      if (!before || !sameLabels(labels, node.labels)) {
        topology.changed()
        nodes = undefined
      }
      return node
    },
    removeNode(name) {
      const node = byName.get(name)
      if (!node?.node) return
      countImages(node, -1)
      countRefusers(node, -1)
      node.clear()
      topology.changed()
      nodes = undefined
      if (node.pods.size === 0) byName.delete(name)
    },
    setPod(pod) {
      const uid = pod.metadata.uid ?? ''
      const known = placed.get(uid)
      const old = known?.node.pods.get(uid)
      const node = nodeOf(pod.spec.nodeName ?? '')
      // Most changes of a pod are of its status, or confirm what was assumed: nothing that counts here.
      if (known?.node !== node || !old || !countsTheSame(old.pod, pod)) return place(podInfo(pod), node, false)
      node.pods.set(uid, { ...old, pod })
      if (known.assumed) placed.set(uid, { node, assumed: false })
    },
    removePod(pod) {
      remove(pod.metadata.uid ?? '')
    },
    assume(pod, node) {
      place(pod, node, true)
    },
    forget(uid) {
      if (placed.get(uid)?.assumed) remove(uid)
    },
    isAssumed: uid => placed.get(uid)?.assumed ?? false,
    placeOf: uid => placed.get(uid)?.node,
    sizes() {
      let assumed = 0
      for (const where of placed.values()) if (where.assumed) assumed++
      return { pods: placed.size, assumed }
    },
    namespaceChanged: () => tallies.forgetNamespaces(),
    copy() {
      const other = schedulerCache(labelsOf)
      for (const node of byName.values()) if (node.node) other.setNode(node.node)
      for (const node of byName.values()) {
        const target = other.get(node.name)
        if (target) for (const pod of node.pods.values()) other.assume(pod, target)
      }
      return other
    },
  }
  return cache
}

function sameLabels(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every(key => left[key] === right[key])
}

/** Whether nothing changed that is counted. */
function countsTheSame(old: Pod, pod: Pod): boolean {
  if (old === pod) return true
  const isDeleted = (one: Pod) => one.metadata.deletionTimestamp !== undefined
  return (
    isDeleted(old) === isDeleted(pod) &&
    equal(old.metadata.labels, pod.metadata.labels) &&
    (old.spec.containers === pod.spec.containers || equal(old.spec.containers, pod.spec.containers)) &&
    equal(old.spec.resources, pod.spec.resources) &&
    equal(heldBy(old), heldBy(pod))
  )
}

/** What containers hold according to the kubelet, where that is not what they ask for: while the pod is resized. */
function heldBy({ spec, status }: Pod): object[] {
  const held: object[] = []
  for (const { name, allocatedResources, resources } of [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]) {
    const container = [...spec.containers, ...(spec.initContainers ?? [])].find(one => one.name === name)
    const asked = container?.resources.requests
    const isAsAsked = (amounts: object | undefined) => amounts === undefined || equal(amounts, asked)
    if (!isAsAsked(allocatedResources) || !isAsAsked(resources?.requests))
      held.push({ name, allocatedResources, requests: resources?.requests })
  }
  return held
}
