import type { Logger } from '#base/log/logger.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import type { Informer } from '#client/informers/informer.ts'
import { forgetStaleFlows, type RulesChange } from './conntrack.ts'
import type { Place } from './endpoints.ts'
import type { HealthEndpoint, OpenHealth } from './health.ts'
import { type Run, runIn } from './network.ts'
import { fragmentOf, redirectFragment } from './nftables/fragment.ts'
import { Nftables } from './nftables/nftables.ts'
import { standardTableFacts, type TableFacts } from './nftables/skeleton.ts'
import type { EndpointSliceView, NodeView, ServiceView } from './objects.ts'
import { type PortRules, readyHere, rulesOf, wantsHealthCheck } from './rules.ts'

/** What the proxy uses of an informer. */
export type Source<O> = Pick<Informer<O>, 'get' | 'list' | 'byIndex' | 'addIndex' | 'onChange' | 'synced'>

export interface ProxyOptions {
  /** The name of the nftables tables; unique among the proxies that share a network. */
  readonly table: string
  /** Absent for the machine itself, which is no node: nothing is local to it. */
  readonly nodeName?: string | undefined
  /** It stands in front of the nodes as their load balancer. */
  readonly balances?: boolean | undefined
  /** The command that enters the network to serve, such as `['nsenter', '--net=/run/netns/node-1']`; empty for the network of this process. */
  readonly network: readonly string[]
  readonly facts?: Partial<TableFacts>
  readonly services: Source<ServiceView>
  readonly endpointSlices: Source<EndpointSliceView>
  /** Where this node's zone is read; without it hints of zones are not followed. */
  readonly nodes?: Source<NodeView> | undefined
  /** Answers the health checks of load balancers; absent where no one asks (the machine itself). */
  readonly openHealth?: OpenHealth | undefined
  readonly run: Run
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: ProxyMetrics | undefined
}

/** What the proxy counts. */
export interface ProxyMetrics {
  /** A synchronisation that changed something: how long it took, of how many Services, and whether everything was written. */
  synced(durationMs: number, services: number, kind: 'difference' | 'everything'): void
  failed(): void
}

export interface ServiceProxy {
  /** Resolves once the rules of everything known at the start are in the kernel. */
  ready(signal?: AbortSignal): Promise<void>
  /** Resolves once all changes seen so far are in the kernel. */
  settled(): Promise<void>
  /** Milliseconds of the clock at the last success; undefined before the first. */
  lastSync(): number | undefined
  /** Since when a change waits to be written; undefined when none does. A proxy is healthy while this is not long ago. */
  pendingSince(): number | undefined
  /** Writes everything anew, in one transaction that no connection notices: for when someone else changed the tables. */
  resync(): void
  /** Ends the proxy. The rules stay, so that connections outlive a restart, unless `cleanup` is set. */
  stop(options?: { readonly cleanup?: boolean }): Promise<void>
}

/** Changes that come within this time are one transaction. */
const GATHER_MS = 5
/** After a transaction we rest for as long as it took, so that a storm of changes in a large cluster costs half a core at most. */
const REST_LIMIT_MS = 1_000
const RETRY_FIRST_MS = 500
const RETRY_LIMIT_MS = 30_000

