import { isDNS1123Label } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { LabelSelector } from '../../meta/v1/label-selector.ts'
import { validateLabelName, validateLabelSelector } from '../../meta/v1/rules.ts'
import type { Affinity, PodAffinity, PodAffinityTerm } from './affinity.ts'
import { validateNodeSelector, validateNodeSelectorTerm } from './node-selector.rules.ts'
import type { TopologySpreadConstraint } from './topology-spread-constraint.ts'

export function validateAffinity(affinity: Affinity | undefined, errors: FieldErrors): void {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required) validateNodeSelector(required, errors.at('nodeAffinity').at('requiredDuringSchedulingIgnoredDuringExecution'))
  const preferred = errors.at('nodeAffinity').at('preferredDuringSchedulingIgnoredDuringExecution')
  affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, preference }, index) => {
    validateWeight(weight, preferred.index(index))
    validateNodeSelectorTerm(preference, preferred.index(index).at('preference'), false)
  })
  if (affinity?.podAffinity) validatePodAffinity(affinity.podAffinity, errors.at('podAffinity'))
  if (affinity?.podAntiAffinity) validatePodAffinity(affinity.podAntiAffinity, errors.at('podAntiAffinity'))
}

function validateWeight(weight: number, errors: FieldErrors): void {
  if (weight <= 0 || weight > 100) errors.at('weight').invalid(weight, 'must be in the range 1-100')
}

function validatePodAffinity(affinity: PodAffinity, errors: FieldErrors): void {
  affinity.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, index) => {
    validatePodAffinityTerm(term, errors.at('requiredDuringSchedulingIgnoredDuringExecution').index(index))
  })
  affinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ weight, podAffinityTerm }, index) => {
    const at = errors.at('preferredDuringSchedulingIgnoredDuringExecution').index(index)
    validateWeight(weight, at)
    validatePodAffinityTerm(podAffinityTerm, at.at('podAffinityTerm'))
  })
}

function validatePodAffinityTerm(term: PodAffinityTerm, errors: FieldErrors): void {
  validateLabelSelector(term.labelSelector, errors.at('labelSelector'))
  validateLabelSelector(term.namespaceSelector, errors.at('namespaceSelector'))
  for (const namespace of term.namespaces ?? []) errors.at('namespace').invalidEach(namespace, isDNS1123Label(namespace))
  validateLabelKeys(term.matchLabelKeys, term.labelSelector, errors.at('matchLabelKeys'))
  validateLabelKeys(term.mismatchLabelKeys, term.labelSelector, errors.at('mismatchLabelKeys'))
  term.matchLabelKeys?.forEach((key, index) => {
    if (term.mismatchLabelKeys?.includes(key)) {
      errors.at('matchLabelKeys').index(index).invalid(key, 'exists in both matchLabelKeys and mismatchLabelKeys')
    }
  })
  if (term.topologyKey === '') errors.at('topologyKey').required('can not be empty')
  validateLabelName(term.topologyKey, errors.at('topologyKey'))
}

function validateLabelKeys(keys: readonly string[] | undefined, selector: LabelSelector | undefined, errors: FieldErrors): void {
  if (!keys || keys.length === 0) return
  if (!selector) errors.forbidden('must not be specified when labelSelector is not set')
  keys.forEach((key, index) => {
    validateLabelName(key, errors.index(index))
  })
}

/** How pods spread: each pair of topology key and action once. */
export function validateSpread(constraints: readonly TopologySpreadConstraint[] | undefined, errors: FieldErrors): void {
  constraints?.forEach((constraint, index) => {
    const at = errors.index(index)
    validateConstraint(constraint, at)
    const isRepeated = constraints.some(
      (other, position) =>
        position > index && other.topologyKey === constraint.topologyKey && other.whenUnsatisfiable === constraint.whenUnsatisfiable,
    )
    if (isRepeated) at.at('{topologyKey, whenUnsatisfiable}').duplicate(`{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}}`)
  })
}

function validateConstraint(constraint: TopologySpreadConstraint, errors: FieldErrors): void {
  const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, nodeAffinityPolicy, nodeTaintsPolicy } = constraint
  if (maxSkew <= 0) errors.at('maxSkew').invalid(maxSkew, 'must be greater than zero')
  if (topologyKey === '') errors.at('topologyKey').required('can not be empty')
  else validateLabelName(topologyKey, errors.at('topologyKey'))
  if (!ACTIONS.includes(whenUnsatisfiable)) errors.at('whenUnsatisfiable').notSupported(whenUnsatisfiable, ACTIONS)
  if (minDomains !== undefined) {
    if (minDomains <= 0) errors.at('minDomains').invalid(minDomains, 'must be greater than zero')
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      errors.at('minDomains').invalid(minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`)
    }
  }
  if (nodeAffinityPolicy !== undefined && !INCLUSION.includes(nodeAffinityPolicy)) {
    errors.at('nodeAffinityPolicy').notSupported(nodeAffinityPolicy, INCLUSION)
  }
  if (nodeTaintsPolicy !== undefined && !INCLUSION.includes(nodeTaintsPolicy)) {
    errors.at('nodeTaintsPolicy').notSupported(nodeTaintsPolicy, INCLUSION)
  }
  validateLabelSelector(constraint.labelSelector, errors.at('labelSelector'))
  validateSpreadKeys(constraint, errors.at('matchLabelKeys'))
}

function validateSpreadKeys({ matchLabelKeys, labelSelector }: TopologySpreadConstraint, errors: FieldErrors): void {
  if (!matchLabelKeys || matchLabelKeys.length === 0) return
  if (!labelSelector) {
    errors.forbidden('must not be specified when labelSelector is not set')
    return
  }
  const selected = new Set([
    ...Object.keys(labelSelector.matchLabels ?? {}),
    ...(labelSelector.matchExpressions ?? []).map(expression => expression.key),
  ])
  matchLabelKeys.forEach((key, index) => {
    validateLabelName(key, errors.index(index))
    if (selected.has(key)) errors.index(index).invalid(key, 'exists in both matchLabelKeys and labelSelector')
  })
}

const ACTIONS = ['DoNotSchedule', 'ScheduleAnyway']
const INCLUSION = ['Honor', 'Ignore']
