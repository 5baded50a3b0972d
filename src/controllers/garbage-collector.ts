import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Informer } from '#client/informers/informer.ts'
import { type WorkQueue, workQueue } from '#client/queue/work-queue.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { groupVersionOf, type OwnerReference } from '#machinery/meta/object-meta.ts'
import { isConflict, isMethodNotSupported, isNotFound } from '#machinery/status/status-error.ts'
import { blockingDependents, FOREGROUND, type GraphNews, type GraphNode, isOwnerOf, ORPHAN, OwnerGraph } from './garbage-collector.graph.ts'
import type { Controller, ControllerContext } from './runtime/controller.ts'
import { untilAborted } from './runtime/until-aborted.ts'

/** Deletes objects whose owners are all gone, and carries foreground and orphaning deletions out. */
export const garbageCollectorController: Controller = {
  name: 'garbage-collector-controller',
  run: context => new GarbageCollector(context),
}

/** How many absent owners are remembered, so that many dependents of one cost one look. */
const ABSENT_LIMIT = 500

class GarbageCollector implements AsyncDisposable {
  readonly #context: ControllerContext
  readonly #graph = new OwnerGraph()
  readonly #events: EventRecorder
  readonly #deletions: WorkQueue<string>
  readonly #orphans: WorkQueue<string>
  readonly #watched = new Map<AnyKind, { cache: Informer; subscription: Disposable }>()
  readonly #absent = new Set<string>()
  readonly #ended = new AbortController()
  readonly #registry: Disposable
  #isReady = false
  readonly #started: Promise<void>

