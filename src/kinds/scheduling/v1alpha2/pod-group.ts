import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, int32, listMap, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { conditions } from '../../meta/v1/conditions.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import {
  byName,
  PodGroupResourceClaim,
  PodGroupSchedulingConstraints,
  PodGroupSchedulingPolicy,
  validateSchedulingPolicy,
} from './scheduling-policy.ts'

const PACKAGE = 'io.k8s.api.scheduling.v1alpha2'

const WorkloadPodGroupTemplateReference = message(`${PACKAGE}.WorkloadPodGroupTemplateReference`, {
  workloadName: required(1, string, 'The workload.'),
  podGroupTemplateName: required(2, string, 'The template in it.'),
})

const PodGroupTemplateReference = message(`${PACKAGE}.PodGroupTemplateReference`, {
  workload: optional(1, WorkloadPodGroupTemplateReference, 'A template of a workload.'),
})

const PodGroupResourceClaimStatus = message(`${PACKAGE}.PodGroupResourceClaimStatus`, {
  name: required(1, string, 'How pods call it.'),
  resourceClaimName: optional(2, string, 'The claim that was made.'),
})

export const PodGroupSpec = message(`${PACKAGE}.PodGroupSpec`, {
  podGroupTemplateRef: optional(1, PodGroupTemplateReference, 'From which template it was made.'),
  schedulingPolicy: required(2, PodGroupSchedulingPolicy, 'How its pods find nodes.'),
  schedulingConstraints: optional(3, PodGroupSchedulingConstraints, 'Where its pods may be.'),
  resourceClaims: omitempty(4, listMap(PodGroupResourceClaim, ['name'], byName), 'Devices that its pods share.'),
  disruptionMode: defaulted(5, string, 'Pod', 'Whether its pods are preempted one by one or together.'),
  priorityClassName: omitempty(6, string, 'The class of its priority.'),
  priority: optional(7, int32, 'Its priority.'),
})
export interface PodGroupSpec extends StoredOf<typeof PodGroupSpec> {}

export const PodGroupStatus = message(`${PACKAGE}.PodGroupStatus`, {
  conditions: omitempty(1, conditions, 'What holds of the object right now, one entry per aspect.'),
  resourceClaimStatuses: omitempty(2, listMap(PodGroupResourceClaimStatus, ['name'], byName), 'The claims that were made.'),
})
export interface PodGroupStatus extends StoredOf<typeof PodGroupStatus> {}

export interface PodGroup extends ObjectWith<{ spec: PodGroupSpec; status: PodGroupStatus }> {}

export const PodGroup = defineKind({
  documentation: 'Pods that belong together.',
  group: 'scheduling.k8s.io',
  version: 'v1alpha2',
  kind: 'PodGroup',
  plural: 'podgroups',
  scope: 'Namespaced',
  openapi: PACKAGE,
  subresources: [statusSubresource],
  status: PodGroupStatus,
  fields: { spec: required(2, PodGroupSpec, 'What the group is to be.') },
  columns: [
    nameColumn,
    { name: 'Policy', description: 'How its pods find nodes.', of: ({ spec }) => (spec.schedulingPolicy.gang ? 'Gang' : 'Basic') },
    ageColumn,
  ],
  gatedFields: [
    { gate: 'TopologyAwareWorkloadScheduling', path: 'spec.schedulingConstraints' },
    { gate: 'DRAWorkloadResourceClaims', path: 'spec.resourceClaims' },
    { gate: 'DRAWorkloadResourceClaims', path: 'status.resourceClaimStatuses' },
  ],
  prepareCreate(group) {
    group.status = {}
  },
  validate: ({ spec }, errors) => validateSchedulingPolicy(spec.schedulingPolicy, errors.at('spec').at('schedulingPolicy')),
  validateUpdate({ spec }, old, errors, subresource) {
    if (subresource === '') validateImmutable(spec, old.spec, errors.at('spec'))
  },
})
