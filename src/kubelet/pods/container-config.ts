import type { Container } from '#kinds/core/v1/container.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import { qosClassOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { milliOf, wholeValueOf } from '#machinery/quantity/quantity.ts'
import { cpuQuotaOf, cpuSharesOf } from '../resources/cpu-units.ts'
import type { ContainerConfig, ContainerResources, Mount, RuntimeImage } from '../runtime/runtime.ts'
import { containerAnnotations, containerLabels } from './container-labels.ts'
import { expand } from './expansion.ts'
import { containerSecurity } from './security-context.ts'

/** What was prepared for a container before it is made. */
export interface ContainerFacts {
  readonly attempt: number
  readonly image: RuntimeImage
  readonly environment: ReadonlyMap<string, string>
  readonly mounts: readonly Mount[]
  readonly devices: NonNullable<ContainerConfig['devices']>
  readonly seccompDirectory: string
  /** Whether containers that do not say have the runtime's own profile; else none. */
  readonly seccompDefault?: boolean | undefined
  readonly nodeMemoryBytes: number
  /** The container whose processes an ephemeral one shall see. */
  readonly targetId?: string | undefined
}

/** The container as the runtime is asked to make it. */
export function containerConfigOf(pod: Pod, container: Container | EphemeralContainer, facts: ContainerFacts): ContainerConfig {
  const { attempt, image, environment, mounts, devices } = facts
  const variable = (name: string) => environment.get(name)
  return {
    metadata: { name: container.name, attempt },
    image: { image: image.id },
    command: (container.command ?? []).map(word => expand(word, variable)),
    args: (container.args ?? []).map(word => expand(word, variable)),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts,
    devices,
    labels: containerLabels(pod, container.name),
    annotations: containerAnnotations(pod, container as Container, attempt),
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: resourcesOf(pod, container, facts.nodeMemoryBytes),
      securityContext: containerSecurity(pod, container, image, facts.seccompDirectory, facts.targetId, facts.seccompDefault),
    },
  }
}

/** Requests and limits as the kernel counts them. */
export function resourcesOf(pod: Pod, container: Container | EphemeralContainer, nodeMemoryBytes: number): ContainerResources {
  const { requests = {}, limits = {} } = container.resources ?? {}
  const cpuLimit = limits['cpu'] === undefined ? undefined : milliOf(limits['cpu'])
  const cpuRequest = requests['cpu'] === undefined ? (cpuLimit ?? 0) : milliOf(requests['cpu'])
  const memoryLimit = limits['memory'] === undefined ? 0 : wholeValueOf(limits['memory'])
  return {
    cpuShares: cpuSharesOf(cpuRequest),
    ...(cpuLimit === undefined || cpuLimit === 0 ? {} : { cpuPeriod: 100_000, cpuQuota: cpuQuotaOf(cpuLimit) }),
    ...(memoryLimit === 0 ? {} : { memoryLimitInBytes: memoryLimit }),
    oomScoreAdj: oomScoreOf(pod, wholeValueOf(requests['memory'] ?? limits['memory'] ?? '0'), nodeMemoryBytes),
  }
}

/** Who is killed first when the node is out of memory: those that asked for nothing, last those that have all they asked for. */
function oomScoreOf(pod: Pod, memoryRequest: number, nodeMemoryBytes: number): number {
  const qos = qosClassOf(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  return Math.min(999, Math.max(3, 1000 - Math.floor((1000 * memoryRequest) / Math.max(1, nodeMemoryBytes))))
}
