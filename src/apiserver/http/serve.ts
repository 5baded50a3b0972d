import { createHash } from 'node:crypto'
import type { Registry } from 'prom-client'
import { subresourceKinds } from '#kinds/kinds.ts'
import { DeleteOptions } from '#kinds/meta/v1/delete-options.ts'
import { Status } from '#kinds/meta/v1/status.ts'
import { WatchEvent } from '#kinds/meta/v1/watch-event.ts'
import { AggregatedOpenApi } from '../aggregation/aggregated-openapi.ts'
import { AggregatedRoute } from '../aggregation/aggregated-route.ts'
import type { Audit } from '../audit/audit.ts'
import type { Authenticator } from '../authentication/authenticator.ts'
import { healthChecks } from '../discovery/checks.ts'
import { DiscoveryDocuments } from '../discovery/documents.ts'
import { fairnessMetrics, fairnessPages } from '../flow-control/fairness-pages.ts'
import { Inflight } from '../flow-control/inflight.ts'
import { PriorityAndFairness } from '../flow-control/priority-and-fairness.ts'
import type { Loop } from '../flow-control/turns.ts'
import { NodeStreams } from '../node-streams/node-streams.ts'
import type { ServerParts } from '../server-parts.ts'
import { MomentRoute } from '../typernetes/moment-route.ts'
import { momentFacts } from '../typernetes/typernetes.ts'
import { nodeGzip } from './compression.ts'
import { crossOrigin } from './cors.ts'
import { debugPages } from './debug-pages.ts'
import type { Exchange } from './exchange.ts'
import { Front } from './front.ts'
import { type AnonymousAccess, Identification } from './identification.ts'
import { type Listening, type ListenOptions, listen } from './listen.ts'
import { ServerMetrics } from './metrics.ts'
import { OpenApiRoute } from './openapi-route.ts'
import { type DocumentRoute, PathRoute } from './path-route.ts'
import { protobuf } from './protobuf.ts'
import { ResourceRoute } from './resource-route.ts'
import { upgradeExchange } from './upgrade-exchange.ts'
import { VERSION } from './version.ts'

/** How a server is reached from outside. */
export interface ServeOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly tls: ListenOptions['tls']
  readonly authenticator: Authenticator
  /** Who may come without proof, as `system:anonymous`; default: everybody. */
  readonly anonymous?: AnonymousAccess
  /** Who records what is asked; absent: nobody. */
  readonly audit?: Audit | undefined
  /** What others count, for `/metrics`. */
  readonly registry?: Registry | undefined
  /** Where clients find the server, as `/api` says; default: the listening address. */
  readonly advertised?: string
  readonly maxReadsInflight?: number
  readonly maxWritesInflight?: number
  /** How long a request may take, watches and streams excepted; default a minute. */
  readonly requestTimeoutMs?: number
  /** How long a watch lasts at least when the client does not say; default half an hour. */
  readonly watchMs?: number
  /** Whether flow schemas and priority levels share out the server; default true. */
  readonly hasPriorityAndFairness?: boolean
  /** The flags the program was started with, as `/flagz` shows them. */
  readonly flags?: Readonly<Record<string, string>>
  /** How many requests of HTTP/2, of one, make their client connect anew, so that load balancers can place it elsewhere. */
  readonly goawayChance?: number
  /** Scripts of which origins may call: regular expressions. */
  readonly corsAllowedOrigins?: readonly string[]
  /** Further documents: OpenAPI, metrics, the token issuer's keys. */
  readonly documents?: readonly DocumentRoute[]
}

