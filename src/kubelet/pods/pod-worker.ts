import { rm } from 'node:fs/promises'
import type { Timer } from '#base/time/clock.ts'
import type { Container } from '#kinds/core/v1/container.ts'
import { allContainers, isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodStatus } from '#kinds/core/v1/pod-status.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import { epochMs } from '#machinery/time/time.ts'
import type { SandboxStatus } from '../runtime/runtime.ts'
import { ContainerEndings } from './container-endings.ts'
import { StartFailure, startContainer } from './container-starter.ts'
import { stopAll, stopContainer } from './container-stopper.ts'
import { type ContainerStart, type PodPlan, planPod, type Waiting } from './pod.plan.ts'
import { podLogDirectory } from './pod-directories.ts'
import type { PodHost } from './pod-host.ts'
import { namespaceOf, podKeyOf, uidOf } from './pod-names.ts'
import { EMPTY_STATE, isRunning, latestOf, observePod, type PodState, readySandboxOf } from './pod-state.ts'
import { PodSurroundings } from './pod-surroundings.ts'
import { RestartBackoff } from './restart-backoff.ts'
import { startSandbox } from './sandbox-starter.ts'
import { ToldStatus } from './told-status.ts'

const ERROR_RETRY_FIRST_MS = 500
const ERROR_RETRY_LIMIT_MS = 30_000
const CONFIG_RETRY_MS = 10_000
const START_RETRY_MS = 1000
const SHOWN_MS = 2000
const NEVER = Number.POSITIVE_INFINITY

/**
 * Brings one pod about, one step at a time: looks at what the runtime has, plans, does, tells the API, and waits for the next reason to look.
 * It ends when the pod is gone from the node and from the API.
 */
export class PodWorker {
  readonly #host: PodHost
  readonly #surroundings: PodSurroundings
  readonly #told: ToldStatus
  readonly #endings: ContainerEndings
  readonly #backoff = new RestartBackoff()
  readonly #onGone: () => void
  readonly #stopping = new AbortController()
  #pod: Pod
  #state: PodState = EMPTY_STATE
  #waiting = new Map<string, Waiting>()
  /** When the start of a container that failed is tried again, whatever wakes the pod before. */
  readonly #notBefore = new Map<string, number>()
  #failure: { reason: string; message: string } | undefined
  #removed = false
  #stage: 'running' | 'ended' | 'gone' = 'running'
  #isNew = true
  #errorDelayMs = ERROR_RETRY_FIRST_MS
  #woken = false
  #busy = false
  #wake: (() => void) | undefined
  #step: AbortController | undefined
  #killGraceSeconds: number | undefined
  readonly #done: Promise<void>

  constructor(host: PodHost, pod: Pod, onGone: () => void) {
    this.#host = host
    this.#surroundings = new PodSurroundings(host)
    this.#told = new ToldStatus(host)
    this.#endings = new ContainerEndings(host)
    this.#pod = pod
    this.#onGone = onGone
    this.#done = this.#run()
  }

  get pod(): Pod {
    return this.#pod
  }

  /** The pod has come to its end here: nothing of it runs, and nothing will. */
  get hasEnded(): boolean {
    return this.#stage !== 'running'
  }

  /** It is looking at the pod, or doing something for it, right now. */
  get isBusy(): boolean {
    return this.#busy
  }

  get state(): PodState {
    return this.#state
  }

  /** The status as it was last told. */
  get status(): PodStatus | undefined {
    return this.#told.status
  }

