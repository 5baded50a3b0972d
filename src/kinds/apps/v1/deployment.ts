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
import { PodTemplateSpec } from '../../core/v1/pod-template-spec.ts'
import { ageColumn, containerColumns, nameColumn, selectorText } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { templateWarnings, validateDeployment, validateDeploymentUpdate } from './deployment.rules.ts'

export const RollingUpdateDeployment = message('io.k8s.api.apps.v1.RollingUpdateDeployment', {
  maxUnavailable: defaulted(1, intOrString, '25%'),
  maxSurge: defaulted(2, intOrString, '25%'),
})
export interface RollingUpdateDeployment extends StoredOf<typeof RollingUpdateDeployment> {}

export const DeploymentStrategy = message(
  'io.k8s.api.apps.v1.DeploymentStrategy',
  {
    type: defaulted(1, oneOf('Recreate', 'RollingUpdate'), 'RollingUpdate', '', 'value'),
    rollingUpdate: optional(2, RollingUpdateDeployment),
  },
  {
    applyDefaults(strategy) {
      if (strategy.type === 'RollingUpdate') strategy.rollingUpdate ??= { maxUnavailable: '25%', maxSurge: '25%' }
    },
  },
)
export interface DeploymentStrategy extends StoredOf<typeof DeploymentStrategy> {}

export const DeploymentSpec = message('io.k8s.api.apps.v1.DeploymentSpec', {
  replicas: defaulted(1, int32, 1),
  selector: needed(2, LabelSelector),
  template: required(3, PodTemplateSpec),
  strategy: patched(embedded(4, DeploymentStrategy), 'retainKeys'),
  minReadySeconds: omitempty(5, int32),
  revisionHistoryLimit: defaulted(6, int32, 10),
  paused: omitempty(7, boolean),
  progressDeadlineSeconds: defaulted(9, int32, 600),
})
export interface DeploymentSpec extends StoredOf<typeof DeploymentSpec> {}

export const DeploymentCondition = message('io.k8s.api.apps.v1.DeploymentCondition', {
  type: required(1, string),
  status: required(2, ConditionStatus),
  lastUpdateTime: embedded(6, timeOrNull),
  lastTransitionTime: embedded(7, timeOrNull),
  reason: omitempty(4, string),
  message: omitempty(5, string),
})
export interface DeploymentCondition extends StoredOf<typeof DeploymentCondition> {}

export const DeploymentStatus = message('io.k8s.api.apps.v1.DeploymentStatus', {
  observedGeneration: omitempty(1, int64),
  replicas: omitempty(2, int32),
  updatedReplicas: omitempty(3, int32),
  readyReplicas: omitempty(7, int32),
  availableReplicas: omitempty(4, int32),
  unavailableReplicas: omitempty(5, int32),
  terminatingReplicas: optional(9, int32),
  conditions: omitempty(6, listMap(DeploymentCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' })),
  collisionCount: optional(8, int32),
})
export interface DeploymentStatus extends StoredOf<typeof DeploymentStatus> {}

export interface Deployment extends ObjectWith<{ spec: DeploymentSpec; status: DeploymentStatus }> {}

export const Deployment = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [
    {
      name: 'scale',
      verbs: ['get', 'patch', 'update'],
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      scale: { replicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
    },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
  generation: true,
  spec: DeploymentSpec,
  status: DeploymentStatus,
  columns: [
    nameColumn,
    { name: 'Ready', of: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}` },
    { name: 'Up-to-date', of: ({ status }) => status.updatedReplicas ?? 0 },
    { name: 'Available', of: ({ status }) => status.availableReplicas ?? 0 },
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec.template.spec.containers),
    { name: 'Selector', priority: 1, of: ({ spec }) => selectorText(spec.selector) },
  ],
  prepareCreate(deployment) {
    deployment.status = {}
  },
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  warnings: ({ spec }, old) => (old && equal(old.spec.template, spec.template) ? [] : templateWarnings(spec)),
})
