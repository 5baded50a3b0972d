import { validateAnnotations, validateLabels } from '#machinery/meta/validate-object-meta.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validatePodAnnotations, validateProfileAnnotations } from './pod-annotations.rules.ts'
import { validatePodSpec } from './pod-spec.rules.ts'
import type { PodTemplateSpec } from './pod-template-spec.ts'

/** The pods that a workload makes. */
export function validatePodTemplate(template: PodTemplateSpec, errors: FieldErrors): void {
  const { metadata, spec } = template
  validateLabels(metadata.labels, errors.at('labels'))
  validateAnnotations(metadata.annotations, errors.at('annotations'))
  validatePodAnnotations(metadata.annotations, spec, errors.at('annotations'))
  validatePodSpec(spec, undefined, errors.at('spec'))
  validateProfileAnnotations(metadata.annotations, spec, errors.at('spec'))
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.at('spec').at('ephemeralContainers').forbidden('ephemeral containers not allowed in pod template')
  }
}
