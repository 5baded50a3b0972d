import type { Container } from '#kinds/core/v1/container.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import { isSidecar } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { goDuration } from '../images/go-duration.ts'
import type { ProbeResult } from '../probes/probe-results.ts'
import { annotation, containerHash } from './container-labels.ts'
import { describePod } from './pod-names.ts'
import { isRunning, latestOf, type ObservedContainer, type PodState, readySandboxOf } from './pod-state.ts'

/** All that the decision about a pod's next steps depends on. */
export interface PodFacts {
  readonly pod: Pod
  readonly state: PodState
  readonly now: number
  /** The restart count the API has of a container that the runtime knows nothing of any more. */
  readonly countedRestarts: (containerName: string) => number | undefined
  /** How long a container waits between its end and its next start. */
  readonly backoffMs: (container: Container, endedMs: number) => number
  readonly probeResult: (containerId: string, probe: 'liveness' | 'startup' | 'readiness') => ProbeResult | undefined
}

export interface ContainerStart {
  readonly container: Container | EphemeralContainer
  readonly kind: 'init' | 'regular' | 'ephemeral'
  readonly attempt: number
  /** When it ended before; absent on its first start. */
  readonly endedMs?: number
}

export interface ContainerStop {
  readonly container: ObservedContainer
  readonly message: string
  /** The probe's own grace period, where it gives one. */
  readonly graceSeconds?: number
}

export interface Waiting {
  readonly reason: string
  readonly message: string
}

/** What to do for a pod, in this order: kill what must not run, make a sandbox, start containers. */
export interface PodPlan {
  /** Everything has ended for good, or must: stop all, and the sandbox. */
  readonly finish: boolean
  /** Make a (new) sandbox; any old one is stopped first. */
  readonly createSandbox: { readonly attempt: number } | undefined
  readonly stop: readonly ContainerStop[]
  readonly start: readonly ContainerStart[]
  /** Containers that are held back, and why. */
  readonly waiting: ReadonlyMap<string, Waiting>
  /** When to look again, if nothing happens before. */
  readonly wakeAtMs: number | undefined
}

/**
 * Decides what a pod that shall run needs next. Init containers run one after the other, sidecars among them from their turn to the end;
 * then the containers, each by the pod's restart policy and its backoff.
 */
export function planPod(facts: PodFacts): PodPlan {
  const { pod, state } = facts
  const sandbox = readySandboxOf(state)
  if (!sandbox) return planSandbox(facts)
  const plan = new Draft(facts)
  const here = (name: string) => state.containers.find(container => container.name === name && container.sandboxId === sandbox.id)
  for (const container of pod.spec.ephemeralContainers ?? []) {
    if (!latestOf(state, container.name)) plan.start.push({ container, kind: 'ephemeral', attempt: 0 })
  }
  const initialized = planInitContainers(plan, here)
  if (!initialized) return plan.done()
  let alive = 0
  for (const container of pod.spec.containers) {
    const current = here(container.name)
    if (current === undefined || current.state !== 'running') {
      if (shouldRun(pod, current)) {
        plan.startOrWait(container, 'regular', current)
        alive++
      }
    } else if (!plan.stopIfUnwell(container, current, pod.spec.restartPolicy !== 'Never')) alive++
    else if (pod.spec.restartPolicy !== 'Never') alive++
  }
  if (alive === 0) plan.finish = true
  return plan.done()
}

function planSandbox(facts: PodFacts): PodPlan {
  const { pod, state } = facts
  const plan = new Draft(facts)
  const previous = state.sandboxes[0]
  const attempt = previous ? previous.metadata.attempt + 1 : 0
  const hasRun = state.containers.some(({ name }) => pod.spec.containers.some(container => container.name === name))
  const toRun = pod.spec.containers.filter(({ name }) => shouldRunAnew(pod, latestOf(state, name)))
  if (hasRun && (pod.spec.restartPolicy === 'Never' || toRun.length === 0)) {
    plan.finish = true
    return plan.done()
  }
  plan.createSandbox = { attempt }
  const [firstInit] = pod.spec.initContainers ?? []
  if (firstInit) plan.startOrWait(firstInit, 'init', latestOf(state, firstInit.name))
  else for (const container of toRun) plan.startOrWait(container, 'regular', latestOf(state, container.name))
  return plan.done()
}

/** A new sandbox runs every container again, but those that were done with under OnFailure. */
function shouldRunAnew(pod: Pod, last: ObservedContainer | undefined): boolean {
  return !(pod.spec.restartPolicy === 'OnFailure' && last?.state === 'exited' && last.exitCode === 0)
}

