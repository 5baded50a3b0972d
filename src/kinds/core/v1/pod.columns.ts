import type { Column, RowCondition } from '#machinery/kind/kind.ts'
import { ageColumn, NONE, nameColumn, since } from '../../meta/v1/columns.ts'
import type { ContainerStatus } from './container-status.ts'
import { isSidecar, isTerminal, podCondition } from './pod.facts.ts'
import type { Pod } from './pod.ts'

/** A pod in `kubectl get`: its status is that of the container which says most about why it isn't running. */
export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  { name: 'Ready', description: 'The aggregate readiness state of this pod for accepting traffic.', of: pod => summaryOf(pod).ready },
  { name: 'Status', description: 'The aggregate status of the containers in this pod.', of: pod => summaryOf(pod).status },
  {
    name: 'Restarts',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    of: (pod, { now }) => restartsText(summaryOf(pod), now),
  },
  ageColumn,
  {
    name: 'IP',
    description: 'podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.',
    priority: 1,
    of: pod => pod.status.podIPs?.[0]?.ip || NONE,
  },
  {
    name: 'Node',
    description:
      'NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename',
    priority: 1,
    of: pod => pod.spec.nodeName || NONE,
  },
  {
    name: 'Nominated Node',
    description:
      'nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.',
    priority: 1,
    of: pod => pod.status.nominatedNodeName || NONE,
  },
  {
    name: 'Readiness Gates',
    description:
      'If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to "True" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates',
    priority: 1,
    of: readinessGatesText,
  },
]

export function podRowConditions(pod: Pod): readonly RowCondition[] {
  if (pod.status.phase === 'Succeeded') return [completed('Succeeded', 'The pod has completed successfully.')]
  if (pod.status.phase === 'Failed') return [completed('Failed', 'The pod failed.')]
  return []
}

function completed(reason: string, message: string): RowCondition {
  return { type: 'Completed', status: 'True', reason, message }
}

interface Summary {
  readonly ready: string
  readonly status: string
  readonly restarts: number
  readonly lastRestart: string | undefined
}

/** What the columns show, worked out once for each pod. */
export function summaryOf(pod: Pod): Summary {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(container => container.name))
  const start = summaryOfStart(pod, sidecars)
  const total = pod.spec.containers.length + sidecars.size
  let { status, ready, restarts } = start
  if (!start.isInitializing || podCondition(pod, 'Initialized')?.status === 'True') {
    restarts = start.sidecarRestarts
    let isRunning = false
    for (const container of [...(pod.status.containerStatuses ?? [])].reverse()) {
      restarts = plus(restarts, container)
      const { waiting, terminated, running } = container.state
      if (waiting?.reason) status = waiting.reason
      else if (terminated) status = terminated.reason || exitText(terminated)
      else if (container.ready && running) {
        isRunning = true
        ready++
      }
    }
    if (status === 'Completed' && isRunning) status = podCondition(pod, 'Ready')?.status === 'True' ? 'Running' : 'NotReady'
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (pod.status.reason === 'NodeLost') status = 'Unknown'
    else if (!isTerminal(pod)) status = 'Terminating'
  }
  return { ready: `${ready}/${total}`, status, restarts: restarts.count, lastRestart: restarts.last }
}

interface Restarts {
  readonly count: number
  readonly last: string | undefined
}

const NO_RESTARTS: Restarts = { count: 0, last: undefined }

/** How far the pod got through its init containers. */
function summaryOfStart(pod: Pod, sidecars: ReadonlySet<string>) {
  let status = pod.status.reason || pod.status.phase || ''
  if (podCondition(pod, 'PodScheduled')?.reason === 'SchedulingGated') status = 'SchedulingGated'
  let ready = 0
  let restarts = NO_RESTARTS
  let sidecarRestarts = NO_RESTARTS
  const statuses = pod.status.initContainerStatuses ?? []
  for (const [index, container] of statuses.entries()) {
    const { terminated, waiting } = container.state
    restarts = plus(restarts, container)
    const isSidecar = sidecars.has(container.name)
    if (isSidecar) sidecarRestarts = plus(sidecarRestarts, container)
    if (terminated?.exitCode === 0) continue
    if (isSidecar && container.started) {
      if (container.ready) ready++
      continue
    }
    if (terminated) status = `Init:${terminated.reason || exitText(terminated)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') status = `Init:${waiting.reason}`
    else status = `Init:${index}/${pod.spec.initContainers?.length ?? 0}`
    return { status, ready, restarts, sidecarRestarts, isInitializing: true }
  }
  return { status, ready, restarts, sidecarRestarts, isInitializing: false }
}

function plus(restarts: Restarts, container: ContainerStatus): Restarts {
  const finished = container.lastState.terminated?.finishedAt
  const isLater = finished && (restarts.last === undefined || finished > restarts.last)
  return { count: restarts.count + container.restartCount, last: isLater ? finished : restarts.last }
}

function exitText({ signal, exitCode }: { readonly signal?: number | undefined; readonly exitCode: number }): string {
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`
}

function restartsText({ restarts, lastRestart }: Summary, now: number): string {
  return restarts > 0 && lastRestart ? `${restarts} (${since(lastRestart, now)} ago)` : `${restarts}`
}

function readinessGatesText(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? []
  if (gates.length === 0) return NONE
  return `${gates.filter(gate => podCondition(pod, gate.conditionType)?.status === 'True').length}/${gates.length}`
}