  constructor(context: ControllerContext) {
    const { clock, kinds, log } = context
    this.#context = context
    this.#events = context.events('garbage-collector-controller')
    const failed = (uid: string, error: unknown, failures: number) =>
      log.verbose('the garbage collector looks at an object again', { object: this.#graph.get(uid)?.name, uid, error, failures })
    const concurrency = 20
    const queueNamed = (name: string, work: (uid: string) => Promise<undefined>) => {
      const queue: WorkQueue<string> = workQueue<string>({
        clock,
        concurrency,
        failed,
        work,
        metrics: context.metrics.queue(name, () => queue),
      })
      return queue
    }
    this.#deletions = queueNamed('garbage_collector_attempt_to_delete', uid => this.#attemptToDelete(uid))
    this.#orphans = queueNamed('garbage_collector_attempt_to_orphan', uid => this.#orphanDependents(uid))
    this.#follow()
    this.#registry = kinds.onChange(() => this.#follow())
    this.#started = this.#start().catch(error => {
      if (!this.#ended.signal.aborted) log.error('the garbage collector could not start', { error })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the garbage collector was stopped'))
    this.#registry[Symbol.dispose]()
    for (const { subscription } of this.#watched.values()) subscription[Symbol.dispose]()
    await this.#started
    await Promise.all([this.#deletions[Symbol.asyncDispose](), this.#orphans[Symbol.asyncDispose]()])
  }

  /** Nothing is judged before everything was seen. */
  async #start(): Promise<void> {
    await untilAborted(Promise.all([...this.#watched.values()].map(({ cache }) => cache.synced())), this.#ended.signal)
    this.#isReady = true
    this.#tell(this.#graph.unsettled())
  }

  /** Watches every kind that can be deleted, custom ones as they come and go. */
  #follow(): void {
    const { kinds, informers } = this.#context
    const wanted = new Set([...kinds.stored()].filter(isCollectable))
    for (const kind of wanted) {
      if (this.#watched.has(kind)) continue
      const cache = informers.of(kind) as unknown as Informer
      const subscription = cache.onChange((object, old) => {
        // A name that was taken by another object is the end of the former one.
        if (old && old.metadata.uid !== object?.metadata.uid) this.#tell(this.#graph.remove(old.metadata.uid ?? ''))
        if (object) this.#tell(this.#graph.put(kind, object))
      })
      this.#watched.set(kind, { cache, subscription })
    }
    for (const [kind, { cache, subscription }] of this.#watched) {
      if (wanted.has(kind)) continue
      subscription[Symbol.dispose]()
      this.#watched.delete(kind)
      for (const object of cache.list()) this.#tell(this.#graph.remove(object.metadata.uid ?? ''))
      informers.forget(kind)
    }
  }

  #tell(news: GraphNews): void {
    if (!this.#isReady) return
    for (const node of news.delete) this.#deletions.add(node.uid)
    for (const node of news.orphan) this.#orphans.add(node.uid)
  }

  /** Deletes the object if no owner keeps it, or drops the references to owners that are gone. */
  async #attemptToDelete(uid: string): Promise<undefined> {
    const node = this.#graph.get(uid)
    if (!node?.kind || (node.isBeingDeleted && !node.isDeletingDependents)) return
    if (node.isDeletingDependents) return await this.#continueForeground(node)
    if (node.owners.every(owner => this.#isKnown(node, owner))) return
    const fresh = await this.#fetch(node.kind, node.namespace, node.name, uid)
    if (!fresh) return
    const owners = fresh.metadata.ownerReferences ?? []
    if (owners.length === 0) return
    const { solid, dangling, waiting } = await this.#classify(node, owners)
    if (solid.length > 0) {
      if (dangling.length + waiting.length > 0) await this.#setOwners(node.kind, fresh, solid)
      return
    }
    if (waiting.length > 0 && node.dependents.size > 0) {
      // A circle of owners that all wait for each other would never end.
      if ([...node.dependents].some(dependent => dependent.isDeletingDependents)) {
        const released = owners.map(owner => ({ ...owner, blockOwnerDeletion: false }))
        await this.#setOwners(node.kind, fresh, released)
      }
      return await this.#delete(node.kind, fresh, 'Foreground')
    }
    const finalizers = fresh.metadata.finalizers ?? []
    const policy = finalizers.includes(ORPHAN) ? 'Orphan' : finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background'
    return await this.#delete(node.kind, fresh, policy)
  }

  /** An owner in foreground deletion goes when nothing blocks it any more; until then its dependents are asked to go. */
  async #continueForeground(node: GraphNode): Promise<undefined> {
    const blocking = blockingDependents(node)
    if (blocking.length > 0) {
      for (const dependent of blocking) if (!dependent.isDeletingDependents) this.#deletions.add(dependent.uid)
      return
    }
    await this.#removeFinalizer(node, FOREGROUND)
  }

  async #orphanDependents(uid: string): Promise<undefined> {
    const node = this.#graph.get(uid)
    if (!node?.kind || !node.isOrphaning) return
    for (const dependent of [...node.dependents]) {
      if (!dependent.kind) continue
      const fresh = await this.#fetch(dependent.kind, dependent.namespace, dependent.name, dependent.uid)
      const owners = fresh?.metadata.ownerReferences ?? []
      const rest = owners.filter(owner => owner.uid !== uid)
      if (fresh && rest.length < owners.length) await this.#setOwners(dependent.kind, fresh, rest)
    }
    await this.#removeFinalizer(node, ORPHAN)
  }

  /** Which owners are there, which are gone, and which wait for their dependents to go. */
  async #classify(node: GraphNode, owners: readonly OwnerReference[]) {
    const solid: OwnerReference[] = []
    const dangling: OwnerReference[] = []
    const waiting: OwnerReference[] = []
    for (const owner of owners) {
      const state = await this.#stateOf(node, owner)
      if (state === 'absent') dangling.push(owner)
      else if (state === 'waiting') waiting.push(owner)
      else solid.push(owner)
    }
    return { solid, dangling, waiting }
  }

  /** Whether the graph itself says that this owner is there and stays. */
  #isKnown(node: GraphNode, reference: OwnerReference): boolean {
    const owner = this.#graph.get(reference.uid)
    return owner?.kind !== undefined && !owner.isVirtual && !owner.isDeletingDependents && isOwnerOf(owner, reference, node)
  }

  /** Looks an owner up where the graph does not know it: only the server's word makes it absent. */
  async #stateOf(node: GraphNode, reference: OwnerReference): Promise<'present' | 'absent' | 'waiting'> {
    const known = this.#graph.get(reference.uid)
    if (this.#isKnown(node, reference)) return 'present'
    if (known?.kind && !known.isVirtual && known.isDeletingDependents && isOwnerOf(known, reference, node)) return 'waiting'
    const kind = this.#kindOf(reference)
    if (!kind)
      throw new Error(`the owner ${reference.kind} ${reference.name} is of the unknown kind ${reference.apiVersion} ${reference.kind}`)
    const namespace = kind.scope === 'Namespaced' ? node.namespace : ''
    if (kind.scope === 'Namespaced' && node.namespace === '') {
      this.#warnOfNamespace(node, reference)
      return 'present'
    }
    const key = `${namespace}/${reference.uid}`
    if (this.#absent.has(key)) return 'absent'
    const owner = await this.#fetch(kind, namespace, reference.name, reference.uid)
    if (!owner) {
      if (known && !known.isVirtual) this.#warnOfNamespace(node, reference)
      this.#absent.add(key)
      if (this.#absent.size > ABSENT_LIMIT) this.#absent.delete(this.#absent.values().next().value!)
      return 'absent'
    }
    const { deletionTimestamp, finalizers = [] } = owner.metadata
    return deletionTimestamp && finalizers.includes(FOREGROUND) ? 'waiting' : 'present'
  }

  #warnOfNamespace(node: GraphNode, { apiVersion, kind, name, uid }: OwnerReference): void {
    const where = node.namespace === '' ? 'cluster-scoped' : `in namespace "${node.namespace}"`
    const about = {
      apiVersion: node.kind?.apiVersion ?? '',
      kind: node.kind?.kind ?? '',
      metadata: { name: node.name, namespace: node.namespace, uid: node.uid },
    }
    const message = `ownerRef [${apiVersion}/${kind}, namespace: ${node.namespace}, name: ${name}, uid: ${uid}] does not exist ${where}`
    this.#events.record(about, 'Warning', 'OwnerRefInvalidNamespace', message)
  }

  /** The kind of an owner; another version of it serves as well. */
  #kindOf({ apiVersion, kind }: OwnerReference): AnyKind | undefined {
    const { group, version } = groupVersionOf(apiVersion)
    const { kinds } = this.#context
    const exact = kinds.byKind(group, version, kind)
    if (exact) return exact
    for (const other of kinds.all()) if (other.group === group && other.kind === kind) return other
    return undefined
  }

  /** The object as the server has it now, if it is still the same one. */
  async #fetch(kind: AnyKind, namespace: string, name: string, uid: string): Promise<ApiObject | undefined> {
    try {
      const object = (await this.#context.client.get(kind, { namespace, name })) as ApiObject
      return object.metadata.uid === uid ? object : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #delete(kind: AnyKind, { metadata }: ApiObject, propagationPolicy: 'Background' | 'Foreground' | 'Orphan'): Promise<undefined> {
    const { namespace, name = '', uid, resourceVersion } = metadata
    const preconditions = { uid, resourceVersion }
    await this.#context.client.delete(kind, { namespace, name }, { propagationPolicy, preconditions }).catch(error => {
      if (!isNotFound(error) && !isMethodNotSupported(error)) throw error
    })
  }

  async #setOwners(kind: AnyKind, { metadata }: ApiObject, owners: readonly OwnerReference[]): Promise<void> {
    const { namespace, name = '', uid, resourceVersion } = metadata
    const ownerReferences = owners.length > 0 ? draft(owners) : null
    const body = { metadata: { uid, resourceVersion, ownerReferences } }
    await this.#context.client.patch(kind, { namespace, name }, { type: 'merge', body })
  }

  async #removeFinalizer(node: GraphNode, finalizer: string): Promise<undefined> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const fresh = await this.#fetch(node.kind!, node.namespace, node.name, node.uid)
      const finalizers = fresh?.metadata.finalizers ?? []
      if (!fresh || !finalizers.includes(finalizer)) return
      const rest = finalizers.filter(other => other !== finalizer)
      const { uid, resourceVersion } = fresh.metadata
      const body = { metadata: { uid, resourceVersion, finalizers: rest.length > 0 ? rest : null } }
      try {
        await this.#context.client.patch(node.kind!, { namespace: node.namespace, name: node.name }, { type: 'merge', body })
        return
      } catch (error) {
        if (isNotFound(error)) return
        if (!isConflict(error)) throw error
      }
    }
    throw new Error(`the finalizer ${finalizer} of ${node.name} could not be removed: the object changes all the time`)
  }
}

/** Events own nothing, and nobody lists as much as there are. */
function isCollectable({ kind, group, verbs }: AnyKind): boolean {
  if (kind === 'Event' && (group === '' || group === 'events.k8s.io')) return false
  return ['delete', 'list', 'watch'].every(verb => (verbs as readonly string[]).includes(verb))
}
