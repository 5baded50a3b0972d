import type { ContainerStatus } from '#kinds/core/v1/container-status.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodStatus } from '#kinds/core/v1/pod-status.ts'
import type { PodHost } from './pod-host.ts'
import { planStatus, type StatusFacts } from './pod-status.plan.ts'

/** What a worker knows of its pod that goes into the status. */
export type KnownOfPod = Pick<StatusFacts, 'state' | 'waiting' | 'terminationMessages' | 'failure' | 'ended'>

/** Conditions that the kubelet writes; all others come from the API. */
const OWN_CONDITIONS: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
])

/** The status of one pod as it was last told to the API. */
export class ToldStatus {
  readonly #host: PodHost
  #status: PodStatus | undefined

  constructor(host: PodHost) {
    this.#host = host
  }

  /** Undefined before anything was told. */
  get status(): PodStatus | undefined {
    return this.#status
  }

  /** Tells the API how the pod is. */
  tell(pod: Pod, known: KnownOfPod): void {
    const { clock, probeResults, nodeIPs, statuses } = this.#host
    if (isTerminal(pod) && !known.failure && this.#status === undefined) return // It has ended before; what was said then stands.
    const status = planStatus({
      ...known,
      pod: { ...pod, status: { ...pod.status, ...this.#said(pod) } },
      now: clock.now(),
      oldStatuses: this.containersOf(pod),
      probeResult: (id, probe) => probeResults.get(id, probe),
      idOf: id => `${this.#host.runtimeName()}://${id}`,
      nodeIPs,
    })
    const { phase } = pod.status
    this.#status = isTerminal(pod) && phase ? { ...status, phase } : status // An end that was told stays what it was.
    statuses.set(pod, this.#status)
  }

  /** What was said of each container last; by who was here before, if nothing was told yet. */
  containersOf(pod: Pod): Map<string, ContainerStatus> {
    const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = this.#status ?? pod.status
    const all = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses]
    return new Map(all.map(container => [container.name, container]))
  }

  /** What was told last, over what the informer may still show of before; conditions that others own come from the API. */
  #said(pod: Pod): Partial<PodStatus> {
    if (!this.#status) return {}
    const { conditions = [], startTime } = this.#status
    const foreign = (pod.status.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.has(type))
    return { startTime, conditions: [...conditions.filter(({ type }) => OWN_CONDITIONS.has(type)), ...foreign] }
  }
}