/** Keeps the Services of a cluster reachable in one network, driven by informers; it does nothing while nothing changes. */
export function startProxy(options: ProxyOptions): ServiceProxy {
  const { services, endpointSlices, nodes, clock, log } = options
  const facts = { ...standardTableFacts, ...options.facts }
  const run = runIn(options.network, options.run)
  const nftables = new Nftables({ table: options.table, facts, run, log })
  const dirty = new Set<string>()
  const owned = new Map<string, PortRules[]>()
  const health = new Map<string, { nodePort: number; localEndpoints: number; endpoint: Promise<HealthEndpoint | undefined> }>()
  const ended = new AbortController()
  const waiting = new Set<() => void>()
  let place: Place = { nodeName: options.nodeName, balances: options.balances }
  let started = false
  let again = false
  let timer: Timer | undefined
  let running: Promise<void> | undefined
  let lastSync: number | undefined
  let pendingSince: number | undefined
  let restsUntil = 0
  let retryMs = RETRY_FIRST_MS
  let allFlowsChecked = false

  endpointSlices.addIndex('proxy.service', slice => serviceKeyOf(slice) ?? [])
  const subscriptions = [
    services.onChange((service, old) => touch(keyOf((service ?? old)!))),
    endpointSlices.onChange((slice, old) => {
      for (const key of slice ? (serviceKeyOf(slice) ?? []) : []) touch(key)
      for (const key of old ? (serviceKeyOf(old) ?? []) : []) touch(key)
    }),
    ...(nodes && options.nodeName !== undefined ? [nodes.onChange(node => node && move(node))] : []),
  ]
  const informers = [services, endpointSlices, ...(nodes && options.nodeName !== undefined ? [nodes] : [])]
  void Promise.all(informers.map(informer => informer.synced(ended.signal))).then(
    () => {
      started = true
      again = true
      schedule(0)
    },
    () => {}, // stopped before the first list came
  )

  function touch(key: string): void {
    dirty.add(key)
    pendingSince ??= clock.now()
    schedule(GATHER_MS)
  }

  /** A node that changes its zone prefers other endpoints. */
  function move(node: NodeView): void {
    if (node.metadata.name !== options.nodeName) return
    const zone = node.metadata.labels?.['topology.kubernetes.io/zone']
    if (zone === place.zone) return
    place = { nodeName: options.nodeName, zone }
    for (const service of services.list()) touch(keyOf(service))
  }

  function schedule(delayMs: number): void {
    if (!started || timer || running || ended.signal.aborted) return
    timer = clock.after(Math.max(delayMs, restsUntil - clock.monotonic()), () => {
      timer = undefined
      running = sync().finally(() => {
        running = undefined
        if (dirty.size > 0 || again) schedule(again && retryMs > RETRY_FIRST_MS ? retryMs : GATHER_MS)
        if (!timer) settle()
      })
    })
  }

  async function sync(): Promise<void> {
    const keys = [...dirty]
    dirty.clear()
    again = false
    const start = clock.monotonic()
    const startedAt = clock.now()
    const changes: RulesChange[] = []
    try {
      for (const key of keys) changes.push(...(await plan(key)))
      const kind = await nftables.flush()
      retryMs = RETRY_FIRST_MS
      lastSync = clock.now()
      pendingSince = dirty.size > 0 ? startedAt : undefined
      restsUntil = clock.monotonic() + Math.min(clock.monotonic() - start, REST_LIMIT_MS)
      if (kind === 'nothing') return
      options.metrics?.synced(clock.monotonic() - start, keys.length, kind)
      log.verbose('the rules of Services were written', { table: options.table, services: keys.length, kind })
    } catch (error) {
      options.metrics?.failed()
      log.error('the rules of Services could not be written; trying again', { table: options.table, error, retryMs })
      nftables.distrust()
      again = true
      allFlowsChecked = false
      retryMs = Math.min(2 * retryMs, RETRY_LIMIT_MS)
      return
    }
    await forgetFlows(changes)
  }

  /** Puts what the Service wants now and tells how that differs from before. */
  async function plan(key: string): Promise<RulesChange[]> {
    const [namespace, name] = key.split('/') as [string, string]
    const service = services.get(namespace, name)
    const slices = endpointSlices.byIndex('proxy.service', key)
    const before = owned.get(key) ?? []
    const after = service ? rulesOf(service, slices, place) : []
    const changes = new Map<string, RulesChange>()
    for (const rules of before) changes.set(ownerOf(rules), { before: rules, after: undefined })
    for (const rules of after) changes.set(ownerOf(rules), { before: changes.get(ownerOf(rules))?.before, after: rules })
    for (const [owner, change] of changes) nftables.put(owner, change.after && fragmentOf(change.after, facts))
    if (after.length > 0) owned.set(key, after)
    else owned.delete(key)
    await planHealth(key, service, slices)
    return [...changes.values()]
  }

  async function planHealth(key: string, service: ServiceView | undefined, slices: readonly EndpointSliceView[]): Promise<void> {
    const nodePort = service && options.openHealth && wantsHealthCheck(service) ? service.spec.healthCheckNodePort! : 0
    const present = health.get(key)
    if (present && present.nodePort !== nodePort) {
      health.delete(key)
      nftables.put(`health/${key}`, undefined)
      await (await present.endpoint)?.[Symbol.asyncDispose]()
    }
    if (nodePort === 0 || !service) return
    const localEndpoints = readyHere(service, slices, place)
    if (present?.nodePort === nodePort) {
      present.localEndpoints = localEndpoints
      return
    }
    const { namespace = '', name = '' } = service.metadata
    const entry = { nodePort, localEndpoints, endpoint: Promise.resolve<HealthEndpoint | undefined>(undefined) }
    entry.endpoint = options.openHealth!(nodePort, () => ({ namespace, name, localEndpoints: entry.localEndpoints })).catch(error => {
      log.error('the health check node port of a Service could not be opened', { service: key, nodePort, error })
      return undefined
    })
    health.set(key, entry)
    const redirect = (await entry.endpoint)?.redirect
    if (redirect) nftables.put(`health/${key}`, redirectFragment(key, nodePort, redirect))
  }

  /** A flow that cannot be removed is no reason to write the rules again. */
  async function forgetFlows(changes: readonly RulesChange[]): Promise<void> {
    // What changed while no proxy ran, or while writing failed, is not known: then every Service counts as changed.
    const relevant = allFlowsChecked ? changes : [...owned.values()].flat().map(after => ({ before: undefined, after }))
    allFlowsChecked = true
    try {
      await forgetStaleFlows(relevant, run)
    } catch (error) {
      log.warn('stale UDP flows could not be removed; a client may wait until they expire', { table: options.table, error })
    }
  }

  const idle = () => started && !timer && !running
  function settle(): void {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }
  const settled = () => (idle() || ended.signal.aborted ? Promise.resolve() : new Promise<void>(resolve => waiting.add(resolve)))

  return {
    async ready(signal) {
      await Promise.all(informers.map(informer => informer.synced(signal)))
      await Promise.race([settled(), ...(signal ? [aborted(signal)] : [])])
      ended.signal.throwIfAborted()
    },
    settled,
    lastSync: () => lastSync,
    pendingSince: () => pendingSince,
    resync() {
      nftables.distrust()
      again = true
      pendingSince ??= clock.now()
      schedule(0)
    },
    async stop(stopOptions = {}) {
      ended.abort(new Error('the proxy was stopped'))
      for (const subscription of subscriptions) subscription[Symbol.dispose]()
      timer?.cancel()
      timer = undefined
      await running
      settle()
      await Promise.all([...health.values()].map(async entry => (await entry.endpoint)?.[Symbol.asyncDispose]()))
      if (stopOptions.cleanup) await nftables.remove()
    },
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

const keyOf = (object: { readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined } }) =>
  `${object.metadata.namespace}/${object.metadata.name}`

const ownerOf = (rules: PortRules) => `${rules.family}/${rules.name}`

/** The Service a slice belongs to; slices of headless Services are marked as such and are not for proxies. */
function serviceKeyOf(slice: EndpointSliceView): [string] | undefined {
  const labels = slice.metadata.labels
  const service = labels?.['kubernetes.io/service-name']
  if (!service || labels?.['service.kubernetes.io/headless'] !== undefined) return undefined
  return [`${slice.metadata.namespace}/${service}`]
}
