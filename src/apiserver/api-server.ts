import type { Logger } from '#base/log/logger.ts'
import type { Series } from '#base/metrics/series.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { ApiHandler } from '#client/direct/api-handler.ts'
import { type FeatureGates, featureMetrics } from '#machinery/feature-gates/feature-gates.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { type KindRegistry, kindRegistry } from '#machinery/kind/kind-registry.ts'
import type { Store } from '#store/store.ts'
import { timelineOf } from '#store/timeline.ts'
import { AdmissionChain, type AdmissionPlugin } from './admission/admission.ts'
import type { Aggregation } from './aggregation/aggregation.ts'
import type { Authorizer } from './authorization/authorizer.ts'
import { behaviours as ownBehaviours } from './behaviours/behaviours.ts'
import { type ConversionFactory, noConversion } from './crd/conversion.ts'
import { Definitions } from './crd/definitions.ts'
import type { Encryption } from './encryption/encryption.ts'
import { Handler } from './handler.ts'
import type { Listening } from './http/listen.ts'
import type { ServeOptions } from './http/serve.ts'
import type { KubeletConnection } from './node-streams/kubelet-connection.ts'
import { type Behaviour, Behaviours } from './registry/behaviour.ts'
import type { ComputedResource } from './registry/computed-resource.ts'
import type { Core } from './registry/core.ts'
import { Gates } from './registry/gates.ts'
import { managedOwnership } from './registry/managed-ownership.ts'
import { ObjectStore } from './registry/object-store.ts'
import { Turns } from './registry/turns.ts'
import type { Review } from './reviews/review.ts'
import type { ServerParts } from './server-parts.ts'
import { reviewHandler } from './subresources/reviews.ts'
import { type SubresourceHandler, Subresources } from './subresources/subresource.ts'
import { subresources as ownSubresources } from './subresources/subresources.ts'
import { computedResources, type TypernetesParts } from './typernetes/typernetes.ts'
import { InconsistentCacheError } from './watch-cache/consistency.ts'
import { moveFormerKeys } from './watch-cache/former-keys.ts'
import { StorageCodec, type StorageCodecOptions } from './watch-cache/storage-codec.ts'
import { StoreFeed } from './watch-cache/store-feed.ts'

/** What an API server stands on. */
export interface ApiServerOptions {
  readonly store: Store
  /** The kinds that are served, built-in ones or a test's own. */
  readonly kinds: Iterable<AnyKind>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly authorizer: Authorizer
  /** In their order; none: no admission. */
  readonly admission?: readonly AdmissionPlugin[]
  /** In the place of the server's own: its `behaviours` and what needs more than the server, as the allocation of addresses. */
  readonly behaviours?: readonly Behaviour[]
  /** In the place of the server's own. */
  readonly subresources?: readonly SubresourceHandler[]
  /** Kinds that are questions: access and token reviews. */
  readonly reviews?: readonly Review[]
  /** How objects of custom resources get from one version to another; default: only their version's name changes. */
  readonly conversion?: ConversionFactory
  /** How values are encrypted at rest; absent: they are not. */
  readonly encryption?: Encryption
  /** In which form objects of built-in kinds are stored; JSON unless said otherwise. Both are read. */
  readonly storageMediaType?: StorageCodecOptions['mediaType']
  /** How kubelets are reached, for logs, exec and their like. */
  readonly kubeletConnection?: KubeletConnection
  /** Who serves groups in the place of this server; asked for when a port opens. */
  readonly aggregation?: () => Aggregation | undefined
  /**
   * Whether {@link ApiServer.stop} rejects if a cache differs from the store. On unless said otherwise: so it is in all tests. A running
   * server checks itself every five minutes in any case.
   */
  readonly checksConsistency?: boolean
  /** Which feature gates are on, as `--feature-gates` says it; others are as in upstream by default. */
  readonly featureGates?: FeatureGates
  /** What the parts that are given count, for `/metrics`. */
  readonly metrics?: readonly Series[]
}

/** A running API server. */
export interface ApiServer {
  /** For clients in the same process. */
  readonly handler: ApiHandler
  readonly kinds: KindRegistry
  /** Resolves once reads and writes are answered. */
  ready(): Promise<void>
  /** Opens a port for clients outside. */
  listen(options: ServeOptions): Promise<Listening>
  /** Serves a further kind from now on (a custom resource's); resolves once its objects are there. */
  addKind(kind: AnyKind): Promise<void>
  /** Serves a further kind whose objects are made up when they are read. */
  addComputed(resource: ComputedResource): void
  /** Serves a kind no longer: its watches end. */
  removeKind(kind: AnyKind): void
  /** Says what is still to be done before `/readyz` answers ok: the composition root's own part of the start. */
  holdReadiness(reason: string): { release(): void }
  stop(): Promise<void>
}

