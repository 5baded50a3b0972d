import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { podWarnings } from '../../core/v1/pod.warnings.ts'
import { isNone, validateAtMostWhole, validateCountOrPercent, validateImmutable, validateNonNegative } from '../../meta/v1/rules.ts'
import type { Deployment, DeploymentSpec, DeploymentStatus, DeploymentStrategy } from './deployment.ts'
import { validateSelectorAndTemplate } from './workload.rules.ts'

export function validateDeployment({ spec }: Deployment, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateNonNegative(spec.replicas, at.at('replicas'))
  validateSelectorAndTemplate(spec, { empty: 'deployment', deadline: 'ReplicaSet' }, at)
  validateStrategy(spec.strategy, at.at('strategy'))
  validateNonNegative(spec.minReadySeconds, at.at('minReadySeconds'))
  validateNonNegative(spec.revisionHistoryLimit, at.at('revisionHistoryLimit'))
  validateProgressDeadline(spec, at.at('progressDeadlineSeconds'))
}

function validateProgressDeadline({ progressDeadlineSeconds, minReadySeconds = 0 }: DeploymentSpec, errors: FieldErrors): void {
  validateNonNegative(progressDeadlineSeconds, errors)
  if (progressDeadlineSeconds <= minReadySeconds) errors.invalid(progressDeadlineSeconds, 'must be greater than minReadySeconds')
}

function validateStrategy({ type, rollingUpdate }: DeploymentStrategy, errors: FieldErrors): void {
  const at = errors.at('rollingUpdate')
  if (type === 'Recreate') {
    if (rollingUpdate) at.forbidden("may not be specified when strategy `type` is 'Recreate'")
  } else if (type !== 'RollingUpdate') {
    errors.notSupported({ Type: type, RollingUpdate: rollingUpdate ?? null }, ['Recreate', 'RollingUpdate'])
  } else if (!rollingUpdate) at.required('this should be defaulted and never be nil')
  else {
    const { maxUnavailable, maxSurge } = rollingUpdate
    validateCountOrPercent(maxUnavailable, at.at('maxUnavailable'))
    validateCountOrPercent(maxSurge, at.at('maxSurge'))
    if (isNone(maxUnavailable) && isNone(maxSurge)) at.at('maxUnavailable').invalid(maxUnavailable, 'may not be 0 when `maxSurge` is 0')
    validateAtMostWhole(maxUnavailable, at.at('maxUnavailable'))
  }
}

export function validateDeploymentUpdate(deployment: Deployment, old: Deployment, errors: FieldErrors, subresource: string): void {
  if (subresource === 'status') validateStatus(deployment.status, old.status, errors.at('status'))
  else validateImmutable(deployment.spec.selector, old.spec.selector, errors.at('spec').at('selector'))
}

function validateStatus(status: DeploymentStatus, old: DeploymentStatus, errors: FieldErrors): void {
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, updatedReplicas = 0, collisionCount } = status
  for (const name of COUNTS) validateNonNegative(status[name], errors.at(name))
  if (updatedReplicas > replicas) errors.at('updatedReplicas').invalid(updatedReplicas, 'cannot be greater than status.replicas')
  if (readyReplicas > replicas) errors.at('readyReplicas').invalid(readyReplicas, 'cannot be greater than status.replicas')
  if (availableReplicas > replicas) errors.at('availableReplicas').invalid(availableReplicas, 'cannot be greater than status.replicas')
  if (availableReplicas > readyReplicas) errors.at('availableReplicas').invalid(availableReplicas, 'cannot be greater than readyReplicas')
  if (old.collisionCount !== undefined && (collisionCount ?? -1) < old.collisionCount) {
    errors.at('collisionCount').invalid(collisionCount ?? null, 'cannot be decremented')
  }
}

const COUNTS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount',
] as const

/** Warnings of a workload are those of its pods. */
export function templateWarnings({ template }: Pick<DeploymentSpec, 'template'>, path = 'spec.template.'): string[] {
  return podWarnings(template, path, false)
}