/** Opens the port of an API server. */
export async function serve(parts: ServerParts, options: ServeOptions): Promise<Listening> {
  const { handler, clock, random, log, authorizer, kinds, aggregation } = parts
  const limits = { reads: options.maxReadsInflight ?? 400, writes: options.maxWritesInflight ?? 200 }
  const fairness = options.hasPriorityAndFairness === false ? undefined : fairnessOf(parts, limits.reads + limits.writes)
  const aggregated = aggregation && new AggregatedRoute(aggregation, clock)
  const metrics = new ServerMetrics(
    () => parts.caches(),
    () => front.current,
    [...parts.metrics, ...(fairness ? [fairnessMetrics(fairness)] : [])],
    kinds,
    options.registry,
  )
  const openApi = new OpenApiRoute(
    () => ({ kinds: [...kinds.all()], types: OPENAPI_TYPES, version: '1.36' }),
    () => clock.now(),
    aggregation && aggregated && new AggregatedOpenApi(aggregation, aggregated),
  )
  kinds.onChange(() => openApi.forget())
  aggregation?.onChange(() => openApi.forget())
  const startMs = clock.monotonic()
  const uptimeSeconds = () => (clock.monotonic() - startMs) / 1000
  const debug = debugPages({ startedMs: clock.now(), flags: options.flags ?? {}, uptimeSeconds })
  const streams = new NodeStreams(handler, parts.kubeletConnection)
  const resources = new ResourceRoute({
    watchMs: options.watchMs ?? 1_800_000,
    handler,
    clock,
    random,
    protobuf,
    framer: protobuf,
    gzip: nodeGzip,
    loop: eventLoop,
    streams,
  })
  let listening: Listening | undefined
  const paths = new PathRoute({
    discovery: new DiscoveryDocuments(kinds, storageHash, aggregation),
    health: healthChecks({
      storeProblem: () => parts.storeProblem(),
      startProblem: () => parts.startProblem(),
      stopProblem: () => parts.stopProblem(),
      more: parts.healthChecks,
    }),
    version: VERSION,
    serverAddress: () => options.advertised ?? `${listening?.address}:${listening?.port}`,
    digest: text => createHash('sha512').update(text).digest('hex'),
    documents: [openApi, metrics, debug, ...(fairness ? [fairnessPages(fairness)] : []), ...(options.documents ?? [])],
  })
  const front = new Front({
    identification: new Identification({ authenticator: options.authenticator, anonymous: options.anonymous ?? true, clock }),
    authorizer,
    clock,
    random,
    log,
    protobuf,
    resources,
    moments:
      parts.typernetes && new MomentRoute({ handler, resources, facts: momentFacts(parts.typernetes), store: parts.typernetes.store }),
    paths,
    gate: fairness ?? new Inflight(limits),
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    aggregated,
    metrics,
    audit: options.audit,
  })
  const { goawayChance = 0, corsAllowedOrigins = [] } = options
  const cors = corsAllowedOrigins.length > 0 ? crossOrigin(corsAllowedOrigins) : undefined
  listening = await listen({
    address: options.address,
    port: options.port,
    tls: options.tls,
    clock,
    log,
    ...(goawayChance > 0 ? { sendsAway: () => random.next() < goawayChance } : {}),
    async serve(exchange: Exchange) {
      const served = cors ? cors.serve(exchange) : exchange
      if (served) await front.serve(served)
    },
    upgrade: (request, socket, head, connection) => void front.serve(upgradeExchange(request, socket, head, connection)),
  })
  return listening
}

/** Types that the documents speak of beside the kinds. */
const OPENAPI_TYPES = [Status, DeleteOptions, WatchEvent, ...subresourceKinds.map(({ schema }) => schema)]

/** Undefined where the server has no priority levels: one that serves a few kinds only. */
function fairnessOf({ kinds, handler, clock }: ServerParts, totalSeats: number): PriorityAndFairness | undefined {
  const schemas = kinds.byKind('flowcontrol.apiserver.k8s.io', 'v1', 'FlowSchema')
  const levels = kinds.byKind('flowcontrol.apiserver.k8s.io', 'v1', 'PriorityLevelConfiguration')
  if (!schemas || !levels) return undefined
  const { objects } = handler.core
  return new PriorityAndFairness({ clock, loop: eventLoop, schemas: objects.cacheOf(schemas), levels: objects.cacheOf(levels), totalSeats })
}

/** Node's own loop: callbacks of a tick run once promises have, immediates once the poll for input is over. */
const eventLoop: Loop = {
  afterThis: callback => process.nextTick(callback),
  afterOthers: callback => void setImmediate(callback),
}

function storageHash(name: string): string {
  return createHash('sha256').update(name).digest().subarray(0, 8).toString('base64')
}
