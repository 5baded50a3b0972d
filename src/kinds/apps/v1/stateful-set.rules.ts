import { draft, equal } from '#machinery/kind/draft.ts'
import { isDNS1123Label } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validatePodTemplate } from '../../core/v1/pod-template-spec.rules.ts'
import {
  internal,
  isEmptySelector,
  isNone,
  validateAtMostWhole,
  validateCountOrPercent,
  validateLabelSelector,
  validateNonNegative,
  validateWord,
} from '../../meta/v1/rules.ts'
import type { StatefulSet, StatefulSetSpec, StatefulSetStatus } from './stateful-set.ts'
import { compile, validateLongRunning, validateTemplateMatches } from './workload.rules.ts'

export function validateStatefulSet({ spec }: StatefulSet, errors: FieldErrors): void {
  const at = errors.at('spec')
  const { podManagementPolicy } = spec
  if (podManagementPolicy !== 'OrderedReady' && podManagementPolicy !== 'Parallel') {
    at.at('podManagementPolicy').invalid(podManagementPolicy, "must be 'OrderedReady' or 'Parallel'")
  }
  validateStrategy(spec, at.at('updateStrategy'))
  const retention = at.at('persistentVolumeClaimRetentionPolicy')
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    validateWord(spec.persistentVolumeClaimRetentionPolicy[name], ['Retain', 'Delete'], retention.at(name))
  }
  validateNonNegative(spec.replicas, at.at('replicas'))
  validateNonNegative(spec.minReadySeconds, at.at('minReadySeconds'))
  validateNonNegative(spec.revisionHistoryLimit, at.at('revisionHistoryLimit'))
  validateNonNegative(spec.ordinals?.start, at.at('ordinals').at('start'))
  if (!spec.selector) at.at('selector').required()
  else {
    validateLabelSelector(spec.selector, at.at('selector'))
    if (isEmptySelector(spec.selector)) at.at('selector').invalid(spec.selector, 'empty selector is invalid for statefulset')
  }
  const selector = compile(spec.selector)
  if (!selector) at.at('selector').invalid(spec.selector, '')
  else {
    validateTemplateMatches(selector, spec.template, at.at('template'))
    validatePodTemplate(spec.template, at.at('template'))
  }
  validateLongRunning(spec.template, 'StatefulSet', at.at('template'))
}

/** What holds of new sets only. */
export function validateNewStatefulSet({ spec }: StatefulSet, errors: FieldErrors): void {
  if (spec.serviceName) errors.at('spec').at('serviceName').invalidEach(spec.serviceName, isDNS1123Label(spec.serviceName))
}

function validateStrategy({ updateStrategy: { type, rollingUpdate }, updateStrategy }: StatefulSetSpec, errors: FieldErrors): void {
  const at = errors.at('rollingUpdate')
  if (type === 'OnDelete') {
    if (rollingUpdate) at.invalid(internal(rollingUpdate), "only allowed for updateStrategy 'RollingUpdate'")
  } else if (type !== 'RollingUpdate') errors.invalid(internal(updateStrategy), "must be 'RollingUpdate' or 'OnDelete'")
  else if (rollingUpdate) {
    validateNonNegative(rollingUpdate.partition, at.at('partition'))
    const { maxUnavailable } = rollingUpdate
    if (maxUnavailable === undefined) return
    validateCountOrPercent(maxUnavailable, at.at('maxUnavailable'))
    if (isNone(maxUnavailable)) at.at('maxUnavailable').invalid(maxUnavailable, 'cannot be 0')
    validateAtMostWhole(maxUnavailable, at.at('maxUnavailable'))
  }
}

const FORBIDDEN =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
const CHANGEABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]

export function validateStatefulSetUpdate(set: StatefulSet, old: StatefulSet, errors: FieldErrors, subresource: string): void {
  if (subresource === 'status') {
    validateStatus(set.status, old.status, errors.at('status'))
    return
  }
  if (!equal(fixedPart(set.spec), fixedPart(old.spec))) errors.at('spec').forbidden(FORBIDDEN)
}

function fixedPart(spec: StatefulSetSpec): object {
  const fixed: Record<string, unknown> = draft({ ...spec })
  for (const name of CHANGEABLE) delete fixed[name]
  return fixed
}

function validateStatus(status: StatefulSetStatus, old: StatefulSetStatus, errors: FieldErrors): void {
  for (const name of COUNTS) validateNonNegative(status[name], errors.at(name))
  const tooMany = 'cannot be greater than status.replicas'
  for (const name of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    if ((status[name] ?? 0) > status.replicas) errors.at(name).invalid(status[name], tooMany)
  }
  const { availableReplicas, readyReplicas = 0, collisionCount } = status
  if (availableReplicas > readyReplicas)
    errors.at('availableReplicas').invalid(availableReplicas, 'cannot be greater than status.readyReplicas')
  if (old.collisionCount !== undefined && (collisionCount ?? -1) < old.collisionCount) {
    errors.at('collisionCount').invalid(collisionCount ?? null, 'cannot be decremented')
  }
}

const COUNTS = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
] as const
