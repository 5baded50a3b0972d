import type { Logger } from '#base/log/logger.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import type { Container } from '#kinds/core/v1/container.ts'
import { isSidecar } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Probe } from '#kinds/core/v1/probe.ts'
import type { PodEvents } from '../pods/pod-events.ts'
import { uidOf } from '../pods/pod-names.ts'
import type { ProbeKind, ProbeResult, ProbeResults } from './probe-results.ts'
import type { RunProbe } from './probe-runner.ts'

export interface PodProbesContext {
  readonly clock: Clock
  readonly events: PodEvents
  readonly log: Logger
  readonly results: ProbeResults
  readonly run: RunProbe
  /** Called when a result has changed: the pod is to be looked at. */
  onChange(podUid: string): void
}

const KINDS: readonly ProbeKind[] = ['startup', 'liveness', 'readiness']

/** Probes the running containers of the node: one timer each, the others only once startup has succeeded. */
export class PodProbes {
  readonly #context: PodProbesContext
  readonly #workers = new Map<string, ProbeWorker>()

  constructor(context: PodProbesContext) {
    this.#context = context
  }

  /** Makes the probes of a pod fit its running containers (by container name: id and start). Called whenever the pod was looked at. */
  follow(pod: Pod, running: ReadonlyMap<string, { readonly id: string; readonly startedAtMs: number }>, podIP: string): void {
    const wanted = new Set<string>()
    for (const container of probed(pod)) {
      const current = running.get(container.name)
      if (!current) continue
      for (const kind of KINDS) {
        const probe = probeOf(container, kind)
        if (!probe) continue
        if (kind !== 'startup' && container.startupProbe && this.#context.results.get(current.id, 'startup') !== 'success') continue
        const key = `${uidOf(pod)} ${current.id} ${kind}`
        wanted.add(key)
        const worker = this.#workers.get(key)
        if (worker) worker.pod = pod
        else
          this.#workers.set(
            key,
            new ProbeWorker(this.#context, {
              pod,
              container,
              containerId: current.id,
              probe,
              kind,
              podIP,
              startedAtMs: current.startedAtMs,
            }),
          )
      }
    }
    for (const [key, worker] of this.#workers) if (key.startsWith(`${uidOf(pod)} `) && !wanted.has(key)) this.#end(key, worker)
  }

  /** Ends the probes of a pod. Readiness goes on while it terminates, liveness and startup do not. */
  stop(podUid: string, keepReadiness = false): void {
    for (const [key, worker] of this.#workers) {
      if (key.startsWith(`${podUid} `) && !(keepReadiness && worker.kind === 'readiness')) this.#end(key, worker)
    }
  }

  close(): void {
    for (const [key, worker] of this.#workers) this.#end(key, worker)
  }

  #end(key: string, worker: ProbeWorker): void {
    worker.stop()
    this.#workers.delete(key)
  }
}

function probed(pod: Pod): Container[] {
  return [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]
}

function probeOf(container: Container, kind: ProbeKind): Probe | undefined {
  return kind === 'startup' ? container.startupProbe : kind === 'liveness' ? container.livenessProbe : container.readinessProbe
}

interface ProbeJob {
  readonly pod: Pod
  readonly container: Container
  readonly containerId: string
  readonly probe: Probe
  readonly kind: ProbeKind
  readonly podIP: string
  readonly startedAtMs: number
}

const TITLES = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' } as const

/** One probe of one container, run every period; the result turns after as many equal outcomes as its threshold says. */
class ProbeWorker {
  pod: Pod
  readonly kind: ProbeKind
  readonly #context: PodProbesContext
  readonly #job: ProbeJob
  #timer: Timer
  #ended = false
  #last: ProbeResult | undefined
  #row = 0

  constructor(context: PodProbesContext, job: ProbeJob) {
    this.pod = job.pod
    this.kind = job.kind
    this.#context = context
    this.#job = job
    const delayMs = job.startedAtMs + (job.probe.initialDelaySeconds ?? 0) * 1000 - context.clock.now()
    this.#timer = context.clock.after(Math.max(0, delayMs), () => void this.#run())
  }

  stop(): void {
    this.#ended = true
    this.#timer.cancel()
  }

  async #run(): Promise<void> {
    const { clock, run, events, results, log } = this.#context
    const { container, containerId, probe, kind, podIP } = this.#job
    const startedMs = clock.monotonic()
    const outcome = await run({ pod: this.pod, container, containerId, probe, podIP }).catch((error: Error) => ({
      result: 'error' as const,
      message: error.message,
    }))
    if (this.#ended) return
    const periodMs = probe.periodSeconds * 1000
    this.#timer = clock.after(Math.max(0, periodMs - (clock.monotonic() - startedMs)), () => void this.#run())
    if (outcome.result === 'error') {
      log.verbose('a probe could not be run', {
        pod: this.pod.metadata.name,
        container: container.name,
        probe: kind,
        error: outcome.message,
      })
      events.warning(
        this.pod,
        'Unhealthy',
        `${TITLES[kind]} probe errored and resulted in unknown state: ${outcome.message}`,
        container.name,
      )
      return
    }
    if (outcome.result === 'failure')
      events.warning(this.pod, 'Unhealthy', `${TITLES[kind]} probe failed: ${outcome.message}`, container.name)
    if (outcome.result === 'warning')
      events.warning(this.pod, 'ProbeWarning', `${TITLES[kind]} probe warning: ${outcome.message}`, container.name)
    const result: ProbeResult = outcome.result === 'failure' ? 'failure' : 'success'
    this.#row = result === this.#last ? this.#row + 1 : 1
    this.#last = result
    if (this.#row < (result === 'failure' ? probe.failureThreshold : probe.successThreshold)) return
    if (results.set(containerId, kind, result)) this.#context.onChange(uidOf(this.pod))
    if ((kind === 'liveness' || kind === 'startup') && result === 'failure') this.stop() // The container is about to be restarted.
    if (kind === 'startup' && result === 'success') this.stop()
  }
}
