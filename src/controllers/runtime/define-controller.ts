import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Informer } from '#client/informers/informer.ts'
import { type Worked, type WorkQueue, workQueue } from '#client/queue/work-queue.ts'
import type { AnyKind, ApiObject, ObjectOf } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { isConflict } from '#machinery/status/status-error.ts'
import type { Controller, ControllerContext } from './controller.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import { keyOf, partsOf } from './keys.ts'
import type { ControllerParameters } from './parameters.ts'
import { Sightings } from './sightings.ts'
import { untilAborted } from './until-aborted.ts'
import { writeStatus } from './update-status.ts'
import { BY_CONTROLLER, byController, ORPHANS, type Watch, type WatchWorld } from './watches.ts'

/** What a controller is, beside the code that reconciles. */
export interface ControllerDefinition<K extends AnyKind> {
  /** Upstream's name. */
  readonly name: string
  /** How it names itself in events, where that is not its name. */
  readonly component?: string
  /** Upstream's gates without which it does not run. */
  readonly featureGates?: readonly string[]
  /** Every object of this kind is brought to what it asks for. */
  readonly reconciles: K
  /** Which of these objects there is something to do for; absent: for all. Asked about an object before and after each change. */
  concerns?(object: ObjectOf<K>): boolean
  /** Other objects whose changes matter. Only kinds named here can be looked up. */
  readonly watches?: readonly Watch[]
  /** What it writes, for the check against its role. */
  readonly writes?: readonly Written[]
  /** How many objects are reconciled at the same time. */
  readonly concurrency?: number
  /** Every object is due again after so long even if nothing changed. */
  readonly resyncMs?: number
  /** Makes keys due for reasons that no watch knows. Called once when the caches are filled; disposed of at the end. */
  triggers?(due: (key: string) => void): Disposable
  /** Called when an object is new or changed, when something watched changed, and after failures: brings the world closer to what it asks for. */
  reconcile(object: ObjectOf<K>, tools: Tools): Promise<void>
  /** Called when an object is gone. */
  gone?(name: { readonly namespace: string; readonly name: string }, tools: Tools): Promise<void>
}

/** A kind that a controller writes, and which part of it. */
export interface Written {
  readonly kind: AnyKind
  readonly subresource: string
}

/** What {@link ControllerDefinition.reconcile} is given. */
export interface Tools {
  /** Its writes are waited for before the key is run again. */
  readonly client: Client
  readonly clock: Clock
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly random: Random
  readonly log: Logger
  readonly kinds: KindRegistry
  readonly parameters: ControllerParameters
  readonly metrics: ControllerMetrics
  readonly events: EventRecorder
  readonly signal: AbortSignal
  /** An object as the cache has it. */
  readonly get: <W extends AnyKind>(kind: W, namespace: string, name: string) => ObjectOf<W> | undefined
  readonly list: <W extends AnyKind>(kind: W, where?: Where) => readonly ObjectOf<W>[]
  /** Writes the status if it says anything new; else sends nothing. */
  readonly updateStatus: <W extends AnyKind>(kind: W, object: ObjectOf<W>, status: object) => Promise<ObjectOf<W>>
  /** Has the object reconciled again after so long, even if nothing changes. */
  readonly again: (afterMs: number) => void
}

/** Which objects {@link Tools.list} returns; those for which everything given holds. */
export interface Where {
  readonly namespace?: string
  /** Those that this object controls. */
  readonly ownedBy?: { readonly metadata: { readonly uid?: string | undefined } }
  /** Those without a controller in this namespace. */
  readonly orphansIn?: string
  readonly selector?: LabelSelector
  /** Those that an index of a watch files under a key. */
  readonly index?: readonly [name: string, key: string]
}

/** The controller that `definition` describes. */
export function defineController<K extends AnyKind>(
  definition: ControllerDefinition<K>,
): Controller & { readonly definition: ControllerDefinition<K> } {
  const { name, featureGates, reconciles, watches = [] } = definition
  const needs = [reconciles, ...watches.map(({ kind }) => kind)]
  return { name, featureGates, needs, definition, run: context => new Loop(definition, context) }
}

/** The status of a kind, as a {@link Written}. */
export function status(kind: AnyKind): Written {
  return { kind, subresource: 'status' }
}

/** The object itself, as a {@link Written}. */
export function whole(kind: AnyKind): Written {
  return { kind, subresource: '' }
}

class Loop<K extends AnyKind> implements AsyncDisposable {
  readonly #definition: ControllerDefinition<K>
  readonly #context: ControllerContext
  readonly #log: Logger
  readonly #events: EventRecorder
  readonly #queue: WorkQueue<string>
  readonly #caches = new Map<AnyKind, Informer>()
  readonly #reconciled: Informer<ObjectOf<K>>
  readonly #subscriptions: Disposable[] = []
  readonly #sightings = new Map<string, Sightings>()
  readonly #waits = new Set<AbortController>()
  readonly #ended = new AbortController()
  readonly #started: Promise<void>

  constructor(definition: ControllerDefinition<K>, context: ControllerContext) {
    this.#definition = definition
    this.#context = context
    this.#log = context.log.with({ controller: definition.name })
    this.#events = context.events(definition.component ?? definition.name)
    this.#reconciled = context.informers.of(definition.reconciles)
    this.#caches.set(definition.reconciles, this.#reconciled as unknown as Informer)
    for (const watch of definition.watches ?? []) this.#caches.set(watch.kind, context.informers.of(watch.kind) as unknown as Informer)
    this.#queue = workQueue<string>({
      clock: context.clock,
      concurrency: definition.concurrency ?? context.parameters.concurrentSyncs,
      work: (key, signal) => this.#work(key, signal),
      failed: (key, error, failures, delayMs) => this.#failed(key, error, failures, delayMs),
      metrics: context.metrics.queue(definition.name, () => this.#queue),
    })
    this.#started = this.#start().catch(error => {
      if (!this.#ended.signal.aborted) this.#log.error('a controller could not start', { error })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the controller was stopped'))
    for (const wait of this.#waits) wait.abort(this.#ended.signal.reason)
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]()
    await this.#started
    await this.#queue[Symbol.asyncDispose]()
  }

