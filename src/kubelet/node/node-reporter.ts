import type { Logger } from '#base/log/logger.ts'
import { type Clock, every } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { nodeCondition } from '#kinds/core/v1/node.facts.ts'
import { Node, type Taint } from '#kinds/core/v1/node.ts'
import type { NodeStatus } from '#kinds/core/v1/node-status.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import { microTimeOf } from '#machinery/time/time.ts'
import { isNews } from './node-status.plan.ts'

export interface NodeReporterOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly nodeName: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly podCIDRs: readonly string[]
  readonly providerID: string | undefined
  /** Tells of the node as `kubectl describe node` shows it. */
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void
  /** The status as it is now, given what the API has. */
  readonly status: (old: Node | undefined) => Promise<NodeStatus>
}

const LEASE_NAMESPACE = 'kube-node-lease'
const LEASE_SECONDS = 40
const RENEW_MS = 10_000
const CHECK_MS = 10_000
/** A status without news is told this often. */
const REPORT_MS = 300_000

/** How upstream names a condition's turn to True, and to False. */
const TURNS: Readonly<Record<string, readonly [string, string]>> = {
  Ready: ['NodeReady', 'NodeNotReady'],
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
}

/** Keeps the node's object and its lease: registers it, renews the lease every 10 s, tells the status when it changes. */
export class NodeReporter {
  readonly #options: NodeReporterOptions
  readonly #timers: Disposable[] = []
  readonly #stop = new AbortController()
  #node: Node | undefined
  #toldMs = 0
  #lease: Lease | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(options: NodeReporterOptions) {
    this.#options = options
  }

  /** The node's object as last seen. */
  get node(): Node | undefined {
    return this.#node
  }

  /** Makes the node known, and goes on telling of it. */
  async start(): Promise<void> {
    const { clock, event } = this.#options
    await this.#register()
    event('Normal', 'Starting', 'Starting kubelet.')
    this.#tellTurns(undefined)
    this.#timers.push(
      every(clock, RENEW_MS, () => this.#renew()),
      every(clock, CHECK_MS, () => this.report()),
    )
    await this.#renew()
  }

  /** Tells the status now, if there is news or it has not been told for long. Calls wait for one another. */
  report(): Promise<void> {
    this.#last = this.#last.then(() => this.#report())
    return this.#last
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer[Symbol.dispose]()
    this.#stop.abort(new Error('the kubelet stops'))
    await this.#last
  }

  async #register(): Promise<void> {
    const { client, nodeName, labels, taints, podCIDRs, providerID, clock } = this.#options
    const signal = this.#stop.signal
    const status = await this.#options.status(undefined)
    const spec = {
      ...(podCIDRs.length > 0 ? { podCIDR: podCIDRs[0]!, podCIDRs: [...podCIDRs] } : {}),
      ...(providerID === undefined ? {} : { providerID }),
      ...(taints.length > 0 ? { taints: [...taints] } : {}),
    }
    const wanted = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
    try {
      const metadata = { name: nodeName, labels: { ...labels }, annotations: wanted }
      this.#node = await client.create(Node, { metadata, spec, status: draft(status) }, { signal })
      this.#toldMs = clock.now()
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const present = await client.get(Node, { name: nodeName }, { signal })
      this.#node = present
      const missing = Object.entries(labels).some(([key, value]) => present.metadata.labels?.[key] !== value)
      const body = {
        metadata: { labels },
        spec: present.spec.podCIDR ? {} : { podCIDR: spec.podCIDR, podCIDRs: spec.podCIDRs },
      }
      if (missing || (!present.spec.podCIDR && podCIDRs.length > 0)) {
        this.#node = await client.patch(Node, { name: nodeName }, { type: 'merge', body }, { signal })
      }
      await this.#tell(await this.#options.status(this.#node))
    }
  }

  async #report(): Promise<void> {
    const { client, nodeName, clock, log } = this.#options
    if (this.#stop.signal.aborted) return
    try {
      this.#node = await client.get(Node, { name: nodeName }, { resourceVersion: '0', signal: this.#stop.signal })
      const status = await this.#options.status(this.#node)
      if (isNews(status, this.#node.status, equal) || clock.now() - this.#toldMs >= REPORT_MS) await this.#tell(status)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      if (isNotFound(error))
        await this.#register().catch(failure => log.warn('the node could not be registered again', { error: failure.message }))
      else log.verbose('the node status could not be told', { error: (error as Error).message })
    }
  }

  async #tell(status: NodeStatus): Promise<void> {
    const { client, nodeName, clock } = this.#options
    const same = equal(status.addresses, this.#node?.status.addresses)
    const addresses = same ? {} : { addresses: [{ $patch: 'replace' }, ...(status.addresses ?? [])] }
    const { addresses: _, ...rest } = status
    const body = { status: { ...rest, ...addresses } }
    const options = { subresource: 'status', signal: this.#stop.signal }
    const before = this.#node
    this.#node = await client.patch(Node, { name: nodeName }, { type: 'strategic', body }, options)
    this.#toldMs = clock.now()
    this.#tellTurns(before)
  }

  /** An event for each condition that is another than before. */
  #tellTurns(before: Node | undefined): void {
    const { event, nodeName } = this.#options
    for (const { type, status } of this.#node?.status.conditions ?? []) {
      const reason = TURNS[type]?.[status === 'True' ? 0 : 1]
      const old = before && nodeCondition(before, type)
      if (reason === undefined || old?.status === status) continue
      event('Normal', reason, `Node ${nodeName} status is now: ${reason}`)
    }
  }

  async #renew(): Promise<void> {
    const { client, nodeName, clock, log } = this.#options
    const signal = this.#stop.signal
    if (signal.aborted) return
    const renewTime = microTimeOf(clock.now())
    const name = { namespace: LEASE_NAMESPACE, name: nodeName }
    try {
      this.#lease ??= await client.get(Lease, name, { signal }).catch(error => {
        if (isNotFound(error)) return undefined
        throw error
      })
      const spec = { holderIdentity: nodeName, leaseDurationSeconds: LEASE_SECONDS, renewTime }
      const uid = this.#node?.metadata.uid
      const owners = uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }] }
      if (this.#lease === undefined) this.#lease = await client.create(Lease, { metadata: { ...name, ...owners }, spec }, { signal })
      else this.#lease = await client.update(Lease, { metadata: { ...draft(this.#lease.metadata), ...owners }, spec }, { signal })
    } catch (error) {
      this.#lease = undefined
      if (!signal.aborted) log.verbose('the node lease could not be renewed', { error: (error as Error).message })
    }
  }
}
