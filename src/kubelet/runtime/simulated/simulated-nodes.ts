import type { Logger } from '#base/log/logger.ts'
import { type Clock, every } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { draft } from '#machinery/kind/draft.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#machinery/status/status-error.ts'
import { epochMs, microTimeOf } from '#machinery/time/time.ts'
import { planNodeStatus } from '../../node/node-status.plan.ts'
import { namespaceOf, podNameOf, uidOf } from '../../pods/pod-names.ts'
import { StatusWriter } from '../../pods/status-writer.ts'
import { DueQueue } from './due-queue.ts'
import { lifeOf, simulatedStatus } from './simulated-pod.plan.ts'

/** What simulated nodes are made of. */
export interface SimulatedNodesOptions {
  readonly names: readonly string[]
  readonly client: Client
  /** The caches of the process: all nodes share the one of pods. */
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Logger
  readonly labels?: Readonly<Record<string, string>> | ((name: string, index: number) => Readonly<Record<string, string>>)
  /** What each node has; default 32 cpus, 256Gi, 110 pods. */
  readonly capacity?: Readonly<Record<string, string>>
  /** How long a pod takes to start; default 0. */
  readonly startDelayMs?: number
  readonly version?: string
}

/** Nodes that run. */
export interface SimulatedNodes {
  /** Resolves once every node is registered. */
  readonly ready: Promise<void>
  stop(): Promise<void>
}

const LEASE_NAMESPACE = 'kube-node-lease'
const LEASE_SECONDS = 40
const RENEW_MS = 10_000
/** Nodes renew in turns, so many in each period. */
const TURNS = 40
const REPORT_EVERY_RENEWALS = 30
const RETRY_MS = 1000
const REGISTER_AT_ONCE = 50
const CAPACITY = { cpu: '32', memory: '256Gi', 'ephemeral-storage': '1Ti', pods: '110' }

/**
 * Nodes without containers, for scale and for tests: each is registered, Ready and renews its lease; a pod that is bound to one is Running and
 * Ready at once, ends by its annotations, and goes when it is deleted. All of them share one cache and a handful of timers.
 */
export function startSimulatedNodes(options: SimulatedNodesOptions): SimulatedNodes {
  const nodes = new RunningNodes(options)
  const ready = nodes.start()
  ready.catch(() => {})
  return { ready, stop: () => nodes.stop() }
}

interface SimulatedNode {
  readonly name: string
  readonly index: number
  readonly ip: string
  object: Node | undefined
  lease: Lease | undefined
  nextPod: number
}

class RunningNodes {
  readonly #options: SimulatedNodesOptions
  readonly #nodes: Map<string, SimulatedNode>
  readonly #statuses: StatusWriter
  readonly #due: DueQueue<string>
  readonly #addresses = new Map<string, string>()
  readonly #keys = new Map<string, { namespace: string; name: string }>()
  readonly #deleting = new Set<string>()
  readonly #work = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #endings: Disposable[] = []
  #turn = 0

