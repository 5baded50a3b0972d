import { LabelSelector, type Operator, requirement } from '#machinery/selectors/label-selector.ts'
import type { Node } from './node.ts'
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from './node-selector.ts'
import type { PodSpec } from './pod-spec.ts'

/** Whether any of the terms holds of the node. */
export function matchesNodeSelector(selector: NodeSelector, node: Node): boolean {
  return selector.nodeSelectorTerms.some(term => matchesTerm(term, node))
}

/** Whether all that a term asks for holds; an empty term holds of no node. */
export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return selectorOf(matchExpressions).matches(node.metadata.labels) && matchFields.every(field => matchesField(field, node))
}

/** Whether the pod's `nodeSelector` and required node affinity let it run on the node. */
export function matchesRequiredAffinity(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) if (labels[key] !== value) return false
  const needed = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return needed === undefined || matchesNodeSelector(needed, node)
}

const OPERATORS: Readonly<Record<NodeSelectorRequirement['operator'], Operator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
}

// Hot: terms are read-only and asked for every node.
const selectors = new WeakMap<readonly NodeSelectorRequirement[], LabelSelector>()

function selectorOf(expressions: readonly NodeSelectorRequirement[]): LabelSelector {
  const known = selectors.get(expressions)
  if (known) return known
  const selector = compile(expressions)
  selectors.set(expressions, selector)
  return selector
}

/** A requirement that validation would refuse matches nothing. */
function compile(expressions: readonly NodeSelectorRequirement[]): LabelSelector {
  try {
    return new LabelSelector(expressions.map(({ key, operator, values = [] }) => requirement(key, OPERATORS[operator], values)))
  } catch {
    return LabelSelector.nothing
  }
}

/** The only field is the node's name. */
function matchesField({ key, operator, values = [] }: NodeSelectorRequirement, node: Node): boolean {
  if (key !== 'metadata.name' || values.length !== 1) return false
  const isNamed = values[0] === node.metadata.name
  return operator === 'In' ? isNamed : operator === 'NotIn' ? !isNamed : false
}
