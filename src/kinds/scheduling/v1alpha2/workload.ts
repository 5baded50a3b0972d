import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isDNS1123Label, isDNS1123Subdomain, isPathSegmentName } from '#machinery/meta/names.ts'
import { int32, listMap, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import {
  byName,
  PodGroupResourceClaim,
  PodGroupSchedulingConstraints,
  PodGroupSchedulingPolicy,
  validateSchedulingPolicy,
} from './scheduling-policy.ts'

const PACKAGE = 'io.k8s.api.scheduling.v1alpha2'
const MAX_TEMPLATES = 8

export const TypedLocalObjectReference = message(`${PACKAGE}.TypedLocalObjectReference`, {
  apiGroup: omitempty(1, string, 'The group of its kind; none is the core group.'),
  kind: required(2, string, 'Its kind.'),
  name: required(3, string, 'Its name.'),
})
export interface TypedLocalObjectReference extends StoredOf<typeof TypedLocalObjectReference> {}

export const PodGroupTemplate = message(`${PACKAGE}.PodGroupTemplate`, {
  name: required(1, string, 'The name of the template in its workload.'),
  schedulingPolicy: required(2, PodGroupSchedulingPolicy, 'How the pods of a group find nodes.'),
  schedulingConstraints: optional(3, PodGroupSchedulingConstraints, 'Where the pods of a group may be.'),
  resourceClaims: omitempty(4, listMap(PodGroupResourceClaim, ['name'], byName), 'Devices that the pods of a group share.'),
  disruptionMode: optional(5, string, 'Whether the pods of a group are preempted one by one or together.'),
  priorityClassName: omitempty(6, string, 'The class of the priority of a group.'),
  priority: optional(7, int32, 'The priority of a group.'),
})
export interface PodGroupTemplate extends StoredOf<typeof PodGroupTemplate> {}

export const WorkloadSpec = message(`${PACKAGE}.WorkloadSpec`, {
  controllerRef: optional(1, TypedLocalObjectReference, 'What makes the pods.'),
  podGroupTemplates: required(2, listMap(PodGroupTemplate, ['name']), 'The kinds of groups that its pods form.'),
})
export interface WorkloadSpec extends StoredOf<typeof WorkloadSpec> {}

export interface Workload extends ObjectWith<{ spec: WorkloadSpec }> {}

export const Workload = defineKind({
  documentation: 'How the pods of one controller are scheduled together.',
  group: 'scheduling.k8s.io',
  version: 'v1alpha2',
  kind: 'Workload',
  plural: 'workloads',
  scope: 'Namespaced',
  openapi: PACKAGE,
  fields: { spec: required(2, WorkloadSpec, 'What the workload is to be.') },
  columns: [nameColumn, ageColumn],
  gatedFields: [
    { gate: 'TopologyAwareWorkloadScheduling', path: 'spec.podGroupTemplates[].schedulingConstraints' },
    { gate: 'DRAWorkloadResourceClaims', path: 'spec.podGroupTemplates[].resourceClaims' },
  ],
  validateCreate: ({ spec }, errors) => validateWorkload(spec, errors.at('spec')),
  validateUpdate({ spec }, old, errors) {
    const at = errors.at('spec')
    if (old.spec.controllerRef) validateImmutable(spec.controllerRef, old.spec.controllerRef, at.at('controllerRef'))
    else validateReference(spec.controllerRef, at.at('controllerRef'))
    validateImmutable(spec.podGroupTemplates, old.spec.podGroupTemplates, at.at('podGroupTemplates'))
  },
})

function validateWorkload({ controllerRef, podGroupTemplates: templates }: WorkloadSpec, errors: FieldErrors): void {
  validateReference(controllerRef, errors.at('controllerRef'))
  const at = errors.at('podGroupTemplates')
  if (templates.length === 0) at.required('must have at least one item')
  else if (templates.length > MAX_TEMPLATES) at.tooMany(templates.length, MAX_TEMPLATES)
  else {
    templates.forEach((template, index) => {
      validateTemplate(template, at.index(index))
      if (templates.findIndex(({ name }) => name === template.name) < index) at.index(index).duplicate({ name: template.name })
    })
  }
}

function validateReference(reference: TypedLocalObjectReference | undefined, errors: FieldErrors): void {
  if (!reference) return
  const { apiGroup = '', kind, name } = reference
  if (apiGroup !== '') errors.at('apiGroup').invalidEach(apiGroup, isDNS1123Subdomain(apiGroup))
  for (const [field, value] of Object.entries({ kind, name })) {
    if (value === '') errors.at(field).required()
    else errors.at(field).invalidEach(value, isPathSegmentName(value))
  }
}

function validateTemplate({ name, schedulingPolicy }: PodGroupTemplate, errors: FieldErrors): void {
  if (name === '') errors.at('name').required()
  else errors.at('name').invalidEach(name, isDNS1123Label(name))
  validateSchedulingPolicy(schedulingPolicy, errors.at('schedulingPolicy'))
}