  constructor(options: SimulatedNodesOptions) {
    const { client, clock, log, informers } = options
    this.#options = options
    this.#nodes = new Map(
      options.names.map((name, index) => [name, { name, index, ip: nodeAddress(index), object: undefined, lease: undefined, nextPod: 1 }]),
    )
    const pods = informers.of(Pod)
    const apiPodOf = (pod: Pod) => {
      const found = pods.get(namespaceOf(pod), podNameOf(pod))
      return found && uidOf(found) === uidOf(pod) ? found : undefined
    }
    this.#statuses = new StatusWriter({ client, clock, log, apiPodOf, forgets: true })
    this.#due = new DueQueue(clock, uid => this.#look(uid))
  }

  async start(): Promise<void> {
    const { informers, clock } = this.#options
    const names = [...this.#nodes.values()]
    for (let at = 0; at < names.length; at += REGISTER_AT_ONCE)
      await Promise.all(names.slice(at, at + REGISTER_AT_ONCE).map(node => this.#register(node)))
    const pods = informers.of(Pod)
    await pods.synced(this.#stop.signal)
    this.#endings.push(
      pods.onChange((pod, old) => {
        if (pod) this.#onPod(pod)
        else if (old) this.#forget(old)
      }),
      every(clock, RENEW_MS / TURNS, () => this.#renewSome()),
      this.#due,
    )
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the simulated nodes stop'))
    for (const ending of this.#endings) ending[Symbol.dispose]()
    await this.#statuses.close()
    await Promise.all(this.#work)
  }

  async #register(node: SimulatedNode): Promise<void> {
    const { client, labels = {} } = this.#options
    const own = typeof labels === 'function' ? labels(node.name, node.index) : labels
    const metadata = {
      name: node.name,
      labels: { 'kubernetes.io/hostname': node.name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', ...own },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0' },
    }
    const status = this.#nodeStatus(node)
    const signal = this.#stop.signal
    try {
      node.object = await client.create(Node, { metadata, status: draft(status) }, { signal })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      node.object = await client.patch(
        Node,
        { name: node.name },
        { type: 'strategic', body: { status } },
        { subresource: 'status', signal },
      )
    }
    await this.#renew(node)
  }

  #nodeStatus(node: SimulatedNode) {
    const { capacity = {}, clock, version = 'v1.36.2' } = this.#options
    return planNodeStatus(
      {
        nodeName: node.name,
        nodeIPs: [node.ip],
        machine: {
          cpus: 32,
          memoryBytes: 0,
          ephemeralStorageBytes: 0,
          machineID: node.name,
          systemUUID: node.name,
          bootID: node.name,
          kernelVersion: 'simulated',
          osImage: 'Simulated',
          architecture: 'amd64',
        },
        maxPods: 110,
        reserved: {},
        capacity: { ...CAPACITY, ...capacity },
        kubeletVersion: version,
        serverPort: 0,
        runtimeVersion: { runtimeName: 'simulated', runtimeVersion: '1' },
        runtimeConditions: ['RuntimeReady', 'NetworkReady'].map(type => ({ type, status: true, reason: '', message: '' })),
        runtimeError: undefined,
        images: [],
        pressures: { memory: false, disk: false, pids: false },
        now: clock.now(),
      },
      node.object,
    )
  }

  #onPod(pod: Pod): void {
    if (!this.#nodes.has(pod.spec.nodeName ?? '')) return
    if (isTerminating(pod)) {
      this.#end(pod)
      return
    }
    const uid = uidOf(pod)
    if (this.#keys.has(uid) || isTerminal(pod)) return
    this.#remember(pod)
    const startedMs = pod.status.startTime ? epochMs(pod.status.startTime) : undefined
    this.#due.add(uid, startedMs ?? this.#options.clock.now() + (this.#options.startDelayMs ?? 0))
  }

  #remember(pod: Pod): void {
    this.#keys.set(uidOf(pod), { namespace: namespaceOf(pod), name: podNameOf(pod) })
  }

  /** Without grace there is nothing to end: who marked the pod deletes it as well, or is helped if it could not. */
  #end(pod: Pod): void {
    if (pod.metadata.deletionGracePeriodSeconds !== 0) {
      this.#delete(pod)
      return
    }
    this.#remember(pod)
    this.#due.add(uidOf(pod), this.#options.clock.now() + RETRY_MS)
  }

  /** Says how a pod is now, and looks again when that will be otherwise. */
  #look(uid: string): void {
    const key = this.#keys.get(uid)
    const pod = key && this.#options.informers.of(Pod).get(key.namespace, key.name)
    const node = pod && this.#nodes.get(pod.spec.nodeName ?? '')
    if (!pod || !node || uidOf(pod) !== uid) return
    if (isTerminating(pod)) {
      this.#delete(pod)
      return
    }
    const now = this.#options.clock.now()
    const startedMs = this.#startOf(pod, now)
    const address = pod.spec.hostNetwork ? node.ip : this.#addressOf(pod, node)
    const status = simulatedStatus(pod, node.ip, address, startedMs, now)
    this.#statuses.set(pod, status)
    const { readyAfterMs, completesAfterMs } = lifeOf(pod)
    for (const afterMs of [readyAfterMs, completesAfterMs]) {
      if (afterMs !== undefined && startedMs + afterMs > now) this.#due.add(uid, startedMs + afterMs)
    }
  }

  readonly #starts = new Map<string, number>()

  #startOf(pod: Pod, now: number): number {
    const known = this.#starts.get(uidOf(pod)) ?? (pod.status.startTime ? epochMs(pod.status.startTime) : now)
    this.#starts.set(uidOf(pod), known)
    return known
  }

  #addressOf(pod: Pod, node: SimulatedNode): string {
    const known = this.#addresses.get(uidOf(pod)) ?? pod.status.podIP
    const address = known ?? `10.${128 + (node.index >> 8)}.${node.index & 255}.${(node.nextPod++ % 253) + 1}`
    this.#addresses.set(uidOf(pod), address)
    return address
  }

  #delete(pod: Pod): void {
    const uid = uidOf(pod)
    if (this.#deleting.has(uid)) return
    this.#deleting.add(uid)
    this.#track(async () => {
      try {
        await this.#statuses.flushed(uid)
        await this.#options.client.delete(Pod, pod, { gracePeriodSeconds: 0, preconditions: { uid }, signal: this.#stop.signal })
      } catch (error) {
        this.#deleting.delete(uid)
        if (!this.#stop.signal.aborted && !isNotFound(error) && !isConflict(error)) this.#due.add(uid, this.#options.clock.now() + RETRY_MS)
      }
    })
  }

  #forget(pod: Pod): void {
    const uid = uidOf(pod)
    this.#statuses.forget(uid)
    for (const map of [this.#keys, this.#starts, this.#addresses]) map.delete(uid)
    this.#deleting.delete(uid)
  }

  #renewSome(): void {
    const turn = this.#turn++
    for (const node of this.#nodes.values()) {
      if (node.index % TURNS !== turn % TURNS) continue
      this.#track(() => this.#renew(node))
      if (Math.floor(turn / TURNS) % REPORT_EVERY_RENEWALS === REPORT_EVERY_RENEWALS - 1) this.#track(() => this.#report(node))
    }
  }

  async #renew(node: SimulatedNode): Promise<void> {
    const { client, clock, log } = this.#options
    const signal = this.#stop.signal
    const name = { namespace: LEASE_NAMESPACE, name: node.name }
    const uid = node.object?.metadata.uid
    const owners = uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid }] }
    const spec = { holderIdentity: node.name, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTimeOf(clock.now()) }
    try {
      node.lease ??= await client.get(Lease, name, { signal }).catch(error => {
        if (isNotFound(error)) return undefined
        throw error
      })
      if (node.lease) node.lease = await client.update(Lease, { metadata: draft(node.lease.metadata), spec }, { signal })
      else node.lease = await client.create(Lease, { metadata: { ...name, ...owners }, spec }, { signal })
    } catch (error) {
      node.lease = undefined
      if (!signal.aborted) log.verbose('a simulated node could not renew its lease', { node: node.name, error: (error as Error).message })
    }
  }

  async #report(node: SimulatedNode): Promise<void> {
    const { client } = this.#options
    const body = { status: { conditions: this.#nodeStatus(node).conditions } }
    const options = { subresource: 'status', signal: this.#stop.signal }
    try {
      node.object = await client.patch(Node, { name: node.name }, { type: 'strategic', body }, options)
    } catch (error) {
      if (isNotFound(error)) await this.#register(node).catch(() => undefined)
    }
  }

  #track(work: () => Promise<void>): void {
    const running: Promise<void> = work().finally(() => this.#work.delete(running))
    this.#work.add(running)
  }
}

/** 172.24.0.1 for the first node, and so on. */
function nodeAddress(index: number): string {
  return `172.${24 + ((index + 1) >> 16)}.${((index + 1) >> 8) & 255}.${(index + 1) & 255}`
}
