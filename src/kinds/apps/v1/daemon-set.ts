import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type Mutable, type ObjectWith } from '#machinery/kind/kind.ts'
import {
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
  required,
  type StoredOf,
} from '#machinery/schema/schema.ts'
import { gatedPodFields } from '../../core/v1/gated-pod-fields.ts'
import { PodTemplateSpec } from '../../core/v1/pod-template-spec.ts'
import { ageColumn, containerColumns, labelsText, nameColumn, selectorText } from '../../meta/v1/columns.ts'
import { conditionFields } from '../../meta/v1/condition-fields.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { validateDaemonSet, validateDaemonSetUpdate } from './daemon-set.rules.ts'
import { templateWarnings } from './deployment.rules.ts'

export const RollingUpdateDaemonSet = message('io.k8s.api.apps.v1.RollingUpdateDaemonSet', {
  maxUnavailable: defaulted(1, intOrString, 1, 'On how many nodes it may be missing.'),
  maxSurge: defaulted(2, intOrString, 0, 'On how many nodes there may be two.'),
})
export interface RollingUpdateDaemonSet extends StoredOf<typeof RollingUpdateDaemonSet> {}

export const DaemonSetUpdateStrategy = message(
  'io.k8s.api.apps.v1.DaemonSetUpdateStrategy',
  {
    type: defaulted(1, oneOf('RollingUpdate', 'OnDelete'), 'RollingUpdate', 'Whether pods are replaced by and by or by hand.', 'value'),
    rollingUpdate: optional(2, RollingUpdateDaemonSet, 'Details of rolling.'),
  },
  {
    applyDefaults(strategy) {
      if (strategy.type === 'RollingUpdate') strategy.rollingUpdate ??= { maxUnavailable: 1, maxSurge: 0 }
    },
  },
)
export interface DaemonSetUpdateStrategy extends StoredOf<typeof DaemonSetUpdateStrategy> {}

export const DaemonSetSpec = message('io.k8s.api.apps.v1.DaemonSetSpec', {
  selector: needed(1, LabelSelector, 'Which pods are its own; they must match the template.'),
  template: required(2, PodTemplateSpec, 'What its pods look like.'),
  updateStrategy: embedded(3, DaemonSetUpdateStrategy, 'How old pods are replaced by new ones.'),
  minReadySeconds: omitempty(4, int32, 'How long a pod must be ready before it counts as available.'),
  revisionHistoryLimit: defaulted(6, int32, 10, 'How many old revisions are kept.'),
})
export interface DaemonSetSpec extends StoredOf<typeof DaemonSetSpec> {}

export const DaemonSetCondition = message('io.k8s.api.apps.v1.DaemonSetCondition', conditionFields)
export interface DaemonSetCondition extends StoredOf<typeof DaemonSetCondition> {}

export const DaemonSetStatus = message('io.k8s.api.apps.v1.DaemonSetStatus', {
  currentNumberScheduled: required(1, int32, 'How many nodes have the pod that they should have.'),
  numberMisscheduled: required(2, int32, 'How many nodes have a pod that they should not have.'),
  desiredNumberScheduled: required(3, int32, 'How many nodes should have a pod.'),
  numberReady: required(4, int32, 'On how many nodes it is ready.'),
  observedGeneration: omitempty(5, int64, 'The generation of the spec that this status answers to.'),
  updatedNumberScheduled: omitempty(6, int32, 'On how many nodes it follows the newest template.'),
  numberAvailable: omitempty(7, int32, 'On how many nodes it is available.'),
  numberUnavailable: omitempty(8, int32, 'On how many nodes it is not.'),
  collisionCount: optional(9, int32, 'How often a computed name was taken already.'),
  conditions: omitempty(
    10,
    listMap(DaemonSetCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface DaemonSetStatus extends StoredOf<typeof DaemonSetStatus> {}

/** Counts changes of the template; upstream keeps it for clients of an old version. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

export interface DaemonSet extends ObjectWith<{ spec: DaemonSetSpec; status: DaemonSetStatus }> {}

export const DaemonSet = defineKind({
  documentation: 'Runs a pod on every node.',
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  shortNames: ['ds'],
  categories: ['all'],
  subresources: [statusSubresource],
  generation: true,
  spec: DaemonSetSpec,
  status: DaemonSetStatus,
  columns: [
    nameColumn,
    {
      name: 'Desired',
      description:
        'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod). More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/',
      type: 'integer',
      of: ({ status }) => status.desiredNumberScheduled,
    },
    {
      name: 'Current',
      description:
        'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/',
      type: 'integer',
      of: ({ status }) => status.currentNumberScheduled,
    },
    {
      name: 'Ready',
      description:
        'numberReady is the number of nodes that should be running the daemon pod and have one or more of the daemon pod running with a Ready Condition.',
      type: 'integer',
      of: ({ status }) => status.numberReady,
    },
    {
      name: 'Up-to-date',
      description: 'The total number of nodes that are running updated daemon pod',
      type: 'integer',
      of: ({ status }) => status.updatedNumberScheduled ?? 0,
    },
    {
      name: 'Available',
      description:
        'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available (ready for at least spec.minReadySeconds)',
      type: 'integer',
      of: ({ status }) => status.numberAvailable ?? 0,
    },
    {
      name: 'Node Selector',
      description:
        "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a node's labels for the pod to be scheduled on that node. More info: https://kubernetes.io/docs/concepts/configuration/assign-pod-node/",
      of: ({ spec }) => labelsText(spec.template.spec.nodeSelector),
    },
    ageColumn,
    ...containerColumns<DaemonSet>(({ spec }) => spec.template.spec.containers),
    {
      name: 'Selector',
      description:
        "A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
      priority: 1,
      of: ({ spec }) => selectorText(spec.selector),
    },
  ],
  innerAnnotations: [TEMPLATE_GENERATION],
  applyDefaults({ metadata }) {
    if (metadata.annotations?.[TEMPLATE_GENERATION] === undefined) setTemplateGeneration({ metadata }, 0)
  },
  gatedFields: gatedPodFields('spec.template.spec'),
  prepareCreate(daemonSet) {
    daemonSet.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }
    setTemplateGeneration(daemonSet, 1)
  },
  prepareUpdate(daemonSet, old, { subresource }) {
    if (subresource === 'status') return
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 1)
    setTemplateGeneration(daemonSet, equal(daemonSet.spec.template, old.spec.template) ? before : before + 1)
  },
  validate: validateDaemonSet,
  validateUpdate: validateDaemonSetUpdate,
  warnings: ({ spec }, old) => (old && equal(old.spec.template, spec.template) ? [] : templateWarnings(spec)),
})

function setTemplateGeneration({ metadata }: Pick<Mutable<DaemonSet>, 'metadata'>, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: `${generation}` }
}
