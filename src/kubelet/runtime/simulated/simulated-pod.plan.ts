import { isSidecar } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodStatus } from '#kinds/core/v1/pod-status.ts'
import { containerLabels } from '../../pods/container-labels.ts'
import { namespaceOf, podNameOf, uidOf } from '../../pods/pod-names.ts'
import type { ObservedContainer, PodState } from '../../pods/pod-state.ts'
import { planStatus } from '../../pods/pod-status.plan.ts'

/** Annotations by which a test says what becomes of a simulated pod. */
export const simulation = {
  /** Its containers end after so many seconds; without it those of pods with another restart policy than Always do after one second. */
  completesAfterSeconds: 'simulated.typernetes.dev/completes-after-seconds',
  /** With which exit code they end; default 0. */
  exitCode: 'simulated.typernetes.dev/exit-code',
  /** It takes so many seconds to become ready; `never` is possible. */
  readyAfterSeconds: 'simulated.typernetes.dev/ready-after-seconds',
} as const

const DEFAULT_COMPLETION_MS = 1000

/** When what happens to a simulated pod happens, counted from its start; undefined: never. */
export interface SimulatedLife {
  readonly readyAfterMs: number | undefined
  readonly completesAfterMs: number | undefined
  readonly exitCode: number
}

export function lifeOf(pod: Pod): SimulatedLife {
  const annotations = pod.metadata.annotations ?? {}
  const ready = annotations[simulation.readyAfterSeconds]
  const completes = annotations[simulation.completesAfterSeconds]
  const endsByDefault = pod.spec.restartPolicy !== 'Always'
  return {
    readyAfterMs: ready === 'never' ? undefined : (seconds(ready) ?? 0),
    completesAfterMs: completes === 'never' ? undefined : (seconds(completes) ?? (endsByDefault ? DEFAULT_COMPLETION_MS : undefined)),
    exitCode: Number(annotations[simulation.exitCode] ?? 0),
  }
}

function seconds(text: string | undefined): number | undefined {
  const value = Number(text)
  return text === undefined || !Number.isFinite(value) ? undefined : value * 1000
}

/** The status of a simulated pod that was started at `startedMs`. */
export function simulatedStatus(pod: Pod, nodeIP: string, podIP: string, startedMs: number, now: number): PodStatus {
  const life = lifeOf(pod)
  const endedMs = life.completesAfterMs === undefined ? Number.POSITIVE_INFINITY : startedMs + life.completesAfterMs
  const ended = now >= endedMs
  const ready = life.readyAfterMs !== undefined && now >= startedMs + life.readyAfterMs
  const state = stateOf(pod, podIP, startedMs, ended ? endedMs : undefined, life.exitCode)
  return planStatus({
    pod: ready ? pod : waitingForProbe(pod),
    state,
    now,
    oldStatuses: new Map(),
    waiting: new Map(),
    probeResult: (_, probe) => (ready || probe !== 'readiness' ? 'success' : 'failure'),
    terminationMessages: new Map(),
    idOf: id => `simulated://${id}`,
    nodeIPs: [nodeIP],
    ended: ended && pod.spec.restartPolicy !== 'Always',
  })
}

/** The pod as if each of its containers had a readiness probe: what is not ready has one that fails. */
function waitingForProbe(pod: Pod): Pod {
  const readinessProbe = { timeoutSeconds: 1, periodSeconds: 1, successThreshold: 1, failureThreshold: 1 }
  return { ...pod, spec: { ...pod.spec, containers: pod.spec.containers.map(container => ({ ...container, readinessProbe })) } }
}

function stateOf(pod: Pod, podIP: string, startedMs: number, endedMs: number | undefined, exitCode: number): PodState {
  const sandboxId = `${uidOf(pod)}-sandbox`
  const container = (name: string, image: string, exit: { atMs: number; code: number } | undefined): ObservedContainer => ({
    id: `${uidOf(pod)}-${name}`,
    sandboxId,
    name,
    attempt: 0,
    state: exit ? 'exited' : 'running',
    createdAtMs: startedMs,
    startedAtMs: startedMs,
    finishedAtMs: exit?.atMs ?? 0,
    exitCode: exit?.code ?? 0,
    image,
    imageRef: image,
    reason: exit ? (exit.code === 0 ? 'Completed' : 'Error') : '',
    message: '',
    labels: containerLabels(pod, name),
    annotations: {},
    logPath: '',
  })
  const end = endedMs === undefined ? undefined : { atMs: endedMs, code: exitCode }
  const inits = (pod.spec.initContainers ?? []).map(one =>
    container(one.name, one.image ?? '', isSidecar(one) ? end && { ...end, code: 0 } : { atMs: startedMs, code: 0 }),
  )
  const metadata = { name: podNameOf(pod), namespace: namespaceOf(pod), uid: uidOf(pod), attempt: 0 }
  return {
    sandboxes: [
      { id: sandboxId, metadata, ready: endedMs === undefined, createdAtMs: startedMs, labels: {}, annotations: {}, ips: [podIP] },
    ],
    containers: [...pod.spec.containers.map(one => container(one.name, one.image ?? '', end)), ...inits],
  }
}
