import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validatePodTemplate } from '../../core/v1/pod-template-spec.rules.ts'
import {
  isEmptySelector,
  isNone,
  validateAtMostWhole,
  validateCountOrPercent,
  validateImmutable,
  validateLabelSelector,
  validateNonNegative,
} from '../../meta/v1/rules.ts'
import type { DaemonSet, DaemonSetUpdateStrategy } from './daemon-set.ts'
import { compile, validateLongRunning, validateTemplateMatches } from './workload.rules.ts'

export function validateDaemonSet({ spec }: DaemonSet, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateLabelSelector(spec.selector, at.at('selector'))
  const selector = compile(spec.selector)
  if (selector) validateTemplateMatches(selector, spec.template, at.at('template'))
  if (spec.selector && isEmptySelector(spec.selector)) at.at('selector').invalid(spec.selector, 'empty selector is invalid for daemonset')
  validatePodTemplate(spec.template, at.at('template'))
  validateLongRunning(spec.template, 'DaemonSet', at.at('template'))
  validateNonNegative(spec.minReadySeconds, at.at('minReadySeconds'))
  validateStrategy(spec.updateStrategy, at.at('updateStrategy'))
  validateNonNegative(spec.revisionHistoryLimit, at.at('revisionHistoryLimit'))
}

function validateStrategy({ type, rollingUpdate }: DaemonSetUpdateStrategy, errors: FieldErrors): void {
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate') {
    errors.notSupported({ Type: type, RollingUpdate: rollingUpdate ?? null }, ['RollingUpdate', 'OnDelete'])
    return
  }
  const at = errors.at('rollingUpdate')
  if (!rollingUpdate) {
    at.required()
    return
  }
  const { maxUnavailable, maxSurge } = rollingUpdate
  validateCountOrPercent(maxUnavailable, at.at('maxUnavailable'))
  validateCountOrPercent(maxSurge, at.at('maxSurge'))
  validateAtMostWhole(maxUnavailable, at.at('maxUnavailable'))
  validateAtMostWhole(maxSurge, at.at('maxSurge'))
  if (!isNone(maxUnavailable) && !isNone(maxSurge)) at.at('maxSurge').invalid(maxSurge, 'may not be set when maxUnavailable is non-zero')
  if (isNone(maxUnavailable) && isNone(maxSurge)) at.at('maxUnavailable').required('cannot be 0 when maxSurge is 0')
}

export function validateDaemonSetUpdate(daemonSet: DaemonSet, old: DaemonSet, errors: FieldErrors, subresource: string): void {
  if (subresource !== 'status') {
    validateImmutable(daemonSet.spec.selector, old.spec.selector, errors.at('spec').at('selector'))
    return
  }
  for (const name of COUNTS) validateNonNegative(daemonSet.status[name], errors.at('status').at(name))
}

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
] as const
