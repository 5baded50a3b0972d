import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import { type Clock, every, sleep } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { type EventRecorder, eventRecorder } from '#client/events/event-recorder.ts'
import { informers } from '#client/informers/informers.ts'
import type { Taint } from '#kinds/core/v1/node.ts'
import { isMirror } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { RuntimeClass } from '#kinds/node/v1/runtime-class.ts'
import { DEFAULT_THRESHOLDS, type EvictionThresholds, pressuresOf, victimOf } from './eviction/eviction.plan.ts'
import { collectImages } from './images/image-garbage.ts'
import { ImagePuller } from './images/image-puller.ts'
import { rotateLogs } from './logs/log-rotation.ts'
import { type MachineFacts, readMachineFacts, readMachineUsage } from './node/machine-facts.ts'
import { NodeReporter } from './node/node-reporter.ts'
import { planNodeStatus } from './node/node-status.plan.ts'
import { refusalOf } from './pods/admission.ts'
import { ApiPods } from './pods/api-pods.ts'
import { apiReferences } from './pods/api-references.ts'
import { type DnsConfig, parseResolvConf } from './pods/dns.ts'
import { NodePods } from './pods/node-pods.ts'
import type { PodEvents } from './pods/pod-events.ts'
import type { PodHost } from './pods/pod-host.ts'
import { podKeyOf, uidOf } from './pods/pod-names.ts'
import { readPod } from './pods/read-pod.ts'
import { followManifests } from './pods/static-pods.ts'
import { StatusWriter } from './pods/status-writer.ts'
import { sysctlRefusal } from './pods/sysctls.ts'
import { PodProbes } from './probes/pod-probes.ts'
import { ProbeResults } from './probes/probe-results.ts'
import { probeRunner } from './probes/probe-runner.ts'
import type { Cgroups } from './resources/cgroups.ts'
import { PODS_GROUP } from './resources/pod-cgroup.ts'
import type { Runtime, RuntimeCondition, RuntimeImage, RuntimeVersion } from './runtime/runtime.ts'
import { type KubeletServer, type KubeletServerOptions, startKubeletServer } from './server/kubelet-server.ts'
import { PodVolumes } from './volumes/pod-volumes.ts'
import { ApiTokenSource } from './volumes/token-source.ts'
import type { Mounter } from './volumes/volume-plugin.ts'

/** What a kubelet needs of the world, and how it is set up. */
export interface KubeletOptions {
  readonly nodeName: string
  readonly client: Client
  readonly runtime: Runtime
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly mounter: Mounter
  readonly cgroups: Cgroups
  /** Where pods' volumes are, such as `/var/lib/kubelet`. */
  readonly rootDirectory: string
  /** Where pods' logs are, such as `/var/log/pods`. */
  readonly logsDirectory: string
  readonly nodeIPs: readonly string[]
  readonly clusterDNS: readonly string[]
  readonly clusterDomain: string
  /** The node's own resolver, for pods with dnsPolicy Default; default `/etc/resolv.conf`. */
  readonly resolvConf?: string
  readonly staticPodPath?: string | undefined
  /** Whether containers that name no seccomp profile have the runtime's own; default: they have none. */
  readonly seccompDefault?: boolean
  /** The HTTPS API that the API server calls; absent: none. */
  readonly server?: KubeletServerOptions | undefined
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  readonly podCIDRs?: readonly string[]
  readonly providerID?: string
  readonly maxPods?: number
  /** Kernel settings that pods may change although they reach beyond them: names, or beginnings with a `*`. */
  readonly allowedUnsafeSysctls?: readonly string[]
  /** How many processes a pod may have; absent: as many as the node. */
  readonly podPidsLimit?: number
  /** Overrides what the machine has, by resource. */
  readonly capacity?: Readonly<Record<string, string>>
  /** What is kept for the system, by resource. */
  readonly reserved?: Readonly<Record<string, string>>
  readonly eviction?: EvictionThresholds
  readonly version?: string
  readonly images?: { readonly keep: readonly string[]; readonly highThresholdPercent?: number; readonly lowThresholdPercent?: number }
  readonly containerLogMaxBytes?: number
  readonly containerLogMaxFiles?: number
}

/** A running kubelet. */
export interface Kubelet {
  /** Resolves once the node is registered, its pods are known and its server listens. */
  readonly ready: Promise<void>
  /** The port of the HTTPS API, once ready. */
  readonly serverPort: () => number
  /** Has the HTTPS API prove itself by another certificate. */
  useCertificate(cert: string, key: string): void
  /** Lets go of everything; containers run on, for the next kubelet to take over. */
  stop(): Promise<void>
}

