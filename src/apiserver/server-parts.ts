import type { Logger } from '#base/log/logger.ts'
import type { Series } from '#base/metrics/series.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { Aggregation } from './aggregation/aggregation.ts'
import type { Authorizer } from './authorization/authorizer.ts'
import type { HealthCheck } from './discovery/health.ts'
import type { Handler } from './handler.ts'
import type { KubeletConnection } from './node-streams/kubelet-connection.ts'
import type { TypernetesParts } from './typernetes/typernetes.ts'
import type { WatchCache } from './watch-cache/watch-cache.ts'

/** What the front of a server needs of its core. */
export interface ServerParts {
  readonly handler: Handler
  readonly kinds: KindRegistry
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly authorizer: Authorizer
  readonly kubeletConnection: KubeletConnection
  /** Who serves groups in the place of this server; undefined: nobody can. */
  readonly aggregation: Aggregation | undefined
  /** What the group `typernetes.dev` is answered from; undefined where it is not served. */
  readonly typernetes: TypernetesParts | undefined
  /** What parts of the server count, for `/metrics`. */
  readonly metrics: readonly Series[]
  caches(): Iterable<WatchCache>
  /** What is wrong with the store; undefined if it answers. */
  storeProblem(): string | undefined | Promise<string | undefined>
  /** Further checks of the health endpoints. */
  readonly healthChecks: readonly HealthCheck[]
  /** What is still to be done before the server has started whole. */
  startProblem(): string | undefined
  /** Set once the server is going down. */
  stopProblem(): string | undefined
}
