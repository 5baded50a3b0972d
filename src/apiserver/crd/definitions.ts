import type { Timer } from '#base/time/clock.ts'
import type { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { type Core, timestamp } from '../registry/core.ts'
import { remove } from '../registry/delete.ts'
import { change } from '../registry/update.ts'
import type { WriteRequest } from '../registry/write-request.ts'
import type { CacheEvent } from '../watch-cache/change.ts'
import { everything } from '../watch-cache/selection.ts'
import type { WatchCache } from '../watch-cache/watch-cache.ts'
import type { ConversionFactory } from './conversion.ts'
import { type CustomKinds, customKinds } from './custom-kind.ts'
import { CLEANUP_FINALIZER, isTrue, planStatus, withCondition } from './definition-status.plan.ts'

export interface DefinitionsOptions {
  readonly core: Core
  /** The kind of definitions itself. */
  readonly kind: AnyKind
  readonly conversion: ConversionFactory
  /** Fills a cache for the stored kind before it is served. */
  keep(stored: AnyKind): Promise<WatchCache>
  /** Drops it again; its watches end. */
  drop(stored: AnyKind): void
}

/** How long a definition waits that could not be worked on. */
const RETRY_MS = 1000

/**
 * Serves what the stored definitions define, keeps their status, and empties those that are being deleted. It looks at the state only, never
 * at what led there, so it may start at any time and run in several API servers at once: each serves by what it sees in the store, and all
 * would write the same status.
 */
export class Definitions {
  readonly #options: DefinitionsOptions
  readonly #serving = new Map<string, Serving>()
  readonly #due = new Set<string>()
  #watch: Disposable | undefined
  readonly #retries = new Set<Timer>()
  #isRunning = false
  #isStopped = false

  constructor(options: DefinitionsOptions) {
    this.#options = options
  }

  /** Resolves once everything that is established is served. */
  async start(): Promise<void> {
    // One that cannot be served does not keep the others from it: it is tried again with all that follows.
    const failed = (error: unknown) => this.#options.core.log.warn('a custom resource cannot be served yet', { error: String(error) })
    await Promise.all(this.#all().map(definition => this.#serve(definition).catch(failed)))
    this.#follow()
  }

  stop(): void {
    this.#isStopped = true
    this.#watch?.[Symbol.dispose]()
    for (const { watch } of this.#serving.values()) watch[Symbol.dispose]()
    for (const timer of this.#retries) timer.cancel()
  }

  #follow(): void {
    this.#watch = this.#cache().watch(
      { selection: everything, since: undefined, marksInitialEnd: false, wantsBookmarks: false },
      {
        events: events => this.#changed(events),
        // The cache was read anew (or the server is going down): what is there now is looked at again.
        closed: () => {
          if (this.#isStopped) return
          this.#mark([...this.#serving.keys()])
          this.#follow()
        },
      },
    )
  }

  /** The names of a group are one another's concern. */
  #changed(events: readonly CacheEvent[]): void {
    const groups = new Set(events.map(({ object }) => (object as CustomResourceDefinition).spec?.group))
    const neighbours = this.#all().filter(({ spec }) => groups.has(spec.group))
    this.#mark([...events, ...neighbours.map(object => ({ object }))].map(({ object }) => object.metadata.name ?? ''))
  }

  #mark(names: readonly string[]): void {
    for (const name of names) this.#due.add(name)
    if (this.#isStopped || this.#isRunning || this.#due.size === 0) return
    this.#isRunning = true
    void this.#work().finally(() => {
      this.#isRunning = false
      // What came in the turn in which the work ended.
      this.#mark([])
    })
  }

  async #work(): Promise<void> {
    for (;;) {
      const [name] = this.#due
      if (name === undefined || this.#isStopped) return
      this.#due.delete(name)
      try {
        await this.#settle(name)
      } catch (error) {
        if (this.#isStopped) return
        this.#options.core.log.warn('a custom resource definition cannot be worked on; trying again', { name, error: String(error) })
        this.#retryLater(name)
      }
    }
  }

  #retryLater(name: string): void {
    const timer = this.#options.core.clock.after(RETRY_MS, () => {
      this.#retries.delete(timer)
      this.#mark([name])
    })
    this.#retries.add(timer)
  }

  async #settle(name: string): Promise<void> {
    const definition = this.#cache().get(name) as CustomResourceDefinition | undefined
    if (!definition) return this.#unserve(name)
    if (definition.metadata.deletionTimestamp) {
      await this.#serve(definition)
      return this.#empty(definition)
    }
    const status = planStatus(definition, this.#all(), this.#now())
    // Served first: who reads that it is established may use it at once.
    await this.#serve({ ...definition, status })
    if (!equal(status, definition.status)) {
      await this.#write(definition, 'status', current => ({ ...current, status: planStatus(current, this.#all(), this.#now()) }))
    }
  }

  /** Makes the server serve the definition as it is now. */
  async #serve(definition: CustomResourceDefinition): Promise<void> {
    const { name = '', uid = '' } = definition.metadata
    const known = this.#serving.get(name)
    if (known && known.uid !== uid) this.#unserve(name)
    if (!isTrue(definition, 'Established')) return
    if (known?.uid === uid && isSameService(known.definition, definition)) return
    const made = customKinds(definition, this.#options.conversion(definition))
    const { kinds } = this.#options.core
    const cache = await this.#options.keep(made.stored)
    if (this.#isStopped) return
    const before = known?.uid === uid ? known.made.served : []
    for (const kind of before) if (!made.served.some(other => other.version === kind.version)) kinds.remove(kind)
    for (const kind of made.served) kinds.add(kind)
    known?.watch[Symbol.dispose]()
    // Clients that watch begin anew where what they are shown has another form from now on.
    if (known && before.length > 0 && !isSameForm(known.definition, definition)) cache.renew(made.stored)
    this.#serving.set(name, { uid, definition, made, cache, watch: this.#watchGoing(name, cache) })
  }

  /** While a definition is being emptied, each object that goes brings it nearer to its end. */
  #watchGoing(name: string, cache: WatchCache): Disposable {
    const isGoing = () => Boolean(this.#cache().get(name)?.metadata.deletionTimestamp)
    return cache.watch(
      { selection: everything, since: cache.revision, marksInitialEnd: false, wantsBookmarks: false },
      {
        events: events => {
          if (isGoing() && events.some(({ type }) => type === 'DELETED')) this.#mark([name])
        },
        closed: () => {
          if (isGoing()) this.#mark([name])
        },
      },
    )
  }

  #unserve(name: string): void {
    const serving = this.#serving.get(name)
    if (!serving) return
    this.#serving.delete(name)
    serving.watch[Symbol.dispose]()
    for (const kind of serving.made.served) this.#options.core.kinds.remove(kind)
    this.#options.drop(serving.made.stored)
  }

  /** Deletes every object of the definition; once none is left, the definition may go. */
  async #empty(definition: CustomResourceDefinition): Promise<void> {
    const { name = '', finalizers = [] } = definition.metadata
    if (!finalizers.includes(CLEANUP_FINALIZER)) return
    const serving = this.#serving.get(name)
    const left = serving ? serving.cache.snapshot().objects.values() : []
    if (left.length > 0) {
      await this.#note(definition, 'True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
      for (const object of left) if (!object.metadata.deletionTimestamp) await this.#delete(serving!.made.stored, object)
      if (serving!.cache.size > 0) return
    }
    await this.#note(definition, 'False', 'InstanceDeletionCompleted', 'removed all instances')
    await this.#write(definition, '', current => {
      const rest = (current.metadata.finalizers ?? []).filter(finalizer => finalizer !== CLEANUP_FINALIZER)
      const { finalizers: _, ...metadata } = current.metadata
      return { ...current, metadata: rest.length > 0 ? { ...metadata, finalizers: rest } : metadata }
    })
  }

  async #delete(kind: AnyKind, { metadata: { namespace = '', name = '' } }: ApiObject): Promise<void> {
    const request = { ...this.#request(kind, name, ''), namespace }
    try {
      await remove(this.#options.core, request, {})
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error
    }
  }

  #note(definition: CustomResourceDefinition, status: 'True' | 'False', reason: string, message: string): Promise<void> {
    const news = { type: 'Terminating', status, reason, message } as const
    return this.#write(definition, 'status', current => ({
      ...current,
      status: { ...current.status, conditions: withCondition(current.status.conditions ?? [], news, this.#now()) },
    }))
  }

  /** Changes the stored definition if it is still this one. */
  async #write(
    definition: CustomResourceDefinition,
    subresource: '' | 'status',
    next: (current: CustomResourceDefinition) => CustomResourceDefinition,
  ): Promise<void> {
    const { name = '', uid } = definition.metadata
    try {
      await change(this.#options.core, this.#request(this.#options.kind, name, subresource), {
        isPatch: true,
        next: current => draft(current.metadata.uid === uid ? next(current as CustomResourceDefinition) : current) as Mutable<ApiObject>,
      })
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error
    }
  }

  #request(kind: AnyKind, name: string, subresource: string): WriteRequest {
    const user = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }
    return {
      caller: { user, userAgent: 'kube-apiserver' },
      kind,
      namespace: '',
      name,
      subresource,
      dryRun: false,
      fieldManager: 'kube-apiserver',
      fieldValidation: 'Ignore',
    }
  }

  #cache(): WatchCache {
    return this.#options.core.objects.cacheOf(this.#options.kind)
  }

  #all(): CustomResourceDefinition[] {
    return this.#cache().select(everything) as CustomResourceDefinition[]
  }

  #now(): string {
    return timestamp(this.#options.core.clock.now())
  }
}

interface Serving {
  readonly uid: string
  readonly definition: CustomResourceDefinition
  readonly made: CustomKinds
  readonly cache: WatchCache
  readonly watch: Disposable
}

/** Whether two states of a definition make the server serve the same. */
function isSameService(one: CustomResourceDefinition, other: CustomResourceDefinition): boolean {
  const isGoing = (definition: CustomResourceDefinition) => definition.metadata.deletionTimestamp !== undefined
  return isSameForm(one, other) && isGoing(one) === isGoing(other)
}

function isSameForm(one: CustomResourceDefinition, other: CustomResourceDefinition): boolean {
  return (one.spec === other.spec || equal(one.spec, other.spec)) && equal(one.status.acceptedNames, other.status.acceptedNames)
}
