import type { Deployment, DeploymentCondition, DeploymentStatus } from '#kinds/apps/v1/deployment.ts'
import type { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { timeOf } from '#machinery/time/time.ts'
import { type DeploymentPlan, rolloutBounds } from './deployment.plan.ts'

/** The status of a deployment, and when it must be looked at again because its deadline passes. */
export interface StatusOutcome {
  readonly status: DeploymentStatus
  readonly againMs: number | undefined
}

/** What the status says after a step. `failure` is why the set of the present template could not be created. */
export function statusOf(deployment: Deployment, plan: DeploymentPlan, failure: string | undefined, now: number): StatusOutcome {
  const sets = plan.current ? [...plan.old, plan.current] : plan.old
  const counts = countsOf(deployment, plan.current, sets)
  const conditions = new Conditions(deployment.status.conditions ?? [], now)
  const { maxUnavailable } = rolloutBounds(deployment)
  if ((counts.availableReplicas ?? 0) >= deployment.spec.replicas - maxUnavailable)
    conditions.set('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
  else conditions.set('Available', 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.')
  notePause(deployment, conditions)
  let againMs: number | undefined
  if (plan.isRollout) {
    againMs = noteProgress(deployment, plan, counts, failure, conditions, now)
    noteFailures(sets, plan.current, failure, conditions)
  }
  return { status: { ...counts, conditions: conditions.all }, againMs }
}

function countsOf(deployment: Deployment, current: ReplicaSet | undefined, sets: readonly ReplicaSet[]): DeploymentStatus {
  const sum = (of: (set: ReplicaSet) => number | undefined) => sets.reduce((total, set) => total + (of(set) ?? 0), 0)
  const availableReplicas = sum(({ status }) => status.availableReplicas)
  return {
    observedGeneration: deployment.metadata.generation,
    replicas: sum(({ status }) => status.replicas),
    updatedReplicas: current?.status.replicas ?? 0,
    readyReplicas: sum(({ status }) => status.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(({ spec }) => spec.replicas) - availableReplicas),
    terminatingReplicas: sum(({ status }) => status.terminatingReplicas),
    collisionCount: deployment.status.collisionCount,
  }
}

/** A deadline must not run while the rollout is paused. */
function notePause(deployment: Deployment, conditions: Conditions): void {
  if (!hasDeadline(deployment)) return
  const progressing = conditions.get('Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') return
  const isNoted = progressing?.reason === 'DeploymentPaused'
  const { paused = false } = deployment.spec
  if (paused && !isNoted) conditions.set('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused')
  else if (!paused && isNoted) conditions.set('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed')
}

function noteProgress(
  deployment: Deployment,
  plan: DeploymentPlan,
  counts: DeploymentStatus,
  failure: string | undefined,
  conditions: Conditions,
  now: number,
): number | undefined {
  if (!hasDeadline(deployment)) {
    conditions.remove('Progressing')
    return undefined
  }
  const subject = plan.current ? `ReplicaSet "${plan.current.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  const present = conditions.get('Progressing')
  if (failure !== undefined) conditions.set('Progressing', 'False', 'ReplicaSetCreateError', failure)
  else if (plan.create) conditions.set('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "${createdName(plan)}"`)
  else if (!present && plan.current)
    conditions.set('Progressing', 'True', 'FoundNewReplicaSet', `Found new replica set "${plan.current.metadata.name}"`)
  const isDone = counts.replicas === counts.updatedReplicas && present?.reason === 'NewReplicaSetAvailable'
  if (isDone) return undefined
  if (isComplete(deployment, counts)) {
    conditions.set('Progressing', 'True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`)
    return undefined
  }
  if (hasProgressed(deployment.status, counts)) conditions.renew('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`)
  const condition = conditions.get('Progressing')
  if (!condition || condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'ProgressDeadlineExceeded') return undefined
  const deadline = Date.parse(condition.lastUpdateTime ?? '') + deployment.spec.progressDeadlineSeconds * 1000
  // A deadline that has just passed is noticed a second later, as times are kept in whole seconds.
  if (now <= deadline) return deadline - now + 1000
  conditions.set('Progressing', 'False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`)
  return undefined
}

function createdName(plan: DeploymentPlan): string {
  return plan.current?.metadata.name ?? ''
}

/** Why pods cannot be created, from whichever set says so. */
function noteFailures(
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
  failure: string | undefined,
  conditions: Conditions,
): void {
  const failureOf = (set: ReplicaSet | undefined) => set?.status.conditions?.find(({ type }) => type === 'ReplicaFailure')
  const found = failureOf(current) ?? sets.map(failureOf).find(condition => condition !== undefined)
  if (found) conditions.set('ReplicaFailure', found.status, found.reason ?? '', found.message ?? '')
  else if (failure === undefined) conditions.remove('ReplicaFailure')
}

/** A deadline of the largest number means none. */
function hasDeadline(deployment: Deployment): boolean {
  return deployment.spec.progressDeadlineSeconds < 2 ** 31 - 1
}

function isComplete(
  deployment: Deployment,
  { updatedReplicas, replicas, availableReplicas, observedGeneration = 0 }: DeploymentStatus,
): boolean {
  const wanted = deployment.spec.replicas
  return (
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted &&
    observedGeneration >= (deployment.metadata.generation ?? 0)
  )
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

/** Conditions of a deployment: one that says the same keeps its times. */
class Conditions {
  #conditions: readonly DeploymentCondition[]
  readonly #now: string

  constructor(conditions: readonly DeploymentCondition[], now: number) {
    this.#conditions = conditions
    this.#now = timeOf(now)
  }

  get all(): readonly DeploymentCondition[] {
    return this.#conditions
  }

  get(type: string): DeploymentCondition | undefined {
    return this.#conditions.find(condition => condition.type === type)
  }

  remove(type: string): void {
    this.#conditions = this.#conditions.filter(condition => condition.type !== type)
  }

  set(type: string, status: DeploymentCondition['status'], reason: string, message: string): void {
    const present = this.get(type)
    if (present?.status === status && present.reason === reason) return
    this.renew(type, status, reason, message)
  }

  /** As {@link set}, but notes the time even if nothing else changed. */
  renew(type: string, status: DeploymentCondition['status'], reason: string, message: string): void {
    const present = this.get(type)
    const lastTransitionTime = present?.status === status ? present.lastTransitionTime : this.#now
    const next = { type, status, lastUpdateTime: this.#now, lastTransitionTime, reason, message }
    this.#conditions = [...this.#conditions.filter(condition => condition.type !== type), next]
  }
}