  /** The pod's object has changed. */
  update(pod: Pod): void {
    const wasTerminating = isTerminating(this.#pod)
    this.#pod = pod
    if (isTerminating(pod) && !wasTerminating) this.#step?.abort()
    this.#shortenGrace()
    this.wake()
  }

  /** The pod's object is gone: it has to end here too. */
  remove(): void {
    this.#removed = true
    this.#step?.abort()
    this.wake()
  }

  /** The pod has to end for the node's sake. */
  evict(reason: string, message: string): void {
    if (this.#stage !== 'running' || this.#failure) return
    this.#failure = { reason, message }
    this.#step?.abort()
    this.wake()
  }

  /** Something happened: look at the pod as soon as may be. */
  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Removes containers that have ended, and their logs, but for the last two of each name. Called now and then. */
  collectGarbage(): Promise<void> {
    return this.#endings.clear(this.#pod, this.#state.containers)
  }

  /** Lets go of the pod without touching it: it runs on, for the next kubelet to take over. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the kubelet stops'))
    this.#step?.abort()
    this.wake()
    await this.#done
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted && this.#stage !== 'gone') {
      this.#woken = false
      this.#busy = true
      let wakeAtMs: number
      try {
        wakeAtMs = await this.#sync()
        this.#errorDelayMs = ERROR_RETRY_FIRST_MS
      } catch (error) {
        if (this.#stopping.signal.aborted) break
        this.#host.log.warn('a pod could not be brought forward; trying again', {
          pod: podKeyOf(this.#pod),
          error: (error as Error).message,
        })
        wakeAtMs = this.#host.clock.now() + this.#errorDelayMs
        this.#errorDelayMs = Math.min(2 * this.#errorDelayMs, ERROR_RETRY_LIMIT_MS)
      }
      this.#busy = false
      await this.#sleepUntil(wakeAtMs)
    }
    this.#host.probes.stop(uidOf(this.#pod))
    if (this.#stage === 'gone') this.#onGone()
  }

  async #sleepUntil(wakeAtMs: number): Promise<void> {
    if (this.#woken || this.#stage === 'gone' || this.#stopping.signal.aborted) return
    let timer: Timer | undefined
    await new Promise<void>(resolve => {
      this.#wake = resolve
      if (wakeAtMs !== NEVER) timer = this.#host.clock.after(Math.max(0, wakeAtMs - this.#host.clock.now()), resolve)
    })
    timer?.cancel()
    this.#wake = undefined
  }

  /** One look at the pod; answers when the next is due. */
  async #sync(): Promise<number> {
    if (this.#stage === 'ended') return this.#finishDeletion()
    await this.#observe()
    if (this.#isNew) this.#meet()
    if (this.#mustEnd()) return this.#terminate(false)
    const deadlineMs = this.#deadlineMs()
    if (this.#host.clock.now() >= deadlineMs) {
      this.#failure = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
      this.#host.events.normal(this.#pod, 'DeadlineExceeded', this.#failure.message)
      return this.#terminate(false)
    }
    const plan = this.#plan()
    if (plan.finish) return this.#terminate(true)
    const step = new AbortController()
    this.#step = step
    const retryAtMs = await this.#carryOut(plan, step.signal)
    this.#step = undefined
    const acted = plan.createSandbox !== undefined || plan.start.length > 0 || plan.stop.length > 0
    if (acted && !this.#stopping.signal.aborted) await this.#observe()
    this.#followProbes()
    this.#tell(false)
    if (acted && retryAtMs === NEVER) this.#woken = true
    const isUp = this.#state.containers.some(isRunning) && !this.#stopping.signal.aborted
    const refreshAtMs = isUp ? await this.#surroundings.refresh(this.#pod, this.#podIPs()) : NEVER
    return Math.min(retryAtMs, plan.wakeAtMs ?? NEVER, deadlineMs, refreshAtMs)
  }

  /** The first look: a pod that is new to the node must be let in, one that was known is taken over as it is. */
  #meet(): void {
    this.#isNew = false
    this.#adoptResults()
    const isKnown = this.#state.sandboxes.length > 0 || this.#pod.status.startTime !== undefined
    if (isKnown || this.#mustEnd()) return
    const refusal = this.#host.admit(this.#pod)
    if (!refusal) return
    this.#failure = refusal
    this.#host.events.warning(this.#pod, refusal.reason, refusal.message)
  }

  /** What was ready and started before this kubelet came is so until a probe says otherwise. */
  #adoptResults(): void {
    for (const { name, containerID, ready, started } of this.#told.containersOf(this.#pod).values()) {
      const latest = latestOf(this.#state, name)
      if (!latest || !isRunning(latest) || !containerID?.endsWith(`//${latest.id}`)) continue
      if (started) this.#host.probeResults.set(latest.id, 'startup', 'success')
      if (ready) this.#host.probeResults.set(latest.id, 'readiness', 'success')
    }
  }

  #mustEnd(): boolean {
    return this.#removed || isTerminating(this.#pod) || isTerminal(this.#pod) || this.#failure !== undefined
  }

  #deadlineMs(): number {
    const seconds = this.#pod.spec.activeDeadlineSeconds
    const startTime = this.#pod.status.startTime ?? this.#told.status?.startTime
    return seconds === undefined || startTime === undefined ? NEVER : epochMs(startTime) + seconds * 1000
  }

  async #observe(): Promise<void> {
    this.#state = await observePod(this.#host.runtime, uidOf(this.#pod), this.#state)
    await this.#endings.read(this.#pod, this.#state.containers)
  }

  #plan(): PodPlan {
    const { clock, probeResults } = this.#host
    const plan = planPod({
      pod: this.#pod,
      state: this.#state,
      now: clock.now(),
      countedRestarts: name => this.#countedRestarts(name),
      backoffMs: (container, endedMs) => this.#backoff.delayOf(backoffKey(container), endedMs),
      probeResult: (id, probe) => probeResults.get(id, probe),
    })
    for (const [name, waiting] of plan.waiting) {
      if (this.#waiting.get(name)?.message === waiting.message) continue
      const message = `Back-off restarting failed container ${name} in pod ${this.#pod.metadata.name}_${namespaceOf(this.#pod)}(${uidOf(this.#pod)})`
      this.#host.events.warning(this.#pod, 'BackOff', message, name)
    }
    const starting = new Set(plan.start.map(({ container }) => container.name))
    const failed = [...this.#waiting].filter(([name, { reason }]) => starting.has(name) && reason !== 'CrashLoopBackOff')
    this.#waiting = new Map([...failed, ...plan.waiting])
    return this.#holdBack(plan)
  }

  /** Takes the containers out of a plan whose start failed a moment ago. */
  #holdBack(plan: PodPlan): PodPlan {
    const now = this.#host.clock.now()
    const held = plan.start.map(({ container }) => this.#notBefore.get(container.name) ?? 0).filter(atMs => atMs > now)
    if (held.length === 0) return plan
    const start = plan.start.filter(({ container }) => (this.#notBefore.get(container.name) ?? 0) <= now)
    return { ...plan, start, wakeAtMs: Math.min(plan.wakeAtMs ?? NEVER, ...held) }
  }

  #countedRestarts(name: string): number | undefined {
    const old = this.#told.containersOf(this.#pod).get(name)
    return old?.containerID ? old.restartCount : undefined
  }

  /** Carries a plan out; answers when something that failed is to be tried again. */
  async #carryOut(plan: PodPlan, signal: AbortSignal): Promise<number> {
    const { pod } = this
    for (const { container, message, graceSeconds } of plan.stop) {
      await raced(
        stopContainer(this.#host, pod, this.#state, container, message, graceSeconds ?? pod.spec.terminationGracePeriodSeconds),
        signal,
      )
    }
    if (plan.createSandbox === undefined && plan.start.length === 0) return NEVER
    this.#tell(false)
    if (!(await this.#surroundings.prepare(pod, this.#podIPs()))) return this.#host.clock.now() + this.#nextErrorDelay()
    if (signal.aborted) return NEVER
    const secrets = await this.#surroundings.pullSecrets(pod)
    const found = plan.createSandbox ? await this.#startSandbox(plan.createSandbox.attempt) : readySandboxOf(this.#state)
    if (!found) return this.#host.clock.now() + this.#nextErrorDelay()
    this.#errorDelayMs = ERROR_RETRY_FIRST_MS
    let retryAtMs = NEVER
    for (const start of plan.start) {
      if (signal.aborted) return NEVER
      retryAtMs = Math.min(retryAtMs, await this.#start(start, found, secrets, signal))
    }
    return retryAtMs
  }

  #nextErrorDelay(): number {
    const delayMs = this.#errorDelayMs
    this.#errorDelayMs = Math.min(2 * delayMs, ERROR_RETRY_LIMIT_MS)
    return delayMs
  }

  async #start(start: ContainerStart, sandbox: SandboxStatus, secrets: readonly Secret[], signal: AbortSignal): Promise<number> {
    const { name } = start.container
    const now = this.#host.clock.now()
    if (start.endedMs !== undefined) this.#backoff.started(backoffKey(start.container as Container), start.endedMs, now)
    const target = 'targetContainerName' in start.container ? start.container.targetContainerName : undefined
    const targetId = target ? latestOf(this.#state, target)?.id : undefined
    const sandboxConfig = await this.#surroundings.sandboxConfig(this.#pod, sandbox.metadata.attempt)
    const onStarted = () => this.#waiting.delete(name)
    const request = {
      pod: this.#pod,
      start,
      sandbox,
      sandboxConfig,
      volumes: this.#surroundings.volumes,
      secrets,
      targetId,
      signal,
      onStarted,
    }
    this.#notBefore.delete(name)
    try {
      await raced(startContainer(this.#host, request), signal)
      return NEVER
    } catch (error) {
      if (signal.aborted) return NEVER
      if (!(error instanceof StartFailure)) throw error
      this.#waiting.set(name, error.waiting)
      const retryAtMs = retryOf(error, now)
      this.#notBefore.set(name, retryAtMs)
      return retryAtMs
    }
  }

  async #startSandbox(attempt: number): Promise<SandboxStatus | undefined> {
    const sandbox = await startSandbox(this.#host, this.#surroundings, this.#pod, this.#state, attempt)
    if (sandbox) this.#state = { ...this.#state, sandboxes: [sandbox, ...this.#state.sandboxes] }
    return sandbox
  }

  #followProbes(): void {
    const running = new Map<string, { id: string; startedAtMs: number }>()
    for (const container of allContainers(this.#pod.spec)) {
      const latest = latestOf(this.#state, container.name)
      if (latest && isRunning(latest)) running.set(container.name, { id: latest.id, startedAtMs: latest.startedAtMs })
    }
    this.#host.probes.follow(this.#pod, running, this.#podIPs()[0] ?? '')
  }

  #podIPs(): readonly string[] {
    return this.#pod.spec.hostNetwork ? this.#host.nodeIPs : (readySandboxOf(this.#state)?.ips ?? [])
  }

  /** Tells the API how the pod is. */
  #tell(ended: boolean): void {
    this.#told.tell(this.#pod, {
      state: this.#state,
      waiting: this.#waiting,
      terminationMessages: this.#endings.messages,
      failure: this.#failure,
      ended,
    })
  }

  #graceSeconds(): number {
    const { spec, metadata } = this.#pod
    if (this.#failure && !isTerminating(this.#pod)) return spec.terminationGracePeriodSeconds
    return metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds
  }

  /** A second delete may leave less time than the first: what is being stopped is stopped sooner. */
  #shortenGrace(): void {
    const graceSeconds = this.#graceSeconds()
    if (this.#killGraceSeconds === undefined || graceSeconds >= this.#killGraceSeconds) return
    this.#killGraceSeconds = graceSeconds
    void stopAll(this.#host, this.#pod, this.#state, graceSeconds).catch(() => {})
  }

  /** Ends the pod: its containers, its sandbox, its volumes and its control group; then says how it ended. */
  async #terminate(byItself: boolean): Promise<number> {
    const { runtime, probes } = this.#host
    const uid = uidOf(this.#pod)
    probes.stop(uid, true)
    if (this.#failure) this.#tell(false)
    this.#killGraceSeconds = byItself ? this.#pod.spec.terminationGracePeriodSeconds : this.#graceSeconds()
    const { signal } = this.#stopping
    await raced(stopAll(this.#host, this.#pod, this.#state, this.#killGraceSeconds, signal), signal)
    if (this.#stopping.signal.aborted) return NEVER
    this.#killGraceSeconds = undefined
    probes.stop(uid)
    for (const { id } of this.#state.sandboxes) await runtime.stopSandbox(id)
    await this.#observe()
    if (this.#state.containers.some(isRunning)) throw new Error('a container still runs after it was stopped')
    this.#tell(true)
    await this.#surroundings.remove(this.#pod)
    this.#stage = 'ended'
    return this.#finishDeletion()
  }

  /** What has ended stays for its logs until the pod is deleted. */
  async #finishDeletion(): Promise<number> {
    const { runtime, statuses, images, probeResults, logsDirectory } = this.#host
    if (!this.#removed && !isTerminating(this.#pod)) return NEVER
    const uid = uidOf(this.#pod)
    if (!this.#removed) {
      await statuses.flushed(uid)
      await this.#host.deleteFromApi(this.#pod)
    }
    await this.#observe()
    for (const { id } of this.#state.containers) {
      await runtime.stopContainer(id, 0)
      await runtime.removeContainer(id)
      probeResults.remove(id)
    }
    for (const { id } of this.#state.sandboxes) await runtime.removeSandbox(id)
    await rm(podLogDirectory(logsDirectory, this.#pod), { recursive: true, force: true })
    statuses.forget(uid)
    images.forget(uid)
    this.#stage = 'gone'
    return NEVER
  }
}

/** When a container that was not started is tried again; what is wrong with an image is shown for a moment before its backoff is. */
function retryOf({ waiting, retryAtMs }: StartFailure, now: number): number {
  if (waiting.reason === 'ErrImagePull') return now + SHOWN_MS
  if (waiting.reason === 'RunContainerError' || waiting.reason === 'PostStartHookError') return now + START_RETRY_MS
  return retryAtMs ?? now + CONFIG_RETRY_MS
}

const backoffKey = (container: Container) => `${container.name} ${container.image ?? ''}`

/** Waits for `work`, but no longer than until `signal` aborts: work goes on, and its outcome is no longer of interest. */
function raced(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve()
    if (signal.aborted) resolve()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
