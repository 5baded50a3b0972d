import { every } from '#base/time/clock.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Informer } from '#client/informers/informer.ts'
import { type WorkQueue, workQueue } from '#client/queue/work-queue.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { nodeCondition } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { podCondition } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import { evictionKey, evictionRateOf, presentEvictionKey, silentConditions, taintsFor, zoneOf, zoneStateOf } from './node-lifecycle.plan.ts'
import type { Controller, ControllerContext } from './runtime/controller.ts'
import { counter } from './runtime/controller-metrics.ts'
import { untilAborted } from './runtime/until-aborted.ts'

const LEASE_NAMESPACE = 'kube-node-lease'
const BY_NODE = 'podOnNode'

const evictions = counter(
  'node_collector_evictions_total',
  'Number of Node evictions that happened since current instance of NodeController started.',
  ['zone'],
)

/** Notices nodes that fall silent, taints nodes by their conditions, and paces evictions zone by zone. */
export const nodeLifecycleController: Controller = {
  name: 'node-lifecycle-controller',
  run: context => new NodeLifecycle(context),
}

/** When the controller last heard of a node: by its own clock, since the node's may be wrong. */
interface Heard {
  heartbeat: string
  lease: string
  atMs: number
}

class NodeLifecycle implements AsyncDisposable {
  readonly #context: ControllerContext
  readonly #nodes: Informer<Node>
  readonly #leases: Informer<Lease>
  readonly #pods: Informer<Pod>
  readonly #heard = new Map<string, Heard>()
  readonly #zones = new Map<string, { tokens: number; atMs: number }>()
  readonly #queue: WorkQueue<string>
  readonly #events: EventRecorder
  readonly #subscriptions: Disposable[] = []
  readonly #ended = new AbortController()
  readonly #started: Promise<void>