/**
 * What this kubelet tells of itself by KEP-5328, so that nobody asks it for what it cannot do: WebSockets end here and need not be translated.
 * Containers are neither resized in place nor restarted all together here, and the host's network has no user namespaces.
 */
const DECLARED_FEATURES = ['ExtendWebSocketsToKubelet']

const VERSION = 'v1.36.2'
const RELIST_MS = 10_000
const HOUSEKEEPING_MS = 60_000
const RUNTIME_CHECK_MS = 5000
const RETRY_FIRST_MS = 200
const RETRY_LIMIT_MS = 10_000
const LABEL_OS = { 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/os': 'linux' }

/** Starts the agent of one node: it runs the pods that the API and the manifest directory give it, and tells how they are. */
export function startKubelet(options: KubeletOptions): Kubelet {
  const kubelet = new RunningKubelet(options)
  const ready = kubelet.start()
  ready.catch(() => {}) // Whoever waits for it hears of it; stop() is possible all the same.
  return {
    ready,
    serverPort: () => kubelet.serverPort,
    useCertificate: (cert, key) => kubelet.server?.useCertificate(cert, key),
    stop: () => kubelet.stop(ready),
  }
}

class RunningKubelet {
  readonly #options: KubeletOptions
  readonly #ending: (() => void | Promise<void>)[] = []
  readonly #stopped = new AbortController()
  #runtimeVersion: RuntimeVersion | undefined
  #conditions: readonly RuntimeCondition[] = []
  #runtimeError: string | undefined
  #pressures = { memory: false, disk: false, pids: false }
  #images: readonly RuntimeImage[] = []
  serverPort = 0
  server: KubeletServer | undefined

  constructor(options: KubeletOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { client, clock, runtime, nodeName, rootDirectory, logsDirectory } = this.#options
    const log = this.#options.log.with({ node: nodeName })
    await mkdir(rootDirectory, { recursive: true })
    await mkdir(logsDirectory, { recursive: true })
    await this.#options.cgroups.create(PODS_GROUP, {})
    const machine = await readMachineFacts(rootDirectory)
    await this.#checkRuntime()

    const recorder = eventRecorder({ client, clock, log, component: 'kubelet', host: nodeName })
    this.#ending.push(() => recorder[Symbol.dispose]())
    const sources = informers({ client, clock, log })
    this.#ending.push(async () => {
      await sources[Symbol.asyncDispose]()
    })
    const podInformer = sources.only(Pod, { fieldSelector: `spec.nodeName=${nodeName}` })
    const services = sources.of(Service)
    const reporter = this.#reporter(machine, log, recorder)
    this.#ending.push(() => reporter.stop())
    const apiPods = new ApiPods({ client, informer: podInformer, log, nodeUid: () => reporter.node?.metadata.uid })
    const host = await this.#host(
      machine,
      log,
      podEvents(recorder, apiPods),
      apiPods,
      reporter,
      apiReferences(client, services),
      () => pods,
    )
    const pods: NodePods = new NodePods(host)

    this.#ending.push(() => host.statuses.close())
    this.#ending.push(() => host.probes.close())
    this.#ending.push(() => pods.stop())
    const events = runtime.onEvent(event => pods.onRuntimeEvent(event))
    this.#ending.push(() => events[Symbol.dispose]())
    await this.#followStatic(pods, apiPods, log) // These run whether or not there is an API server.

    await sources.synced(this.#stopped.signal)
    this.server =
      this.#options.server &&
      (await startKubeletServer({ ...this.#options.server, clock, log, runtime, pods, logsDirectory, nodeName, client }))
    this.serverPort = this.server?.port ?? 0
    this.#ending.push(() => this.server?.stop())
    await this.#untilItWorks(() => reporter.start(), log, 'the node could not be registered; trying again')

    const following = pods.follow(podInformer)
    const mirrors = podInformer.onChange((pod, old) => {
      if ((pod && isMirror(pod)) || (old && isMirror(old))) void this.#mirror(pods, apiPods, host)
    })
    this.#ending.push(() => {
      for (const ending of [following, mirrors]) ending[Symbol.dispose]()
    })
    this.#every(RELIST_MS, () => pods.relist())
    this.#every(RUNTIME_CHECK_MS, async () => {
      const before = this.#runtimeError
      if ((await this.#checkRuntime()) || before !== this.#runtimeError) await reporter.report()
    })
    this.#every(HOUSEKEEPING_MS, () => this.#housekeep(pods, apiPods, machine, log))
    await apiPods.reconcileMirrors([...pods.staticPods()])
    await pods.collectGarbage().catch(error => log.warn('what was left on the node could not be cleared away', { error: error.message }))
    log.info('the kubelet is ready')
  }

  async #untilItWorks(work: () => Promise<void>, log: Logger, complaint: string): Promise<void> {
    for (let delayMs = RETRY_FIRST_MS; ; delayMs = Math.min(2 * delayMs, RETRY_LIMIT_MS)) {
      try {
        return await work()
      } catch (error) {
        if (this.#stopped.signal.aborted) throw error
        log.warn(complaint, { error: (error as Error).message })
        await sleep(this.#options.clock, delayMs, this.#stopped.signal)
      }
    }
  }

  async stop(started: Promise<void>): Promise<void> {
    this.#stopped.abort(new Error('the kubelet stops'))
    await started.catch(() => undefined)
    for (const end of this.#ending.splice(0).reverse()) await end()
  }

  #every(periodMs: number, work: () => void | Promise<void>): void {
    const timer = every(this.#options.clock, periodMs, async () => {
      try {
        await work()
      } catch (error) {
        this.#options.log.verbose('a periodic task of the kubelet failed', { error: (error as Error).message })
      }
    })
    this.#ending.push(() => timer[Symbol.dispose]())
  }

  async #host(
    machine: MachineFacts,
    log: Logger,
    events: PodEvents,
    apiPods: ApiPods,
    reporter: NodeReporter,
    references: PodHost['references'],
    pods: () => NodePods,
  ): Promise<PodHost> {
    const { client, clock, runtime, rootDirectory, mounter, clusterDNS, clusterDomain } = this.#options
    const probeResults = new ProbeResults()
    return {
      nodeName: this.#options.nodeName,
      nodeIPs: this.#options.nodeIPs,
      runtime,
      runtimeName: () => this.#runtimeVersion?.runtimeName ?? 'containerd',
      clock,
      log,
      events,
      statuses: new StatusWriter({ client, clock, log, apiPodOf: pod => apiPods.objectOf(pod) }),
      references,
      tokens: new ApiTokenSource(client, clock),
      volumes: new PodVolumes(rootDirectory, mounter),
      images: new ImagePuller(runtime, clock, events),
      probes: new PodProbes({
        clock,
        events,
        log,
        results: probeResults,
        run: probeRunner(runtime, () => clock.now()),
        onChange: uid => pods().wake(uid),
      }),
      probeResults,
      cgroups: this.#options.cgroups,
      podPids: this.#options.podPidsLimit,
      dns: { clusterDNS, clusterDomain, node: await readResolver(this.#options.resolvConf ?? '/etc/resolv.conf') },
      logsDirectory: this.#options.logsDirectory,
      seccompDirectory: join(rootDirectory, 'seccomp'),
      seccompDefault: this.#options.seccompDefault,
      nodeHostsPath: '/etc/hosts',
      nodeMemoryBytes: machine.memoryBytes,
      allocatable: () => reporter.node?.status.allocatable ?? {},
      admit: pod => {
        const others = pods()
          .active()
          .filter(other => uidOf(other) !== uidOf(pod))
        return sysctlRefusal(pod, this.#options.allowedUnsafeSysctls) ?? (reporter.node && refusalOf(pod, reporter.node, others))
      },
      deleteFromApi: pod => apiPods.delete(pod),
      runtimeHandler: async pod => {
        const name = pod.spec.runtimeClassName
        return name ? (await client.get(RuntimeClass, { name })).handler : ''
      },
    }
  }

  #reporter(machine: MachineFacts, log: Logger, recorder: EventRecorder): NodeReporter {
    const { client, clock, nodeName, labels = {}, taints = [], podCIDRs = [], providerID } = this.#options
    const own = {
      ...LABEL_OS,
      'kubernetes.io/arch': machine.architecture,
      'beta.kubernetes.io/arch': machine.architecture,
      'kubernetes.io/hostname': nodeName,
    }
    return new NodeReporter({
      client,
      clock,
      log,
      nodeName,
      labels: { ...own, ...labels },
      taints,
      podCIDRs,
      providerID,
      // Upstream's kubelet gives the node's name for its uid in these events, and kubectl looks for that.
      event: (type, reason, message) =>
        recorder.record({ apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, uid: nodeName } }, type, reason, message),
      status: async old => {
        this.#images = await this.#options.runtime.listImages().catch(() => this.#images)
        return planNodeStatus(
          {
            nodeName,
            nodeIPs: this.#options.nodeIPs,
            machine,
            maxPods: this.#options.maxPods ?? 110,
            reserved: this.#options.reserved ?? {},
            capacity: this.#options.capacity ?? {},
            kubeletVersion: this.#options.version ?? VERSION,
            serverPort: this.serverPort,
            runtimeVersion: this.#runtimeVersion,
            runtimeConditions: this.#conditions,
            runtimeError: this.#runtimeError,
            images: this.#images,
            pressures: this.#pressures,
            declaredFeatures: DECLARED_FEATURES,
            now: clock.now(),
          },
          old,
        )
      },
    })
  }

  /** Asks the runtime how it is; true if its conditions have changed. */
  async #checkRuntime(): Promise<boolean> {
    const before = JSON.stringify(this.#conditions)
    try {
      this.#runtimeVersion ??= await this.#options.runtime.version()
      this.#conditions = await this.#options.runtime.status()
      this.#runtimeError = undefined
    } catch (error) {
      this.#runtimeError = (error as Error).message
    }
    return before !== JSON.stringify(this.#conditions)
  }

  async #followStatic(pods: NodePods, apiPods: ApiPods, log: Logger): Promise<void> {
    const { staticPodPath, nodeName, clock } = this.#options
    if (staticPodPath === undefined) return
    const onChange = (found: readonly Pod[]) => {
      pods.setStatic(found)
      void apiPods.reconcileMirrors(found)
    }
    const following = await followManifests({ directory: staticPodPath, nodeName, clock, log, read: readPod, onChange })
    this.#ending.push(() => following[Symbol.dispose]())
  }

  /** The mirror of a static pod came or went. */
  async #mirror(pods: NodePods, apiPods: ApiPods, host: PodHost): Promise<void> {
    const statics = [...pods.staticPods()]
    await apiPods.reconcileMirrors(statics)
    for (const pod of statics) if (apiPods.objectOf(pod)?.status.phase === 'Pending') host.statuses.rewrite(uidOf(pod))
  }

  async #housekeep(pods: NodePods, apiPods: ApiPods, machine: MachineFacts, log: Logger): Promise<void> {
    const { runtime, rootDirectory, logsDirectory, images, clock } = this.#options
    await pods.collectGarbage()
    await apiPods.reconcileMirrors([...pods.staticPods()])
    const usage = await readMachineUsage(rootDirectory)
    this.#pressures = pressuresOf(usage, machine.ephemeralStorageBytes, this.#options.eviction ?? DEFAULT_THRESHOLDS)
    if (this.#pressures.memory) await this.#evictOne(pods, runtime, log)
    await rotateLogs({
      runtime,
      logsDirectory,
      workers: [...pods.workers().values()],
      maxBytes: this.#options.containerLogMaxBytes ?? 10 * 1024 * 1024,
      maxFiles: this.#options.containerLogMaxFiles ?? 5,
      now: clock.now(),
    })
    const usedShare = 1 - usage.diskAvailableBytes / machine.ephemeralStorageBytes
    await collectImages({ runtime, log, usedShare, diskBytes: machine.ephemeralStorageBytes, pods: pods.active(), ...images })
  }

  async #evictOne(pods: NodePods, runtime: Runtime, log: Logger): Promise<void> {
    const used = new Map((await runtime.sandboxStats()).map(stats => [stats.metadata.uid, stats.memoryWorkingSetBytes]))
    const victim = victimOf(pods.active(), pod => used.get(uidOf(pod)) ?? 0)
    if (!victim) return
    log.warn('the node is short of memory; a pod is evicted', { pod: podKeyOf(victim) })
    pods.workers().get(uidOf(victim))?.evict('Evicted', 'The node was low on resource: memory. ')
  }
}

function podEvents(recorder: ReturnType<typeof eventRecorder>, apiPods: ApiPods): PodEvents {
  const record = (type: 'Normal' | 'Warning') => (pod: Pod, reason: string, message: string, container?: string) => {
    const { apiVersion, kind, metadata } = apiPods.objectOf(pod) ?? pod
    const fieldPath = container === undefined ? {} : { fieldPath: fieldPathOf(pod, container) }
    recorder.record({ apiVersion: apiVersion ?? 'v1', kind: kind ?? 'Pod', metadata, ...fieldPath }, type, reason, message)
  }
  return { normal: record('Normal'), warning: record('Warning') }
}

function fieldPathOf(pod: Pod, container: string): string {
  const has = (list: readonly { readonly name: string }[] | undefined) => list?.some(({ name }) => name === container) ?? false
  if (has(pod.spec.initContainers)) return `spec.initContainers{${container}}`
  return has(pod.spec.ephemeralContainers) ? `spec.ephemeralContainers{${container}}` : `spec.containers{${container}}`
}

async function readResolver(path: string): Promise<DnsConfig> {
  return parseResolvConf(await readFile(path, 'utf8').catch(() => ''))
}
