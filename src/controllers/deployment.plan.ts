import type { Deployment } from '#kinds/apps/v1/deployment.ts'
import type { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { scaledValue } from '#machinery/int-or-string/int-or-string.ts'
import { desiredReplicasOf, isSameTemplate, maxReplicasOf, newestRevision, revisionOf } from './deployment-revisions.ts'

/** What is to be done for a deployment now. Most rollouts take several such steps. */
export interface DeploymentPlan {
  /** The set of the present template, if there is one. */
  readonly current: ReplicaSet | undefined
  /** All other sets, the oldest first. */
  readonly old: readonly ReplicaSet[]
  /** Create the set of the present template with so many replicas. */
  readonly create: { readonly replicas: number } | undefined
  readonly scale: readonly Scaling[]
  /** Sets beyond the history limit. */
  readonly delete: readonly ReplicaSet[]
  /** The revision that the present template has or will have; undefined where no set is made of it. */
  readonly revision: number | undefined
  /** Whether a rollout is under way, and not only a scaling: then the status tells of its progress. */
  readonly isRollout: boolean
}

export interface Scaling {
  readonly set: ReplicaSet
  readonly replicas: number
}

/** The next step of a rollout, a scaling or a clean-up. `pods` are those of all its sets. */
export function planDeployment(deployment: Deployment, sets: readonly ReplicaSet[], pods: readonly Pod[]): DeploymentPlan {
  const byCreation = [...sets].sort(byAge)
  const current = byCreation.find(set => isSameTemplate(set.spec.template, deployment.spec.template))
  const old = byCreation.filter(set => set !== current)
  const none: DeploymentPlan = { current, old, create: undefined, scale: [], delete: [], revision: undefined, isRollout: false }
  if (deployment.metadata.deletionTimestamp) return none
  const { paused = false, strategy } = deployment.spec
  if (paused) return { ...none, ...scaleOnly(deployment, current, old), delete: beyondHistory(deployment, old) }
  if (isScaled(deployment, sets)) return { ...none, ...scaleOnly(deployment, current, old) }
  const rollout = { ...none, revision: Math.max(newestRevision(old) + 1, current ? revisionOf(current) : 0), isRollout: true }
  const steps = strategy.type === 'Recreate' ? recreate(deployment, current, old, pods) : roll(deployment, current, old)
  const isIdle = !steps.create && !steps.scale?.length
  return { ...rollout, ...steps, delete: isIdle && isComplete(deployment) ? beyondHistory(deployment, old) : [] }
}

/** How far the number of pods may go above and below, in pods. Both being zero would allow no rollout: one pod may then be missing. */
export function rolloutBounds(deployment: Deployment): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const { replicas, strategy } = deployment.spec
  if (strategy.type !== 'RollingUpdate') return { maxSurge: 0, maxUnavailable: 0 }
  const maxSurge = scaledValue(strategy.rollingUpdate?.maxSurge ?? '25%', replicas, 'up')
  const maxUnavailable = scaledValue(strategy.rollingUpdate?.maxUnavailable ?? '25%', replicas, 'down')
  return maxSurge === 0 && maxUnavailable === 0
    ? { maxSurge, maxUnavailable: Math.min(1, replicas) }
    : { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) }
}

type Steps = Partial<Pick<DeploymentPlan, 'create' | 'scale' | 'revision'>>

/** Somebody changed `spec.replicas`: active sets still carry the former number in their annotation. */
function isScaled(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  if (deployment.spec.strategy.type === 'Recreate' && active(sets).length > 1) return false
  return active(sets).some(set => {
    const desired = desiredReplicasOf(set)
    return desired !== undefined && desired !== deployment.spec.replicas
  })
}

function roll(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[]): Steps {
  if (!current) return { create: { replicas: newReplicas(deployment, 0, total(old)) } }
  const { replicas } = deployment.spec
  const size = current.spec.replicas
  if (size > replicas) return { scale: [{ set: current, replicas }] }
  const next = newReplicas(deployment, size, total(old) + size)
  if (next !== size) return { scale: [{ set: current, replicas: next }] }
  return { scale: shrinkOld(deployment, current, old) }
}

/** How large the set of the present template may be while the others have what they have. */
function newReplicas(deployment: Deployment, size: number, allReplicas: number): number {
  const { replicas, strategy } = deployment.spec
  if (strategy.type !== 'RollingUpdate') return replicas
  const room = replicas + rolloutBounds(deployment).maxSurge - allReplicas
  return room <= 0 ? size : size + Math.min(room, replicas - size)
}

