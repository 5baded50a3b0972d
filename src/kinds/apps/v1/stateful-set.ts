import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  defaulted,
  embedded,
  int32,
  int64,
  intOrString,
  list,
  listMap,
  message,
  needed,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { gatedPodFields } from '../../core/v1/gated-pod-fields.ts'
import { PersistentVolumeClaimMessage } from '../../core/v1/persistent-volume-claim.ts'
import { PodTemplateSpec } from '../../core/v1/pod-template-spec.ts'
import { ageColumn, containerColumns, nameColumn } from '../../meta/v1/columns.ts'
import { conditionFields } from '../../meta/v1/condition-fields.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { scaleSubresource, statusSubresource } from '../../meta/v1/subresources.ts'
import { templateWarnings } from './deployment.rules.ts'
import { validateNewStatefulSet, validateStatefulSet, validateStatefulSetUpdate } from './stateful-set.rules.ts'

export const PersistentVolumeClaimRetentionPolicyType = oneOf('Retain', 'Delete')
export type PersistentVolumeClaimRetentionPolicyType = StoredOf<typeof PersistentVolumeClaimRetentionPolicyType>

export const StatefulSetOrdinals = message('io.k8s.api.apps.v1.StatefulSetOrdinals', {
  start: embedded(1, int32, 'The number of the first pod.'),
})
export interface StatefulSetOrdinals extends StoredOf<typeof StatefulSetOrdinals> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = message(
  'io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy',
  {
    whenDeleted: defaulted(1, PersistentVolumeClaimRetentionPolicyType, 'Retain', 'When the set is deleted.', 'value'),
    whenScaled: defaulted(2, PersistentVolumeClaimRetentionPolicyType, 'Retain', 'When the set is scaled down.', 'value'),
  },
)
export interface StatefulSetPersistentVolumeClaimRetentionPolicy extends StoredOf<typeof StatefulSetPersistentVolumeClaimRetentionPolicy> {}

export const RollingUpdateStatefulSetStrategy = message('io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy', {
  partition: defaulted(1, int32, 0, 'The first number that is updated.'),
  maxUnavailable: optional(2, intOrString, 'How many pods may be away during an update, as a number or a share.'),
})
export interface RollingUpdateStatefulSetStrategy extends StoredOf<typeof RollingUpdateStatefulSetStrategy> {}

export const StatefulSetUpdateStrategy = message(
  'io.k8s.api.apps.v1.StatefulSetUpdateStrategy',
  {
    type: defaulted(1, oneOf('RollingUpdate', 'OnDelete'), 'RollingUpdate', 'Whether pods are replaced one by one or by hand.', 'value'),
    rollingUpdate: optional(2, RollingUpdateStatefulSetStrategy, 'Details of rolling.'),
  },
  {
    applyDefaults(strategy) {
      if (strategy.type === 'RollingUpdate') strategy.rollingUpdate ??= { partition: 0 }
    },
  },
)
export interface StatefulSetUpdateStrategy extends StoredOf<typeof StatefulSetUpdateStrategy> {}

export const StatefulSetSpec = message('io.k8s.api.apps.v1.StatefulSetSpec', {
  replicas: defaulted(1, int32, 1, 'How many pods there should be.'),
  selector: needed(2, LabelSelector, 'Which pods are its own; they must match the template.'),
  template: required(3, PodTemplateSpec, 'What its pods look like.'),
  volumeClaimTemplates: omitempty(4, list(PersistentVolumeClaimMessage), 'Claims that every pod gets one of.'),
  serviceName: embedded(5, string, 'The service that gives the pods their names.'),
  podManagementPolicy: defaulted(
    6,
    oneOf('OrderedReady', 'Parallel'),
    'OrderedReady',
    'Whether pods come one after the other or all at once.',
    'value',
  ),
  updateStrategy: embedded(7, StatefulSetUpdateStrategy, 'How old pods are replaced by new ones.'),
  revisionHistoryLimit: defaulted(8, int32, 10, 'How many old revisions are kept.'),
  minReadySeconds: omitempty(9, int32, 'How long a pod must be ready before it counts as available.'),
  persistentVolumeClaimRetentionPolicy: defaulted(
    10,
    StatefulSetPersistentVolumeClaimRetentionPolicy,
    {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    },
    'When claims are deleted.',
  ),
  ordinals: optional(11, StatefulSetOrdinals, 'How pods are numbered.'),
})
export interface StatefulSetSpec extends StoredOf<typeof StatefulSetSpec> {}

export const StatefulSetCondition = message('io.k8s.api.apps.v1.StatefulSetCondition', conditionFields)
export interface StatefulSetCondition extends StoredOf<typeof StatefulSetCondition> {}

export const StatefulSetStatus = message('io.k8s.api.apps.v1.StatefulSetStatus', {
  observedGeneration: omitempty(1, int64, 'The generation of the spec that this status answers to.'),
  replicas: required(2, int32, 'How many pods there are.'),
  readyReplicas: omitempty(3, int32, 'How many pods are ready.'),
  currentReplicas: omitempty(4, int32, 'How many pods follow the current revision.'),
  updatedReplicas: omitempty(5, int32, 'How many pods follow the newest template.'),
  currentRevision: omitempty(6, string, 'The revision that pods had before the update.'),
  updateRevision: omitempty(7, string, 'The revision that pods are updated to.'),
  collisionCount: optional(9, int32, 'How often a computed name was taken already.'),
  conditions: omitempty(
    10,
    listMap(StatefulSetCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
  availableReplicas: embedded(11, int32, 'How many pods have been ready for long enough.'),
})
export interface StatefulSetStatus extends StoredOf<typeof StatefulSetStatus> {}

export interface StatefulSet extends ObjectWith<{ spec: StatefulSetSpec; status: StatefulSetStatus }> {}

export const StatefulSet = defineKind({
  documentation: 'Keeps pods running that have names and storage of their own.',
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  shortNames: ['sts'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  generation: true,
  spec: StatefulSetSpec,
  status: StatefulSetStatus,
  applyDefaults({ spec }) {
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ||= 'v1'
      claim.kind ||= 'PersistentVolumeClaim'
    }
  },
  columns: [
    nameColumn,
    {
      name: 'Ready',
      description: 'Number of the pod with ready state',
      of: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}`,
    },
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec.template.spec.containers),
  ],
  prepareCreate(set) {
    set.status = { replicas: 0, availableReplicas: 0 }
  },
  gatedFields: [
    { gate: 'MaxUnavailableStatefulSet', path: 'spec.updateStrategy.rollingUpdate.maxUnavailable' },
    ...gatedPodFields('spec.template.spec'),
  ],
  validate: validateStatefulSet,
  validateCreate: validateNewStatefulSet,
  validateUpdate: validateStatefulSetUpdate,
  warnings: ({ spec }, old) => (old && equal(old.spec.template, spec.template) ? [] : templateWarnings(spec)),
})
