import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { OwnerReference } from '#machinery/meta/object-meta.ts'

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** An object as the garbage collector knows it. */
export interface GraphNode {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Undefined for an owner that was only heard of. */
  kind: AnyKind | undefined
  owners: readonly OwnerReference[]
  readonly dependents: Set<GraphNode>
  isBeingDeleted: boolean
  /** Waits for its dependents to be deleted first. */
  isDeletingDependents: boolean
  /** Its dependents are to lose it as their owner, and stay. */
  isOrphaning: boolean
  /** Some dependent names it, but no watch has shown it yet. */
  isVirtual: boolean
}

/** Which nodes need a look after a change. */
export interface GraphNews {
  readonly delete: readonly GraphNode[]
  readonly orphan: readonly GraphNode[]
}

/** Who owns whom, across all kinds. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  get size(): number {
    return this.#nodes.size
  }

  /** Everything that needs a look before any change is seen: what has unknown owners, and deletions under way. */
  unsettled(): GraphNews {
    const nodes = [...this.#nodes.values()]
    const isSettled = (node: GraphNode) =>
      node.owners.every(reference => {
        const owner = this.#nodes.get(reference.uid)
        return owner && !owner.isVirtual && !owner.isDeletingDependents && isOwnerOf(owner, reference, node)
      })
    return {
      delete: nodes.filter(node => node.isDeletingDependents || !isSettled(node)),
      orphan: nodes.filter(node => node.isOrphaning),
    }
  }

  /** The object is there, in this state. */
  put(kind: AnyKind, object: ApiObject): GraphNews {
    const { uid = '', namespace = '', name = '', ownerReferences = [], deletionTimestamp, finalizers = [] } = object.metadata
    const news = { delete: [] as GraphNode[], orphan: [] as GraphNode[] }
    let node = this.#nodes.get(uid)
    const former = node && !node.isVirtual ? node : undefined
    // A virtual node is named by what a dependent claims: the object itself knows better.
    if (node && (node.namespace !== namespace || node.name !== name)) node = this.#rename(node, namespace, name)
    if (!node) {
      node = newNode(uid, namespace, name)
      this.#nodes.set(uid, node)
    }
    node.kind = kind
    node.isVirtual = false
    this.#own(node, ownerReferences, news.delete)
    const isBeingDeleted = deletionTimestamp !== undefined
    const startsForeground = isBeingDeleted && finalizers.includes(FOREGROUND) && !former?.isDeletingDependents
    const startsOrphaning = isBeingDeleted && finalizers.includes(ORPHAN) && !former?.isOrphaning
    node.isBeingDeleted = isBeingDeleted
    node.isDeletingDependents = isBeingDeleted && finalizers.includes(FOREGROUND)
    node.isOrphaning = isBeingDeleted && finalizers.includes(ORPHAN)
    if (startsForeground) news.delete.push(node, ...node.dependents)
    if (startsOrphaning) news.orphan.push(node)
    return news
  }

  /** The object is gone. */
  remove(uid: string): GraphNews {
    const node = this.#nodes.get(uid)
    if (!node) return { delete: [], orphan: [] }
    this.#nodes.delete(uid)
    const affected: GraphNode[] = [...node.dependents]
    for (const { uid: ownerUid } of node.owners) {
      const owner = this.#nodes.get(ownerUid)
      owner?.dependents.delete(node)
      if (owner?.isDeletingDependents) affected.push(owner)
      this.#forgetIfUnused(owner)
    }
    return { delete: affected, orphan: [] }
  }

  /** Follows a change of owners; those that were only heard of so far must be looked for. */
  #own(node: GraphNode, owners: readonly OwnerReference[], news: GraphNode[]): void {
    const former = node.owners
    node.owners = owners
    for (const reference of owners) {
      const before = former.find(({ uid }) => uid === reference.uid)
      let owner = this.#nodes.get(reference.uid)
      if (!owner) {
        owner = newNode(reference.uid, node.namespace, reference.name)
        owner.isVirtual = true
        this.#nodes.set(reference.uid, owner)
        news.push(node)
      } else if (!before && (owner.isVirtual || owner.isDeletingDependents || !isOwnerOf(owner, reference, node))) news.push(node)
      owner.dependents.add(node)
      const isUnblocked = before?.blockOwnerDeletion && !reference.blockOwnerDeletion
      if (isUnblocked && owner.isDeletingDependents) news.push(owner)
    }
    for (const { uid } of former) {
      if (owners.some(reference => reference.uid === uid)) continue
      const owner = this.#nodes.get(uid)
      owner?.dependents.delete(node)
      if (owner?.isDeletingDependents) news.push(owner)
      this.#forgetIfUnused(owner)
    }
  }

  #rename(node: GraphNode, namespace: string, name: string): GraphNode {
    const next = { ...node, namespace, name }
    this.#nodes.set(node.uid, next)
    for (const { uid } of node.owners) {
      const owner = this.#nodes.get(uid)
      if (owner?.dependents.delete(node)) owner.dependents.add(next)
    }
    return next
  }

  #forgetIfUnused(node: GraphNode | undefined): void {
    if (node?.isVirtual && node.dependents.size === 0) this.#nodes.delete(node.uid)
  }
}

/** Dependents that an owner in foreground deletion waits for. */
export function blockingDependents(node: GraphNode): GraphNode[] {
  return [...node.dependents].filter(({ owners }) => owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion))
}

/** A reference means the object of that uid only where it can stand: in the same namespace, or cluster-wide. */
export function isOwnerOf(owner: GraphNode, reference: OwnerReference, dependent: GraphNode): boolean {
  return owner.name === reference.name && (owner.namespace === '' || owner.namespace === dependent.namespace)
}

function newNode(uid: string, namespace: string, name: string): GraphNode {
  return {
    uid,
    namespace,
    name,
    kind: undefined,
    owners: [],
    dependents: new Set(),
    isBeingDeleted: false,
    isDeletingDependents: false,
    isOrphaning: false,
    isVirtual: false,
  }
}
