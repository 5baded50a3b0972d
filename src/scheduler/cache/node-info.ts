import { allocatableOf } from '#kinds/core/v1/node.facts.ts'
import type { Node, Taint } from '#kinds/core/v1/node.ts'
import type { HostPort, PodInfo } from './pod-info.ts'
import { amountsBySlot } from './resource-slots.ts'

let versions = 0

/**
 * A node with the pods on it, as scheduling sees it: sums are kept, not computed.
 *
 * Hot: bench/scheduler. Amounts are arrays of numbers by resource slot, so that filtering a node allocates nothing.
 */
export class NodeInfo {
  readonly name: string
  /** Where it stands in the list of all nodes. */
  place = -1
  /** Another one after each change of the node or its pods; no two nodes ever have the same. */
  version = ++versions
  /** Undefined while only pods of the node are known, or once it was deleted. */
  node: Node | undefined
  labels: Readonly<Record<string, string>> = {}
  taints: readonly Taint[] = []
  allocatable: readonly number[] = []
  /** What its pods request, by slot. */
  readonly requested: number[] = [0, 0, 0, 0]
  scoredCpu = 0
  scoredMemory = 0
  readonly pods = new Map<string, PodInfo>()
  /** Sizes of the images it has, by name. */
  imageBytes: ReadonlyMap<string, number> = new Map()
  readonly #ports = new Map<string, number>()

  constructor(name: string) {
    this.name = name
  }

  setNode(node: Node): void {
    this.version = ++versions
    this.node = node
    this.labels = node.metadata.labels ?? {}
    this.taints = node.spec.taints ?? []
    this.allocatable = amountsBySlot(allocatableOf(node))
    this.imageBytes = new Map(
      (node.status.images ?? []).flatMap(image => (image.names ?? []).map(name => [name, image.sizeBytes ?? 0] as const)),
    )
  }

  /** The node is gone; pods of it may yet be known. */
  clear(): void {
    this.version = ++versions
    this.node = undefined
    this.labels = {}
    this.taints = []
    this.allocatable = []
    this.imageBytes = new Map()
  }

  /** Whether it has a taint that keeps pods off. */
  get isTainted(): boolean {
    return this.taints.some(taint => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute')
  }

  /** Whether it has a taint that makes pods prefer other nodes. */
  get isSoftlyTainted(): boolean {
    return this.taints.some(taint => taint.effect === 'PreferNoSchedule')
  }

  addPod(pod: PodInfo): void {
    this.pods.set(pod.uid, pod)
    this.#count(pod, 1)
  }

  removePod(uid: string): void {
    const pod = this.pods.get(uid)
    if (!pod) return
    this.pods.delete(uid)
    this.#count(pod, -1)
  }

  /** Whether another pod holds one of these ports on an overlapping address. */
  hasPortConflict(ports: readonly HostPort[]): boolean {
    if (this.#ports.size === 0) return false
    for (const wanted of ports) {
      if (wanted.ip === ANY_ADDRESS) {
        for (const held of this.#ports.keys()) if (held.endsWith(` ${wanted.protocol} ${wanted.port}`)) return true
      } else if (this.#ports.has(keyOfPort(wanted)) || this.#ports.has(keyOfPort({ ...wanted, ip: ANY_ADDRESS }))) return true
    }
    return false
  }

  /** A copy with the same node and pods, to try other contents on. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.name)
    copy.node = this.node
    copy.labels = this.labels
    copy.taints = this.taints
    copy.allocatable = this.allocatable
    copy.imageBytes = this.imageBytes
    copy.place = this.place
    for (const pod of this.pods.values()) copy.pods.set(pod.uid, pod)
    for (let slot = 0; slot < this.requested.length; slot++) copy.requested[slot] = this.requested[slot]!
    copy.scoredCpu = this.scoredCpu
    copy.scoredMemory = this.scoredMemory
    for (const [port, count] of this.#ports) copy.#ports.set(port, count)
    return copy
  }

  #count(pod: PodInfo, sign: 1 | -1): void {
    this.version = ++versions
    const { requests, requestedSlots } = pod
    for (let index = 0; index < requestedSlots.length; index++) {
      const slot = requestedSlots[index]!
      this.requested[slot] = (this.requested[slot] ?? 0) + sign * requests[slot]!
    }
    this.scoredCpu += sign * pod.scoredCpu
    this.scoredMemory += sign * pod.scoredMemory
    for (const port of pod.hostPorts) {
      const key = keyOfPort(port)
      const count = (this.#ports.get(key) ?? 0) + sign
      if (count === 0) this.#ports.delete(key)
      else this.#ports.set(key, count)
    }
  }
}

const ANY_ADDRESS = '0.0.0.0'

const keyOfPort = ({ ip, protocol, port }: HostPort) => `${ip} ${protocol} ${port}`
