import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  atomicMap,
  defaulted,
  int32,
  int64,
  listMap,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { validateReplicaCounts } from '../../apps/v1/replica-counts.rules.ts'
import { validateLongRunning, validateTemplateMatches } from '../../apps/v1/workload.rules.ts'
import { ageColumn, containerColumns, labelsText, nameColumn } from '../../meta/v1/columns.ts'
import { conditionFields } from '../../meta/v1/condition-fields.ts'
import { validateNonNegative } from '../../meta/v1/rules.ts'
import { scaleSubresource, statusSubresource } from '../../meta/v1/subresources.ts'
import { gatedPodFields } from './gated-pod-fields.ts'
import { podWarnings } from './pod.warnings.ts'
import { validatePodTemplate } from './pod-template-spec.rules.ts'
import { PodTemplateSpec } from './pod-template-spec.ts'

export const ReplicationControllerSpec = message('io.k8s.api.core.v1.ReplicationControllerSpec', {
  replicas: defaulted(1, int32, 1, 'How many pods there should be.'),
  minReadySeconds: omitempty(4, int32, 'How long a pod must be ready before it counts as available.'),
  selector: omitempty(2, atomicMap(string), 'Labels of the pods that are its own.'),
  template: optional(3, PodTemplateSpec, 'What its pods look like.'),
})
export interface ReplicationControllerSpec extends StoredOf<typeof ReplicationControllerSpec> {}

export const ReplicationControllerCondition = message('io.k8s.api.core.v1.ReplicationControllerCondition', conditionFields)
export interface ReplicationControllerCondition extends StoredOf<typeof ReplicationControllerCondition> {}

export const ReplicationControllerStatus = message('io.k8s.api.core.v1.ReplicationControllerStatus', {
  replicas: required(1, int32, 'How many pods there are.'),
  fullyLabeledReplicas: omitempty(2, int32, 'How many pods carry all labels of the template.'),
  readyReplicas: omitempty(4, int32, 'How many pods are ready.'),
  availableReplicas: omitempty(5, int32, 'How many pods have been ready for long enough.'),
  observedGeneration: omitempty(3, int64, 'The generation of the spec that this status answers to.'),
  conditions: omitempty(
    6,
    listMap(ReplicationControllerCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface ReplicationControllerStatus extends StoredOf<typeof ReplicationControllerStatus> {}

export interface ReplicationController extends ObjectWith<{ spec: ReplicationControllerSpec; status: ReplicationControllerStatus }> {}

export const ReplicationController = defineKind({
  documentation: 'Keeps a number of pods running; the forerunner of the replica set.',
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['rc'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  generation: true,
  defaultPropagation: 'Orphan',
  storagePrefix: 'controllers',
  spec: ReplicationControllerSpec,
  status: ReplicationControllerStatus,
  applyDefaults({ metadata, spec }) {
    const labels = spec.template?.metadata.labels
    if (!labels) return
    spec.selector ??= { ...labels }
    metadata.labels ??= { ...labels }
  },
  columns: [
    nameColumn,
    {
      name: 'Desired',
      description:
        'Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller',
      type: 'integer',
      of: ({ spec }) => spec.replicas,
    },
    {
      name: 'Current',
      description:
        'Replicas is the most recently observed number of replicas. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller',
      type: 'integer',
      of: ({ status }) => status.replicas,
    },
    {
      name: 'Ready',
      description: 'The number of ready replicas for this replication controller.',
      type: 'integer',
      of: ({ status }) => status.readyReplicas ?? 0,
    },
    ageColumn,
    ...containerColumns<ReplicationController>(({ spec }) => spec.template?.spec.containers),
    {
      name: 'Selector',
      description:
        'Selector is a label query over pods that should match the Replicas count. If Selector is empty, it is defaulted to the labels present on the Pod template. Label keys and values that must match in order to be controlled by this replication controller, if empty defaulted to labels on Pod template. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      priority: 1,
      of: ({ spec }) => labelsText(spec.selector),
    },
  ],
  gatedFields: gatedPodFields('spec.template.spec'),
  prepareCreate(controller) {
    controller.status = { replicas: 0 }
  },
  validate({ spec }, errors) {
    const at = errors.at('spec')
    validateNonNegative(spec.minReadySeconds, at.at('minReadySeconds'))
    if (Object.keys(spec.selector ?? {}).length === 0) at.at('selector').required()
    validateNonNegative(spec.replicas, at.at('replicas'))
    if (!spec.template) return at.at('template').required()
    validateTemplateMatches(LabelSelector.ofLabels(spec.selector), spec.template, at.at('template'))
    validatePodTemplate(spec.template, at.at('template'))
    validateLongRunning(spec.template, 'ReplicationController', at.at('template'))
  },
  validateUpdate({ status }, _old, errors, subresource) {
    if (subresource === 'status') validateReplicaCounts(status, errors.at('status'))
  },
  warnings: ({ spec: { template } }, old) =>
    template && !(old && equal(old.spec.template, template)) ? podWarnings(template, 'spec.template.', false) : [],
  selectableFields: { 'status.replicas': ({ status }) => `${status.replicas}` },
})