/** Starts an API server over a store. It answers clients in this process once it is ready, and others once it listens. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, random, log, authorizer } = options
  const kinds = kindRegistry(options.kinds)
  const timeline = timelineOf(store, clock)
  const { encryption, storageMediaType } = options
  const transformed = encryption ? { transformerOf: (group: string, resource: string) => encryption.transformerOf(group, resource) } : {}
  const codec = new StorageCodec({ kinds, ...(storageMediaType ? { mediaType: storageMediaType } : {}), ...transformed })
  const typernetes: TypernetesParts = { store, timeline, now: () => clock.now(), unreadableKeys: () => feed.unreadableKeys() }
  const computed = new Map(computedResources(typernetes, kinds.all()))
  const onRevision = computed.size > 0 ? { onRevision: (revision: number) => timeline.follow(revision) } : {}
  const feed: StoreFeed = new StoreFeed({ store, clock, log, codec, ...onRevision })
  encryption?.onChange(
    () =>
      void feed
        .retryUnreadable()
        .catch((error: unknown) => log.error('what could not be read could not be read again', { error: String(error) })),
  )
  for (const kind of kinds.stored()) if (isKept(kind) && !computed.has(kind)) feed.cacheOf(kind)
  const core: Core = {
    objects: new ObjectStore({ store, feed, clock, codec }),
    kinds,
    clock,
    random,
    log,
    admission: new AdmissionChain(options.admission ?? []),
    behaviours: new Behaviours(options.behaviours ?? ownBehaviours()),
    ownership: managedOwnership(kinds),
    turns: new Turns(),
    gates: new Gates(options.featureGates ?? {}),
    computed,
  }
  const { reviews = [] } = options
  const subresources = new Subresources([...(options.subresources ?? ownSubresources), ...reviews.map(reviewHandler)])
  const handler = new Handler(core, authorizer, subresources)
  const definitions = definitionsOf(core, feed, options)
  const held = new Set<string>(['the store has not been read'])
  const started = moveFormerKeys({ store, kinds: kinds.stored(), log, ...transformed })
    .then(() => feed.start())
    .then(() => definitions?.start())
    .then(() => void held.delete('the store has not been read'))
  started.catch(() => undefined)
  const ports: Listening[] = []
  let isStopping = false
  const parts: ServerParts = {
    handler,
    kinds,
    clock,
    random,
    log,
    authorizer,
    kubeletConnection: options.kubeletConnection ?? {},
    typernetes: computed.size > 0 ? typernetes : undefined,
    metrics: [...(options.metrics ?? []), featureMetrics(options.featureGates ?? {})],
    get aggregation() {
      return options.aggregation?.()
    },
    caches: () => feed.caches,
    storeProblem: async () => (await (store.problems?.() ?? store.status().then(({ problems }) => problems)))[0],
    healthChecks: encryption?.healthChecks ?? [],
    startProblem: () => held.values().next().value,
    stopProblem: () => (isStopping ? 'the server is going down' : undefined),
  }
  return {
    handler,
    kinds,
    ready: () => started,
    async listen(how) {
      // What only a server with a port needs is loaded with the port.
      const { serve } = await import('./http/serve.ts')
      const port = await serve(parts, how)
      ports.push(port)
      return port
    },
    async addKind(kind) {
      if (!kind.view && isKept(kind)) await feed.add(kind)
      kinds.add(kind)
    },
    addComputed(resource) {
      computed.set(resource.kind, resource)
      kinds.add(resource.kind)
    },
    removeKind(kind) {
      kinds.remove(kind)
      if (!kind.view) feed.remove(kind)
    },
    holdReadiness(reason) {
      held.add(reason)
      return { release: () => void held.delete(reason) }
    },
    async stop() {
      isStopping = true
      timeline.stop()
      definitions?.stop()
      try {
        if (options.checksConsistency ?? true) await checkAtEnd(feed)
      } finally {
        feed.stop()
        await Promise.all(ports.map(port => port.close()))
      }
    },
  }
}

/** Follows the definitions of custom resources, where there are any. */
/** A store that does not answer any more is no concern of the caches. */
async function checkAtEnd(feed: StoreFeed): Promise<void> {
  await feed.checkConsistency().catch((error: unknown) => {
    if (error instanceof InconsistentCacheError) throw error
  })
}

function definitionsOf(core: Core, feed: StoreFeed, { conversion = () => noConversion }: ApiServerOptions): Definitions | undefined {
  const kind = core.kinds.byKind('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition')
  if (!kind) return undefined
  return new Definitions({ core, kind, conversion, keep: stored => feed.add(stored), drop: stored => feed.remove(stored) })
}

/** Reviews and the like are answered and never stored. */
function isKept(kind: AnyKind): boolean {
  return kind.verbs.includes('get')
}
