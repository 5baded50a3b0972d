import { nodeCondition } from '#kinds/core/v1/node.facts.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import type { ContainerImage, NodeCondition, NodeStatus } from '#kinds/core/v1/node-status.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { RuntimeCondition, RuntimeImage, RuntimeVersion } from '../runtime/runtime.ts'
import type { MachineFacts } from './machine-facts.ts'

/** All that a node's status depends on. */
export interface NodeFacts {
  readonly nodeName: string
  readonly nodeIPs: readonly string[]
  readonly machine: MachineFacts
  readonly maxPods: number
  /** What is kept for the system, by resource. */
  readonly reserved: Readonly<Record<string, string>>
  /** Overrides of what the machine has: several nodes may share one. */
  readonly capacity: Readonly<Record<string, string>>
  readonly kubeletVersion: string
  readonly serverPort: number
  readonly runtimeVersion: RuntimeVersion | undefined
  readonly runtimeConditions: readonly RuntimeCondition[]
  /** Why the runtime cannot be asked. */
  readonly runtimeError: string | undefined
  readonly images: readonly RuntimeImage[]
  readonly pressures: { readonly memory: boolean; readonly disk: boolean; readonly pids: boolean }
  /** Features that this kubelet has, of those that others have to know of. */
  readonly declaredFeatures?: readonly string[]
  readonly now: number
}

const IMAGES_LIMIT = 50
const NAMES_LIMIT = 5

/** What the API shall say of the node; conditions keep the time of their last change. */
export function planNodeStatus(facts: NodeFacts, old: Node | undefined): NodeStatus {
  const capacity = capacityOf(facts)
  return {
    capacity,
    allocatable: allocatableOf(capacity, facts.reserved),
    conditions: planConditions(facts, old),
    addresses: [...facts.nodeIPs.map(address => ({ type: 'InternalIP', address })), { type: 'Hostname', address: facts.nodeName }],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.serverPort } },
    nodeInfo: {
      machineID: facts.machine.machineID,
      systemUUID: facts.machine.systemUUID,
      bootID: facts.machine.bootID,
      kernelVersion: facts.machine.kernelVersion,
      osImage: facts.machine.osImage,
      containerRuntimeVersion: facts.runtimeVersion ? `${facts.runtimeVersion.runtimeName}://${facts.runtimeVersion.runtimeVersion}` : '',
      kubeletVersion: facts.kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: facts.machine.architecture,
    },
    images: imagesOf(facts.images),
    ...(facts.declaredFeatures?.length ? { declaredFeatures: [...facts.declaredFeatures].sort() } : {}),
  }
}

function capacityOf({ machine, maxPods, capacity }: NodeFacts): Record<string, string> {
  return {
    cpu: String(machine.cpus),
    'ephemeral-storage': `${Math.floor(machine.ephemeralStorageBytes / 1024)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    pods: String(maxPods),
    ...capacity,
  }
}

function allocatableOf(capacity: Readonly<Record<string, string>>, reserved: Readonly<Record<string, string>>): Record<string, string> {
  const allocatable: Record<string, string> = {}
  for (const [name, amount] of Object.entries(capacity)) {
    const kept = reserved[name]
    allocatable[name] = kept === undefined ? amount : Quantity.parse(amount).subtract(Quantity.parse(kept)).toString()
  }
  return allocatable
}

type Verdict = readonly [type: string, status: 'True' | 'False', reason: string, message: string]

function planConditions(facts: NodeFacts, old: Node | undefined): NodeCondition[] {
  const { memory, disk, pids } = facts.pressures
  const problem = notReadyReason(facts)
  const verdicts: Verdict[] = [
    memory
      ? ['MemoryPressure', 'True', 'KubeletHasInsufficientMemory', 'kubelet has insufficient memory available']
      : ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    disk
      ? ['DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure']
      : ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    pids
      ? ['PIDPressure', 'True', 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available']
      : ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    problem === undefined
      ? ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status']
      : ['Ready', 'False', 'KubeletNotReady', problem],
  ]
  const ours = verdicts.map(([type, status, reason, message]): NodeCondition => {
    const before = old && nodeCondition(old, type)
    const lastTransitionTime = before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : timeOf(facts.now)
    return { type, status, lastHeartbeatTime: timeOf(facts.now), lastTransitionTime, reason, message }
  })
  const foreign = (old?.status.conditions ?? []).filter(({ type }) => !verdicts.some(([ourType]) => ourType === type))
  return [...foreign, ...ours]
}

function notReadyReason({ runtimeConditions, runtimeError }: NodeFacts): string | undefined {
  if (runtimeError !== undefined) return `container runtime is down: ${runtimeError}`
  const problems = ['RuntimeReady', 'NetworkReady'].flatMap(type => {
    const condition = runtimeConditions.find(candidate => candidate.type === type)
    if (!condition) return [`container runtime status check may not have completed yet: no ${type}`]
    if (condition.status) return []
    const name = type === 'NetworkReady' ? 'container runtime network' : 'container runtime'
    return [`${name} not ready: ${type}=false reason:${condition.reason} message:${condition.message}`]
  })
  return problems.length === 0 ? undefined : problems.join(', ')
}

function imagesOf(images: readonly RuntimeImage[]): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.sizeBytes - a.sizeBytes || (a.id < b.id ? -1 : 1))
    .slice(0, IMAGES_LIMIT)
    .map(({ repoDigests, repoTags, sizeBytes }) => ({ names: [...repoDigests, ...repoTags].slice(0, NAMES_LIMIT), sizeBytes }))
}

/** Whether a status says something new; heartbeats alone do not. */
export function isNews(status: NodeStatus, old: NodeStatus, equal: (a: unknown, b: unknown) => boolean): boolean {
  const still = (of: NodeStatus) => ({
    ...of,
    conditions: (of.conditions ?? []).map(condition => ({ ...condition, lastHeartbeatTime: null })),
  })
  const names = Object.keys(status) as (keyof NodeStatus)[]
  return names.some(name => !equal(still(status)[name], still(old)[name]))
}
