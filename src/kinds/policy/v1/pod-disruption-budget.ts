import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  embedded,
  int32,
  int64,
  intOrString,
  listMap,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  patched,
  type StoredOf,
  time,
} from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { Condition } from '../../meta/v1/condition.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import {
  internal,
  validateAtMostWhole,
  validateCountOrPercent,
  validateLabelSelector,
  validateNonNegative,
  validateWord,
} from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'

export const PodDisruptionBudgetSpec = message('io.k8s.api.policy.v1.PodDisruptionBudgetSpec', {
  minAvailable: optional(1, intOrString, 'How many pods must stay.'),
  selector: patched(optional(2, LabelSelector, 'Which pods are meant, by their labels.'), 'replace'),
  maxUnavailable: optional(3, intOrString, 'How many pods may be missing.'),
  unhealthyPodEvictionPolicy: optional(4, oneOf('IfHealthyBudget', 'AlwaysAllow'), 'Whether pods that are not ready may always go.'),
})
export interface PodDisruptionBudgetSpec extends StoredOf<typeof PodDisruptionBudgetSpec> {}

export const PodDisruptionBudgetStatus = message('io.k8s.api.policy.v1.PodDisruptionBudgetStatus', {
  observedGeneration: omitempty(1, int64, 'The generation of the spec that this status answers to.'),
  disruptedPods: omitempty(2, map(time), 'Pods that are just being evicted.'),
  disruptionsAllowed: embedded(3, int32, 'How many pods may go now.'),
  currentHealthy: embedded(4, int32, 'How many pods are healthy.'),
  desiredHealthy: embedded(5, int32, 'How many pods must be healthy.'),
  expectedPods: embedded(6, int32, 'How many pods there should be.'),
  conditions: omitempty(
    7,
    listMap(Condition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface PodDisruptionBudgetStatus extends StoredOf<typeof PodDisruptionBudgetStatus> {}

export interface PodDisruptionBudget extends ObjectWith<{ spec: PodDisruptionBudgetSpec; status: PodDisruptionBudgetStatus }> {}

export const PodDisruptionBudget = defineKind({
  documentation: 'How many pods of a set may be evicted at a time.',
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.policy.v1',
  shortNames: ['pdb'],
  subresources: [statusSubresource],
  unconditionalUpdate: false,
  generation: true,
  spec: PodDisruptionBudgetSpec,
  status: PodDisruptionBudgetStatus,
  columns: [
    nameColumn,
    {
      name: 'Min Available',
      description: 'The minimum number of pods that must be available.',
      of: ({ spec }) => (spec.minAvailable === undefined ? 'N/A' : `${spec.minAvailable}`),
    },
    {
      name: 'Max Unavailable',
      description: 'The maximum number of pods that may be unavailable.',
      of: ({ spec }) => (spec.maxUnavailable === undefined ? 'N/A' : `${spec.maxUnavailable}`),
    },
    {
      name: 'Allowed Disruptions',
      description: 'Calculated number of pods that may be disrupted at this time.',
      type: 'integer',
      of: ({ status }) => status.disruptionsAllowed,
    },
    ageColumn,
  ],
  prepareCreate(budget) {
    budget.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
  },
  validate({ spec }, errors) {
    const at = errors.at('spec')
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
      at.invalid(internal(spec), 'minAvailable and maxUnavailable cannot be both set')
    }
    for (const name of ['minAvailable', 'maxUnavailable'] as const) {
      validateCountOrPercent(spec[name], at.at(name))
      validateAtMostWhole(spec[name], at.at(name))
    }
    validateLabelSelector(spec.selector, at.at('selector'))
    const policy = spec.unhealthyPodEvictionPolicy
    if (policy !== undefined) validateWord(policy, ['AlwaysAllow', 'IfHealthyBudget'], at.at('unhealthyPodEvictionPolicy'))
  },
  validateUpdate({ status }, _old, errors, subresource) {
    if (subresource !== 'status') return
    for (const name of ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const) {
      validateNonNegative(status[name], errors.at('status').at(name))
    }
  },
  // Upstream never checked the names of budgets; some exist that no rule would allow.
  validateName: () => [],
})
