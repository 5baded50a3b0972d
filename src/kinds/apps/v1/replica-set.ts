import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  defaulted,
  embedded,
  int32,
  int64,
  listMap,
  message,
  needed,
  omitempty,
  optional,
  required,
  type StoredOf,
} from '#machinery/schema/schema.ts'
import { gatedPodFields } from '../../core/v1/gated-pod-fields.ts'
import { PodTemplateSpec } from '../../core/v1/pod-template-spec.ts'
import { ageColumn, containerColumns, nameColumn, selectorText } from '../../meta/v1/columns.ts'
import { conditionFields } from '../../meta/v1/condition-fields.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { validateImmutable, validateNonNegative } from '../../meta/v1/rules.ts'
import { scaleSubresource, statusSubresource } from '../../meta/v1/subresources.ts'
import { templateWarnings } from './deployment.rules.ts'
import { validateReplicaCounts } from './replica-counts.rules.ts'
import { validateSelectorAndTemplate } from './workload.rules.ts'

export const ReplicaSetSpec = message('io.k8s.api.apps.v1.ReplicaSetSpec', {
  replicas: defaulted(1, int32, 1, 'How many pods there should be.'),
  minReadySeconds: omitempty(4, int32, 'How long a pod must be ready before it counts as available.'),
  selector: needed(2, LabelSelector, 'Which pods are its own; they must match the template.'),
  template: embedded(3, PodTemplateSpec, 'What its pods look like.'),
})
export interface ReplicaSetSpec extends StoredOf<typeof ReplicaSetSpec> {}

export const ReplicaSetCondition = message('io.k8s.api.apps.v1.ReplicaSetCondition', conditionFields)
export interface ReplicaSetCondition extends StoredOf<typeof ReplicaSetCondition> {}

export const ReplicaSetStatus = message('io.k8s.api.apps.v1.ReplicaSetStatus', {
  replicas: required(1, int32, 'How many pods there are.'),
  fullyLabeledReplicas: omitempty(2, int32, 'How many pods carry all labels of the template.'),
  readyReplicas: omitempty(4, int32, 'How many pods are ready.'),
  availableReplicas: omitempty(5, int32, 'How many pods have been ready for long enough.'),
  terminatingReplicas: optional(7, int32, 'How many pods are on their way out.'),
  observedGeneration: omitempty(3, int64, 'The generation of the spec that this status answers to.'),
  conditions: omitempty(
    6,
    listMap(ReplicaSetCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface ReplicaSetStatus extends StoredOf<typeof ReplicaSetStatus> {}

export interface ReplicaSet extends ObjectWith<{ spec: ReplicaSetSpec; status: ReplicaSetStatus }> {}

export const ReplicaSet = defineKind({
  documentation: 'Keeps a number of equal pods running.',
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  shortNames: ['rs'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  generation: true,
  spec: ReplicaSetSpec,
  status: ReplicaSetStatus,
  columns: [
    nameColumn,
    {
      name: 'Desired',
      description:
        'Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset',
      type: 'integer',
      of: ({ spec }) => spec.replicas,
    },
    {
      name: 'Current',
      description:
        'Replicas is the most recently observed number of non-terminating pods. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset',
      type: 'integer',
      of: ({ status }) => status.replicas,
    },
    {
      name: 'Ready',
      description: 'The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.',
      type: 'integer',
      of: ({ status }) => status.readyReplicas ?? 0,
    },
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec.template.spec.containers),
    {
      name: 'Selector',
      description:
        "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
      priority: 1,
      of: ({ spec }) => selectorText(spec.selector),
    },
  ],
  gatedFields: [
    { gate: 'DeploymentReplicaSetTerminatingReplicas', path: 'status.terminatingReplicas' },
    ...gatedPodFields('spec.template.spec'),
  ],
  prepareCreate(replicaSet) {
    replicaSet.status = { replicas: 0 }
  },
  validate({ spec }, errors) {
    const at = errors.at('spec')
    validateNonNegative(spec.replicas, at.at('replicas'))
    validateNonNegative(spec.minReadySeconds, at.at('minReadySeconds'))
    validateSelectorAndTemplate(spec, { empty: 'deployment', deadline: 'ReplicaSet' }, at)
  },
  validateUpdate({ spec, status }, old, errors, subresource) {
    if (subresource === 'status') validateReplicaCounts(status, errors.at('status'))
    else validateImmutable(spec.selector, old.spec.selector, errors.at('spec').at('selector'))
  },
  warnings: ({ spec }, old) => (old && equal(old.spec.template, spec.template) ? [] : templateWarnings(spec)),
  selectableFields: { 'status.replicas': ({ status }) => `${status.replicas}` },
})