  /** Keys are worked on only when every cache is filled: an empty cache would look like a world without objects. */
  async #start(): Promise<void> {
    for (const watch of this.#definition.watches ?? []) {
      for (const [name, keysOf] of Object.entries(watch.indexes ?? {})) this.#caches.get(watch.kind)!.addIndex(name, keysOf)
    }
    await untilAborted(Promise.all([...this.#caches.values()].map(cache => cache.synced())), this.#ended.signal)
    if (this.#ended.signal.aborted) return
    const world: WatchWorld = {
      kind: this.#definition.reconciles,
      reconciled: this.#reconciled as unknown as Informer,
      cacheOf: kind => this.#cacheOf(kind),
    }
    const due = (key: string) => this.#queue.add(key)
    const concerns = (object: ObjectOf<K> | undefined) => object !== undefined && (this.#definition.concerns?.(object) ?? true)
    this.#subscriptions.push(
      this.#reconciled.onChange((object, old) => {
        if (concerns(object) || concerns(old)) due(keyOf((object ?? old) as ApiObject))
      }),
    )
    for (const watch of this.#definition.watches ?? []) {
      if (!watch.noticed) continue
      this.#subscriptions.push(this.#caches.get(watch.kind)!.onChange((object, old) => watch.noticed!({ object, old }, world, due)))
    }
    const triggers = this.#definition.triggers?.(due)
    if (triggers) this.#subscriptions.push(triggers)
  }

  async #work(key: string, signal: AbortSignal): Promise<Worked | undefined> {
    const sightings = this.#sightingsOf(key)
    let againAfterMs = this.#definition.resyncMs
    let failure: { error: unknown } | undefined
    try {
      await sightings.resolveDoubts(signal)
      const { namespace, name } = partsOf(key)
      const object = this.#reconciled.get(namespace, name)
      const again = (ms: number) => {
        againAfterMs = againAfterMs === undefined ? ms : Math.min(againAfterMs, ms)
      }
      const tools = this.#tools(sightings, signal, again)
      if (object) await this.#definition.reconcile(object, tools)
      else {
        againAfterMs = undefined
        await this.#definition.gone?.({ namespace, name }, tools)
      }
    } catch (error) {
      failure = { error }
    }
    if (sightings.isClear) {
      this.#sightings.delete(key)
      return { againAfterMs, failure }
    }
    return { againAfterMs, failure, until: this.#seen(key, sightings) }
  }

  /** Every wait has a signal of its own: thousands of keys must not hang on one. */
  async #seen(key: string, sightings: Sightings): Promise<void> {
    const wait = new AbortController()
    this.#waits.add(wait)
    await sightings.seen(wait.signal)
    this.#waits.delete(wait)
    // What is left is a doubt: the key's next run resolves it first.
    if (sightings.isClear) this.#sightings.delete(key)
  }

  #sightingsOf(key: string): Sightings {
    let sightings = this.#sightings.get(key)
    if (!sightings) {
      sightings = new Sightings(kind => this.#caches.get(kind), this.#context.client, this.#context.clock)
      this.#sightings.set(key, sightings)
    }
    return sightings
  }

  #tools(sightings: Sightings, signal: AbortSignal, again: (ms: number) => void): Tools {
    const { clock, random, kinds, parameters, metrics } = this.#context
    const client = sightings.watching()
    return {
      client,
      clock,
      now: clock.now(),
      random,
      kinds,
      parameters,
      metrics,
      signal,
      again,
      log: this.#log,
      events: this.#events,
      get: (kind, namespace, name) => this.#cacheOf(kind).get(namespace, name),
      list: (kind, where = {}) => listFrom(this.#cacheOf(kind), where),
      updateStatus: (kind, object, status) => writeStatus(client, kind, object, status),
    }
  }

  #cacheOf<W extends AnyKind>(kind: W): Informer<ObjectOf<W>> {
    const cache = this.#caches.get(kind)
    if (!cache) throw new Error(`${this.#definition.name} looks at ${kind.plural} without watching them: add them to its watches`)
    return cache as unknown as Informer<ObjectOf<W>>
  }

  #failed(key: string, error: unknown, failures: number, delayMs: number): void {
    const fields = { object: key, error, failures, delayMs }
    if (isConflict(error) || failures < 3) this.#log.verbose('an object is reconciled again after a failure', fields)
    else this.#log.warn('an object could not be reconciled', fields)
  }
}

function listFrom<O extends ApiObject>(cache: Informer<O>, where: Where): readonly O[] {
  const { namespace, ownedBy, orphansIn, selector, index } = where
  let found: readonly O[]
  if (ownedBy) {
    cache.addIndex(BY_CONTROLLER, byController)
    found = cache.byIndex(BY_CONTROLLER, ownedBy.metadata.uid ?? '')
  } else if (orphansIn !== undefined) found = cache.byIndex(ORPHANS, orphansIn)
  else if (index) found = cache.byIndex(index[0], index[1])
  else found = cache.list(namespace)
  return selector ? found.filter(object => selector.matches(object.metadata.labels)) : found
}
