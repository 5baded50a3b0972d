import type { Informers } from '#client/informers/informer.ts'
import type { RuleWithOperations } from '#kinds/admissionregistration/v1/rule-with-operations.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { LabelSelector, type LabelSelectorObject } from '#machinery/selectors/label-selector.ts'
import { notFound } from '#machinery/status/failures.ts'
import { storedKindOf } from '../registry/views.ts'
import type { AdmissionRequest } from './admission.ts'

/** Which requests a webhook or an admission policy is about. */
export interface MatchCriteria {
  readonly namespaceSelector?: LabelSelectorObject | undefined
  readonly objectSelector?: LabelSelectorObject | undefined
  /** Undefined: every resource. */
  readonly rules: readonly MatchRule[] | undefined
  readonly excludedRules?: readonly MatchRule[] | undefined
  readonly matchPolicy?: string | undefined
}

export type MatchRule = RuleWithOperations & { readonly resourceNames?: readonly string[] | undefined }

/** What matching needs to know beside the request. */
export interface MatchFacts {
  readonly kinds: Pick<KindRegistry, 'all'>
  readonly informers: Informers
}

/**
 * The version of the request's kind in which the criteria speak of it: the request's own, or with the policy Equivalent another one of the
 * same objects. Undefined: they do not speak of it. Throws a 404 if labels of a namespace are asked for that is not there.
 */
export function matchedKind(request: AdmissionRequest, criteria: MatchCriteria, facts: MatchFacts): AnyKind | undefined {
  if (!matchesObject(criteria.objectSelector, request)) return undefined
  const inNamespace = matchesNamespace(criteria.namespaceSelector, request, facts)
  if (inNamespace === false) return undefined
  const { rules, excludedRules = [] } = criteria
  if (kindIn(excludedRules, request, criteria, facts)) return undefined
  const kind = rules ? kindIn(rules, request, criteria, facts) : request.kind
  if (kind && typeof inNamespace === 'object') throw inNamespace
  return kind
}

/** Objects by which people could lock everybody out: whoever configures admission is not asked about it. */
export function isAdmissionConfiguration({ kind }: Pick<AdmissionRequest, 'kind'>): boolean {
  return kind.group === 'admissionregistration.k8s.io' && CONFIGURATION.has(kind.kind)
}

const CONFIGURATION = new Set([
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
])

/** Whether either of the old and the new object has the labels. */
function matchesObject(selector: LabelSelectorObject | undefined, { object, old }: AdmissionRequest): boolean {
  const wanted = selectorOf(selector)
  if (wanted.isEverything) return true
  return hasLabels(object, wanted) || hasLabels(old, wanted)
}

function hasLabels(object: ApiObject | undefined, wanted: LabelSelector): boolean {
  return object?.metadata !== undefined && wanted.matches(object.metadata.labels)
}

/** An error where that cannot be said: it counts only if everything else matches. */
function matchesNamespace(
  selector: LabelSelectorObject | undefined,
  { kind, subresource, operation, namespace, object }: AdmissionRequest,
  { informers }: MatchFacts,
): boolean | Error {
  const isNamespace = kind.plural === 'namespaces'
  if (namespace === '' && !isNamespace) return true
  const wanted = selectorOf(selector)
  if (wanted.isEverything) return true
  // A namespace that is being written is not in the cache yet.
  if (isNamespace && subresource === '' && operation !== 'DELETE') return wanted.matches(object?.metadata.labels)
  const found = informers.of(Namespace).get('', namespace)
  return found ? wanted.matches(found.metadata.labels) : notFound({ group: '', resource: 'namespaces' }, namespace)
}

function kindIn(
  rules: readonly MatchRule[],
  request: AdmissionRequest,
  { matchPolicy = 'Equivalent' }: MatchCriteria,
  { kinds }: MatchFacts,
): AnyKind | undefined {
  if (rules.some(rule => matchesRule(rule, request, request.kind))) return request.kind
  if (matchPolicy !== 'Equivalent' || rules.length === 0) return undefined
  const others = otherVersions(request.kind, kinds)
  for (const rule of rules) for (const kind of others) if (matchesRule(rule, request, kind)) return kind
  return undefined
}

function matchesRule(rule: MatchRule, request: AdmissionRequest, kind: AnyKind): boolean {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], resourceNames = [] } = rule
  return (
    isIn(operations, request.operation) &&
    isIn(apiGroups, kind.group) &&
    isIn(apiVersions, kind.version) &&
    isInScope(rule.scope, request) &&
    resources.some(resource => isResource(resource, kind.plural, request.subresource)) &&
    (resourceNames.length === 0 || resourceNames.includes(request.name))
  )
}

function isIn(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value)
}

function isInScope(scope: MatchRule['scope'], { kind, namespace }: AdmissionRequest): boolean {
  if (scope === '*') return true
  const isCluster = namespace === '' || (kind.group === '' && kind.plural === 'namespaces')
  return isCluster === (scope === 'Cluster')
}

/** `pods`, `pods/exec`, `pods/*`, `*`, and so on. */
function isResource(pattern: string, resource: string, subresource: string): boolean {
  const slash = pattern.indexOf('/')
  const [own, part] = slash < 0 ? [pattern, ''] : [pattern.slice(0, slash), pattern.slice(slash + 1)]
  return (own === '*' || own === resource) && (part === '*' || part === subresource)
}

/** Other kinds under which the same stored objects are served. */
function otherVersions(kind: AnyKind, kinds: Pick<KindRegistry, 'all'>): AnyKind[] {
  const stored = storedKindOf(kind)
  return [...kinds.all()].filter(one => one !== kind && storedKindOf(one) === stored)
}

const selectors = new WeakMap<LabelSelectorObject, LabelSelector>()

/** Absent selects everything. */
function selectorOf(selector: LabelSelectorObject | undefined): LabelSelector {
  if (!selector) return LabelSelector.everything
  let known = selectors.get(selector)
  if (!known) {
    known = LabelSelector.ofObject(selector)
    selectors.set(selector, known)
  }
  return known
}