  constructor(context: ControllerContext) {
    const { informers, clock, log } = context
    this.#context = context
    this.#nodes = informers.of(Node)
    this.#leases = informers.of(Lease)
    this.#pods = informers.of(Pod)
    this.#events = context.events('node-controller')
    this.#queue = workQueue<string>({
      clock,
      concurrency: 20,
      work: name => this.#reconcile(name),
      failed: (node, error, failures) => log.verbose('a node could not be brought up to date', { node, error, failures }),
      metrics: context.metrics.queue('node_lifecycle_controller', () => this.#queue),
    })
    this.#showZones()
    this.#started = this.#start().catch(error => {
      if (!this.#ended.signal.aborted) log.error('the node lifecycle controller could not start', { error })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the node lifecycle controller was stopped'))
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]()
    await this.#started
    await this.#queue[Symbol.asyncDispose]()
  }

  async #start(): Promise<void> {
    this.#pods.addIndex(BY_NODE, pod => [pod.spec.nodeName ?? ''])
    await untilAborted(Promise.all([this.#nodes, this.#leases, this.#pods].map(cache => cache.synced())), this.#ended.signal)
    if (this.#ended.signal.aborted) return
    this.#subscriptions.push(
      this.#leases.onChange(lease => {
        const { namespace, name = '' } = lease?.metadata ?? {}
        if (namespace === LEASE_NAMESPACE && this.#nodes.get('', name)) this.#hear(name)
      }),
      this.#nodes.onChange((node, old) => {
        const name = (node ?? old)!.metadata.name ?? ''
        if (node) {
          this.#hear(name)
          if (!old) this.#say(node, 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`)
        } else {
          this.#heard.delete(name)
          this.#say(old!, 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`)
        }
        this.#queue.add(name)
      }),
      every(this.#context.clock, this.#context.parameters.nodeMonitorPeriodMs, () => this.#look()),
    )
  }

  #showZones(): void {
    const inZones = (of: (healthy: number, all: number) => number) => () => {
      const zones = new Map<string, { healthy: number; all: number }>()
      for (const node of this.#nodes.list()) {
        const { healthy = 0, all = 0 } = zones.get(zoneOf(node)) ?? {}
        zones.set(zoneOf(node), { healthy: healthy + (evictionKey(node) === undefined ? 1 : 0), all: all + 1 })
      }
      return [...zones].map(([zone, { healthy, all }]) => [{ zone }, of(healthy, all)] as const)
    }
    const { metrics } = this.#context
    const gauge = (name: string, help: string, of: (healthy: number, all: number) => number) =>
      metrics.gauge({ name: `node_collector_${name}`, help, read: inZones(of) })
    gauge('zone_size', 'Gauge measuring number of registered Nodes per zones.', (_, all) => all)
    gauge('zone_health', 'Gauge measuring percentage of healthy nodes per zone.', (healthy, all) => (100 * healthy) / all)
    gauge('unhealthy_nodes_in_zone', 'Gauge measuring number of not Ready Nodes per zones.', (healthy, all) => all - healthy)
  }

  #say(node: Node, reason: string, message: string): void {
    this.#events.record(node, 'Normal', reason, message)
  }

  /** Notes the time if the node or its lease says something new. */
  #hear(name: string): void {
    const heartbeat = nodeCondition(this.#nodes.get('', name)!, 'Ready')?.lastHeartbeatTime ?? ''
    const lease = this.#leases.get(LEASE_NAMESPACE, name)?.spec.renewTime ?? ''
    const heard = this.#heard.get(name)
    if (heard?.heartbeat === heartbeat && heard.lease === lease) return
    this.#heard.set(name, { heartbeat, lease, atMs: this.#context.clock.monotonic() })
  }

  /** Which nodes have been silent for too long, and which may be evicted from now. */
  #look(): void {
    const nodes = this.#nodes.list()
    const mayEvict = !isCutOff(nodes)
    for (const node of nodes) {
      const isTainted = presentEvictionKey(node) !== undefined
      const shouldBe = mayEvict && evictionKey(node) !== undefined
      if (this.#isSilent(node) || isTainted !== shouldBe) this.#queue.add(node.metadata.name ?? '')
    }
  }

  #isSilent(node: Node): boolean {
    const { clock, parameters } = this.#context
    const heard = this.#heard.get(node.metadata.name ?? '')
    if (!heard || nodeCondition(node, 'Ready')?.status === 'Unknown') return false
    const neverSpoke = nodeCondition(node, 'Ready') === undefined
    const graceMs = neverSpoke ? parameters.nodeStartupGracePeriodMs : parameters.nodeMonitorGracePeriodMs
    return clock.monotonic() - heard.atMs > graceMs
  }

  async #reconcile(name: string): Promise<undefined> {
    const { client, clock } = this.#context
    let node = this.#nodes.get('', name)
    if (!node || node.metadata.deletionTimestamp) return
    const now = clock.now()
    const silent = this.#isSilent(node) ? silentConditions(node, now) : undefined
    if (silent) {
      node = await client.updateStatus(Node, { ...node, status: { ...node.status, conditions: silent } })
      this.#say(node, 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
    }
    const wanted = evictionKey(node)
    const present = presentEvictionKey(node)
    // Going from one taint to the other is no new eviction; only the first taint is paced.
    const mayEvict = wanted !== undefined && !isCutOff(this.#nodes.list())
    const evict = mayEvict && (present !== undefined || this.#hasToken(node)) ? wanted : undefined
    const taints = taintsFor(node, evict, now)
    if (taints)
      await client.patch(Node, node, {
        type: 'merge',
        body: { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints } },
      })
    if (taints && evict && present === undefined) this.#context.metrics.count(evictions, [zoneOf(node)])
    if (wanted) await this.#markPodsNotReady(node, now)
  }

  /** Takes a token of the node's zone, if there is one: a sick zone loses its nodes slowly or not at all. */
  #hasToken(node: Node): boolean {
    const { clock, parameters } = this.#context
    const zone = zoneOf(node)
    let ready = 0
    let notReady = 0
    for (const other of this.#nodes.list()) {
      if (zoneOf(other) !== zone) continue
      if (evictionKey(other) === undefined) ready++
      else notReady++
    }
    const rate = evictionRateOf(zoneStateOf(ready, notReady, parameters.unhealthyZoneThreshold), ready + notReady, parameters)
    const bucket = this.#zones.get(zone) ?? { tokens: 1, atMs: clock.monotonic() }
    bucket.tokens = Math.min(1, bucket.tokens + ((clock.monotonic() - bucket.atMs) / 1000) * rate)
    bucket.atMs = clock.monotonic()
    this.#zones.set(zone, bucket)
    // Waiting for tenths to add up must not fail by a rounding error.
    if (rate === 0 || bucket.tokens < 1 - 1e-9) return false
    bucket.tokens -= 1
    return true
  }

  /** Services must not send traffic to pods of a node that nobody hears of. */
  async #markPodsNotReady(node: Node, now: number): Promise<void> {
    const { client } = this.#context
    for (const pod of this.#pods.byIndex(BY_NODE, node.metadata.name ?? '')) {
      if (podCondition(pod, 'Ready')?.status !== 'True') continue
      const conditions = (pod.status.conditions ?? []).map(condition =>
        condition.type === 'Ready' ? { ...condition, status: 'False' as const, lastTransitionTime: timeOf(now) } : condition,
      )
      this.#events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
      await client.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } }).catch(error => {
        if (!isNotFound(error)) throw error
      })
    }
  }
}

/** Where no node at all is heard of it is more likely the control plane that is cut off: then nothing is evicted. */
function isCutOff(nodes: readonly Node[]): boolean {
  return nodes.every(node => evictionKey(node) !== undefined)
}
