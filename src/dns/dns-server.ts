import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { type ClusterSources, clusterView } from './cluster-view.ts'
import { networkExchange } from './server/exchange.ts'
import { type Exchange, Forwarder, type ForwardMetrics } from './server/forwarder.ts'
import { type Handle, type ListenAddress, type Listener, listen } from './server/listener.ts'
import type { Upstream } from './server/resolv-conf.ts'
import { Resolver, type ResolverMetrics } from './server/resolver.ts'

export interface DnsServerOptions extends ClusterSources {
  /** The addresses to answer at, such as that of the nodes' bridge. */
  readonly listen: readonly ListenAddress[]
  /** `cluster.local` unless said otherwise. */
  readonly domain?: string | undefined
  /** How long answers about the cluster may be kept; 30 seconds unless said otherwise. */
  readonly ttlSeconds?: number | undefined
  /** Who is asked about other names; see `upstreamsOf` for those of a resolv.conf. */
  readonly upstreams: readonly Upstream[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: (ResolverMetrics & ForwardMetrics) | undefined
  /** How others are asked; over the network unless a test says otherwise. */
  readonly exchange?: Exchange | undefined
}

export interface DnsServer {
  /** Where it listens, in the order of the options. */
  readonly listening: readonly ListenAddress[]
  /** Whether it knows all names there were at the start. */
  ready(): boolean
  /** Resolves once {@link ready}. */
  synced(signal?: AbortSignal): Promise<void>
  /** Asks other resolvers from now on, such as those of a resolv.conf that has changed. */
  useUpstreams(upstreams: readonly Upstream[]): void
  stop(): Promise<void>
}

/** Starts the cluster's DNS. It listens at once; until it knows the cluster it says of cluster names that it cannot tell yet. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { services, endpointSlices, namespaces, clock, random, log, metrics, upstreams } = options
  const sources = [services, endpointSlices, namespaces]
  const ready = () => sources.every(source => source.hasSynced())
  const ended = new AbortController()
  const exchange = options.exchange ?? networkExchange(clock, ended.signal)
  const forwarder = new Forwarder({ upstreams, exchange, clock, random, log, metrics, signal: ended.signal })
  const resolver = new Resolver({
    zone: { domain: (options.domain ?? 'cluster.local').toLowerCase().replace(/\.$/, ''), ttlSeconds: options.ttlSeconds ?? 30 },
    view: clusterView(options),
    ready,
    forwarder,
    clock,
    random,
    metrics,
  })
  /** A query that finds an error of ours is not answered, and harms no other. */
  const handle: Handle = (message, transport) => {
    try {
      return resolver.handle(message, transport)
    } catch (error) {
      log.error('a DNS query could not be answered', { error })
      return undefined
    }
  }
  const listeners: Listener[] = []
  const close = async () => {
    await Promise.all(listeners.map(listener => listener[Symbol.asyncDispose]()))
  }
  try {
    for (const at of options.listen) listeners.push(await listen(at, handle, clock))
  } catch (error) {
    ended.abort()
    await close()
    throw error
  }
  const listening = listeners.map(listener => listener.bound)
  log.info('cluster DNS listens', { addresses: listening, upstreams })
  let checked = resolver.checkForLoops()
  return {
    listening,
    ready,
    async synced(signal) {
      await Promise.all(sources.map(source => source.synced(signal)))
    },
    useUpstreams(next) {
      forwarder.use(next)
      checked = checked.then(() => resolver.checkForLoops())
    },
    async stop() {
      ended.abort()
      await close()
      await checked
    },
  }
}
