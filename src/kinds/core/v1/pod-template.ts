import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { embedded } from '#machinery/schema/schema.ts'
import { containerColumns, labelsText, nameColumn } from '../../meta/v1/columns.ts'
import { gatedPodFields } from './gated-pod-fields.ts'
import { podWarnings } from './pod.warnings.ts'
import { validatePodTemplate } from './pod-template-spec.rules.ts'
import { PodTemplateSpec } from './pod-template-spec.ts'

const fields = {
  template: embedded(2, PodTemplateSpec, 'The pod that is described.'),
}

export interface PodTemplate extends ObjectOfFields<typeof fields> {}

export const PodTemplate = defineKind({
  documentation: 'A template for pods.',
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  deleteReturnsObject: true,
  generation: true,
  fields,
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>(({ template }) => template.spec.containers, 0),
    { name: 'Pod Labels', description: 'The labels for the pod template.', of: ({ template }) => labelsText(template.metadata.labels) },
  ],
  gatedFields: gatedPodFields('template.spec'),
  validate: ({ template }, errors) => validatePodTemplate(template, errors.at('template')),
  warnings: ({ template }, old) => (old && equal(old.template, template) ? [] : podWarnings(template, 'template.', false)),
})