/** Old sets lose first what does not work anyway, then as many as may be missing. */
function shrinkOld(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Scaling[] {
  if (total(old) === 0) return []
  const minAvailable = deployment.spec.replicas - rolloutBounds(deployment).maxUnavailable
  const unavailableNew = current.spec.replicas - (current.status.availableReplicas ?? 0)
  const maxScaledDown = total(old) + current.spec.replicas - minAvailable - unavailableNew
  if (maxScaledDown <= 0) return []
  const sizes = new Map(old.map(set => [set, set.spec.replicas]))
  let unhealthy = maxScaledDown
  for (const set of old) {
    const sick = Math.min(unhealthy, set.spec.replicas - (set.status.availableReplicas ?? 0))
    if (sick <= 0) continue
    sizes.set(set, set.spec.replicas - sick)
    unhealthy -= sick
  }
  const available = [...old, current].reduce((sum, set) => sum + (set.status.availableReplicas ?? 0), 0)
  let spare = available - minAvailable
  for (const set of old) {
    const taken = Math.min(sizes.get(set)!, spare)
    if (taken <= 0) continue
    sizes.set(set, sizes.get(set)! - taken)
    spare -= taken
  }
  return changes(sizes)
}

/** All old pods go before the first new one comes. */
function recreate(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[], pods: readonly Pod[]): Steps {
  const { replicas } = deployment.spec
  const shrinking = active(old).map(set => ({ set, replicas: 0 }))
  if (shrinking.length > 0) return { scale: shrinking }
  const isOldPod = (pod: Pod) => !pod.metadata.ownerReferences?.some(({ uid }) => uid === current?.metadata.uid)
  const oldRuns = old.some(set => set.status.replicas > 0) || pods.some(pod => isOldPod(pod) && !isTerminal(pod))
  if (oldRuns) return current ? {} : { revision: undefined }
  if (!current) return { create: { replicas } }
  return current.spec.replicas === replicas ? {} : { scale: [{ set: current, replicas }] }
}

/** Brings the number of pods to `spec.replicas` without a rollout: several active sets share the difference in proportion. */
function scaleOnly(deployment: Deployment, current: ReplicaSet | undefined, old: readonly ReplicaSet[]): Pick<DeploymentPlan, 'scale'> {
  const { replicas, strategy } = deployment.spec
  const all = current ? [...old, current] : [...old]
  const running = active(all)
  if (running.length <= 1) {
    const only = running[0] ?? current ?? old.at(-1)
    return { scale: only && (only.spec.replicas !== replicas || desiredReplicasOf(only) !== replicas) ? [{ set: only, replicas }] : [] }
  }
  if (current && isSaturated(deployment, current)) {
    const rest = active(old).map(set => ({ set, replicas: 0 }))
    return { scale: desiredReplicasOf(current) === replicas ? rest : [...rest, { set: current, replicas }] }
  }
  return { scale: strategy.type === 'RollingUpdate' ? shareOut(deployment, running) : [] }
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const { replicas } = deployment.spec
  return set.spec.replicas === replicas && desiredReplicasOf(set) === replicas && (set.status.availableReplicas ?? 0) === replicas
}

/** Every active set gets its share of what is added or taken, the largest the remainder. All are returned: their annotations change too. */
function shareOut(deployment: Deployment, running: readonly ReplicaSet[]): Scaling[] {
  const { replicas } = deployment.spec
  const limit = replicas > 0 ? replicas + rolloutBounds(deployment).maxSurge : 0
  const toAdd = limit - total(running)
  const newestFirst = toAdd > 0 ? 1 : -1
  const sorted = [...running].sort((a, b) => b.spec.replicas - a.spec.replicas || newestFirst * byAge(b, a))
  let added = 0
  const sizes = sorted.map(set => {
    const share = shareOf(deployment, set, toAdd, added)
    added += share
    return set.spec.replicas + share
  })
  if (sizes.length > 0) sizes[0] = Math.max(0, sizes[0]! + toAdd - added)
  return sorted.map((set, index) => ({ set, replicas: sizes[index]! }))
}

function shareOf(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (set.spec.replicas === 0 || toAdd === 0 || toAdd === added) return 0
  const allowed = toAdd - added
  const fraction = fractionOf(deployment, set)
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed)
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const { replicas } = deployment.spec
  if (replicas === 0) return -set.spec.replicas
  const limit = replicas + rolloutBounds(deployment).maxSurge
  const former = maxReplicasOf(set) ?? deployment.status.replicas ?? 0
  return former === 0 ? 0 : Math.round((set.spec.replicas * limit) / former) - set.spec.replicas
}

function isComplete(deployment: Deployment): boolean {
  const { replicas } = deployment.spec
  const { updatedReplicas = 0, replicas: actual = 0, availableReplicas = 0, observedGeneration = 0 } = deployment.status
  return (
    updatedReplicas === replicas &&
    actual === replicas &&
    availableReplicas === replicas &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  )
}

/** Empty old sets, the lowest revisions first, as far as there are more than the history may hold. */
function beyondHistory(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const alive = old.filter(set => !set.metadata.deletionTimestamp)
  const excess = alive.length - deployment.spec.revisionHistoryLimit
  if (excess <= 0) return []
  return alive
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, excess)
    .filter(isEmpty)
}

const isEmpty = ({ spec, status, metadata }: ReplicaSet) =>
  spec.replicas === 0 && status.replicas === 0 && (metadata.generation ?? 0) <= (status.observedGeneration ?? 0)

function changes(sizes: ReadonlyMap<ReplicaSet, number>): Scaling[] {
  return [...sizes].filter(([set, replicas]) => set.spec.replicas !== replicas).map(([set, replicas]) => ({ set, replicas }))
}

const active = (sets: readonly ReplicaSet[]) => sets.filter(set => set.spec.replicas > 0)

const total = (sets: readonly ReplicaSet[]) => sets.reduce((sum, set) => sum + set.spec.replicas, 0)

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return first < second ? -1 : first > second ? 1 : (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}
