import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validatePodTemplate } from '../../core/v1/pod-template-spec.rules.ts'
import type { PodTemplateSpec } from '../../core/v1/pod-template-spec.ts'
import type { LabelSelector as Selector } from '../../meta/v1/label-selector.ts'
import { isEmptySelector, shownLabels, shownSelector, validateLabelSelector } from '../../meta/v1/rules.ts'

interface Workload {
  readonly selector?: Selector | undefined
  readonly template: PodTemplateSpec
}

/** Which pods a workload owns, and the pods that it makes: the ones must be among the others. `what` is its kind in messages. */
export function validateSelectorAndTemplate(
  { selector, template }: Workload,
  what: { readonly empty: string; readonly deadline: string },
  errors: FieldErrors,
): void {
  if (!selector) errors.at('selector').required()
  else {
    validateLabelSelector(selector, errors.at('selector'))
    if (isEmptySelector(selector)) errors.at('selector').invalid(selector, `empty selector is invalid for ${what.empty}`)
  }
  const compiled = compile(selector)
  if (!compiled) {
    errors.at('selector').invalid(shownSelector(selector), 'invalid label selector')
    return
  }
  validateTemplateMatches(compiled, template, errors.at('template'))
  validatePodTemplate(template, errors.at('template'))
  validateLongRunning(template, what.deadline, errors.at('template'))
}

/** Whether the labels of the pods are selected. */
export function validateTemplateMatches(selector: LabelSelector, { metadata }: PodTemplateSpec, errors: FieldErrors): void {
  if (selector.isEverything || selector.matches(metadata.labels)) return
  errors.at('metadata').at('labels').invalid(shownLabels(metadata.labels), '`selector` does not match template `labels`')
}

/** Pods that are replaced when they end must restart, and can't have a deadline. */
export function validateLongRunning({ spec }: PodTemplateSpec, what: string, errors: FieldErrors): void {
  const at = errors.at('spec')
  if (spec.restartPolicy !== 'Always') at.at('restartPolicy').notSupported(spec.restartPolicy, ['Always'])
  if (spec.activeDeadlineSeconds !== undefined) {
    at.at('activeDeadlineSeconds').forbidden(`activeDeadlineSeconds in ${what} is not Supported`)
  }
}

/** The selector, ready to match; undefined if it breaks a rule. */
export function compile(selector: Selector | undefined): LabelSelector | undefined {
  try {
    return LabelSelector.ofObject(selector)
  } catch {
    return undefined
  }
}
