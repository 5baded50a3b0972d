import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  boolean,
  defaulted,
  embedded,
  int32,
  int64,
  intOrString,
  listMap,
  message,
  needed,
  omitempty,
  oneOf,
  optional,
  patched,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { gatedPodFields } from '../../core/v1/gated-pod-fields.ts'
import { PodTemplateSpec } from '../../core/v1/pod-template-spec.ts'
import { ageColumn, containerColumns, nameColumn, selectorText } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { scaleSubresource, statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { templateWarnings, validateDeployment, validateDeploymentUpdate } from './deployment.rules.ts'

export const RollingUpdateDeployment = message('io.k8s.api.apps.v1.RollingUpdateDeployment', {
  maxUnavailable: defaulted(1, intOrString, '25%', 'How many pods may be missing, as a number or as a share.'),
  maxSurge: defaulted(2, intOrString, '25%', 'How many pods may be there in addition, as a number or as a share.'),
})
export interface RollingUpdateDeployment extends StoredOf<typeof RollingUpdateDeployment> {}

export const DeploymentStrategy = message(
  'io.k8s.api.apps.v1.DeploymentStrategy',
  {
    type: defaulted(1, oneOf('Recreate', 'RollingUpdate'), 'RollingUpdate', 'Rolling, or all at once.', 'value'),
    rollingUpdate: optional(2, RollingUpdateDeployment, 'Details of rolling.'),
  },
  {
    applyDefaults(strategy) {
      if (strategy.type === 'RollingUpdate') strategy.rollingUpdate ??= { maxUnavailable: '25%', maxSurge: '25%' }
    },
  },
)
export interface DeploymentStrategy extends StoredOf<typeof DeploymentStrategy> {}

export const DeploymentSpec = message('io.k8s.api.apps.v1.DeploymentSpec', {
  replicas: defaulted(1, int32, 1, 'How many pods there should be.'),
  selector: needed(2, LabelSelector, 'Which pods are its own; they must match the template.'),
  template: required(3, PodTemplateSpec, 'What its pods look like.'),
  strategy: patched(embedded(4, DeploymentStrategy, 'How old pods are replaced by new ones.'), 'retainKeys'),
  minReadySeconds: omitempty(5, int32, 'How long a pod must be ready before it counts as available.'),
  revisionHistoryLimit: defaulted(6, int32, 10, 'How many old revisions are kept.'),
  paused: omitempty(7, boolean, 'Whether changes wait.'),
  progressDeadlineSeconds: defaulted(9, int32, 600, 'After how many seconds without progress it counts as failed.'),
})
export interface DeploymentSpec extends StoredOf<typeof DeploymentSpec> {}

export const DeploymentCondition = message('io.k8s.api.apps.v1.DeploymentCondition', {
  type: required(1, string, 'What this is about: `Available`, `Progressing` or `ReplicaFailure`.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  lastUpdateTime: embedded(6, timeOrNull, 'When this entry was last written.'),
  lastTransitionTime: embedded(7, timeOrNull, 'When the status last changed.'),
  reason: omitempty(4, string, 'What happened, in one word.'),
  message: omitempty(5, string, 'What happened, for people.'),
})
export interface DeploymentCondition extends StoredOf<typeof DeploymentCondition> {}

export const DeploymentStatus = message('io.k8s.api.apps.v1.DeploymentStatus', {
  observedGeneration: omitempty(1, int64, 'The generation of the spec that this status answers to.'),
  replicas: omitempty(2, int32, 'How many pods there are.'),
  updatedReplicas: omitempty(3, int32, 'How many pods follow the newest template.'),
  readyReplicas: omitempty(7, int32, 'How many pods are ready.'),
  availableReplicas: omitempty(4, int32, 'How many pods have been ready for long enough.'),
  unavailableReplicas: omitempty(5, int32, 'How many pods are missing to full availability.'),
  terminatingReplicas: optional(9, int32, 'How many pods are on their way out.'),
  conditions: omitempty(
    6,
    listMap(DeploymentCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
  collisionCount: optional(8, int32, 'How often a computed name was taken already.'),
})
export interface DeploymentStatus extends StoredOf<typeof DeploymentStatus> {}

export interface Deployment extends ObjectWith<{ spec: DeploymentSpec; status: DeploymentStatus }> {}

export const Deployment = defineKind({
  documentation: 'Keeps pods running and replaces them step by step.',
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [scaleSubresource, statusSubresource],
  generation: true,
  spec: DeploymentSpec,
  status: DeploymentStatus,
  columns: [
    nameColumn,
    {
      name: 'Ready',
      description: 'Number of the pod with ready state',
      of: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}`,
    },
    {
      name: 'Up-to-date',
      description: 'Total number of non-terminating pods targeted by this deployment that have the desired template spec.',
      of: ({ status }) => status.updatedReplicas ?? 0,
    },
    {
      name: 'Available',
      description: 'Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.',
      of: ({ status }) => status.availableReplicas ?? 0,
    },
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec.template.spec.containers),
    {
      name: 'Selector',
      description:
        "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
      priority: 1,
      of: ({ spec }) => selectorText(spec.selector),
    },
  ],
  gatedFields: [
    { gate: 'DeploymentReplicaSetTerminatingReplicas', path: 'status.terminatingReplicas' },
    ...gatedPodFields('spec.template.spec'),
  ],
  prepareCreate(deployment) {
    deployment.status = {}
  },
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  warnings: ({ spec }, old) => (old && equal(old.spec.template, spec.template) ? [] : templateWarnings(spec)),
})