/** Whether a container that is not running is to be started. */
function shouldRun(pod: Pod, last: ObservedContainer | undefined): boolean {
  if (last === undefined || last.state === 'created' || last.state === 'unknown') return true
  if (pod.spec.restartPolicy === 'Never') return false
  return pod.spec.restartPolicy === 'Always' || last.exitCode !== 0
}

/** Plans the init containers; true once the pod's containers may run. */
function planInitContainers(plan: Draft, here: (name: string) => ObservedContainer | undefined): boolean {
  const { pod } = plan.facts
  const begun = pod.spec.containers.some(({ name }) => here(name) !== undefined)
  for (const container of pod.spec.initContainers ?? []) {
    const current = here(container.name)
    if (isSidecar(container)) {
      if (!isRunning(current)) plan.startOrWait(container, 'init', current)
      else plan.stopIfUnwell(container, current!, true)
      if (!begun && !(isRunning(current) && plan.hasStarted(container, current!))) return false
      continue
    }
    if (begun || (current?.state === 'exited' && current.exitCode === 0)) continue
    if (isRunning(current)) return false
    if (current?.state === 'exited' && pod.spec.restartPolicy === 'Never') plan.finish = true
    else plan.startOrWait(container, 'init', current)
    return false
  }
  return true
}

/** A plan in the making. */
class Draft {
  readonly facts: PodFacts
  readonly start: ContainerStart[] = []
  readonly stop: ContainerStop[] = []
  readonly waiting = new Map<string, Waiting>()
  finish = false
  createSandbox: { attempt: number } | undefined
  wakeAtMs: number | undefined

  constructor(facts: PodFacts) {
    this.facts = facts
  }

  startOrWait(container: Container, kind: 'init' | 'regular', last: ObservedContainer | undefined): void {
    const { pod, state, now, backoffMs, countedRestarts } = this.facts
    const before = last ?? latestOf(state, container.name)
    const counted = before ? before.attempt : countedRestarts(container.name)
    const attempt = counted === undefined ? 0 : counted + 1
    if (before?.state !== 'exited') {
      this.start.push({ container, kind, attempt })
      return
    }
    const delayMs = backoffMs(container, before.finishedAtMs)
    const dueMs = before.finishedAtMs + delayMs
    if (now >= dueMs) {
      this.start.push({ container, kind, attempt, endedMs: before.finishedAtMs })
      return
    }
    const message = `back-off ${goDuration(delayMs)} restarting failed container=${container.name} pod=${describePod(pod)}`
    this.waiting.set(container.name, { reason: 'CrashLoopBackOff', message })
    this.wake(dueMs)
  }

  hasStarted(container: Container, current: ObservedContainer): boolean {
    return container.startupProbe === undefined || this.facts.probeResult(current.id, 'startup') === 'success'
  }

  /** Plans a stop when the container's definition changed or a probe failed; answers whether it did. */
  stopIfUnwell(container: Container, current: ObservedContainer, restarts: boolean): boolean {
    const reason = this.#unwell(container, current)
    if (!reason) return false
    const message = restarts ? `${reason.message}, will be restarted` : reason.message
    this.stop.push({ container: current, message, ...(reason.graceSeconds === undefined ? {} : { graceSeconds: reason.graceSeconds }) })
    return true
  }

  #unwell(container: Container, current: ObservedContainer): { message: string; graceSeconds?: number | undefined } | undefined {
    const hash = current.annotations[annotation.hash]
    if (hash !== undefined && hash !== containerHash(container)) return { message: `Container ${container.name} definition changed` }
    for (const probe of ['liveness', 'startup'] as const) {
      if (this.facts.probeResult(current.id, probe) !== 'failure') continue
      const graceSeconds = (probe === 'liveness' ? container.livenessProbe : container.startupProbe)?.terminationGracePeriodSeconds
      return { message: `Container ${container.name} failed ${probe} probe`, graceSeconds }
    }
    return undefined
  }

  wake(atMs: number): void {
    this.wakeAtMs = Math.min(this.wakeAtMs ?? Number.POSITIVE_INFINITY, atMs)
  }

  done(): PodPlan {
    const { finish, createSandbox, stop, start, waiting, wakeAtMs } = this
    if (finish) return { finish, createSandbox: undefined, stop: [], start: [], waiting: new Map(), wakeAtMs: undefined }
    return { finish, createSandbox, stop, start, waiting, wakeAtMs }
  }
}
