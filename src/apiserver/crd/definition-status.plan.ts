import { isProtectedGroup } from '#kinds/apiextensions/v1/custom-resource-definition.rules.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { nonStructuralReasons } from '#kinds/apiextensions/v1/structural-schema.rules.ts'
import { quote } from '#machinery/status/go-text.ts'

type Condition = CustomResourceDefinitionCondition

/** A condition without the time of its last change. */
export type ConditionNews = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>

/** The finalizer that keeps a definition until its objects are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

/** What a definition's status has to say beside what became of its deletion, seen together with all other definitions. */
export function planStatus(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): CustomResourceDefinitionStatus {
  const { accepted, condition } = acceptedNames(definition, others)
  const wasEstablished = isTrue(definition, 'Established')
  const established: ConditionNews =
    condition.status === 'True'
      ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
      : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
  const news = [condition, ...(wasEstablished ? [] : [established])]
  const approval = approvalOf(definition)
  if (approval) news.push(approval)
  const structure = structureOf(definition)
  if (structure) news.push(structure)
  const before = definition.status.conditions ?? []
  const kept = structure ? before : before.filter(({ type }) => type !== 'NonStructuralSchema')
  return {
    ...definition.status,
    conditions: news.reduce<readonly Condition[]>((conditions, one) => withCondition(conditions, one, now), kept),
    acceptedNames: accepted,
  }
}

/** `conditions` with one of them as it is now; its time changes with its status only. */
export function withCondition(conditions: readonly Condition[], news: ConditionNews, now: string): readonly Condition[] {
  const before = conditions.find(({ type }) => type === news.type)
  const lastTransitionTime = before?.status === news.status ? before.lastTransitionTime : now
  const condition = { ...news, lastTransitionTime } as Condition
  const { type, status, reason = '', message = '' } = condition
  const ordered = { type, status, lastTransitionTime, ...(reason ? { reason } : {}), ...(message ? { message } : {}) } as Condition
  return before ? conditions.map(one => (one === before ? ordered : one)) : [...conditions, ordered]
}

export function isTrue({ status }: CustomResourceDefinition, type: string): boolean {
  return status.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false
}

/** Each name is accepted that nobody else in the group has; what was accepted before stays until the new name is. */
function acceptedNames(definition: CustomResourceDefinition, others: readonly CustomResourceDefinition[]) {
  const { names, group } = definition.spec
  const before = definition.status.acceptedNames
  const rivals = others.filter(other => other.spec.group === group && other.metadata.name !== definition.metadata.name)
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { status } of rivals) {
    const { plural, singular, shortNames, kind, listKind } = status.acceptedNames
    for (const name of [plural, singular, ...(shortNames ?? [])]) if (name) resources.add(name)
    for (const name of [kind, listKind]) if (name) kinds.add(name)
  }
  const accepted: { -readonly [K in keyof CustomResourceDefinitionNames]: CustomResourceDefinitionNames[K] } = { ...before }
  let conflict: { reason: string; message: string } | undefined
  const accept = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>) => {
    const wanted = names[field] ?? ''
    if (wanted !== (before[field] ?? '') && used.has(wanted)) {
      conflict = { reason: `${field[0]!.toUpperCase()}${field.slice(1)}Conflict`, message: `${quote(wanted)} is already in use` }
    } else accepted[field] = wanted
  }
  accept('plural', resources)
  accept('singular', resources)
  const taken = (names.shortNames ?? []).filter(name => !before.shortNames?.includes(name) && resources.has(name))
  if (taken.length > 0) conflict = { reason: 'ShortNamesConflict', message: inUseText(taken) }
  else if (names.shortNames) accepted.shortNames = names.shortNames
  else delete accepted.shortNames
  accept('kind', kinds)
  accept('listKind', kinds)
  if (names.categories) accepted.categories = names.categories
  else delete accepted.categories
  const condition: ConditionNews = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  return { accepted, condition }
}

function inUseText(names: readonly string[]): string {
  const texts = names.map(name => `${quote(name)} is already in use`)
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}

const APPROVAL = 'api-approved.kubernetes.io'

/** Whether the project has approved of a definition in one of its own groups. */
function approvalOf({ metadata, spec }: CustomResourceDefinition): ConditionNews | undefined {
  if (!isProtectedGroup(spec.group)) return undefined
  const type = 'KubernetesAPIApprovalPolicyConformant'
  const approval = metadata.annotations?.[APPROVAL] ?? ''
  const see = `protected groups must have approval annotation ${quote(APPROVAL)}`
  const source = 'see https://github.com/kubernetes/enhancements/pull/1111'
  if (approval === '') return { type, status: 'False', reason: 'MissingAnnotation', message: `${see}, ${source}` }
  if (approval.startsWith('unapproved'))
    return { type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${quote(approval)}` }
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(approval))
    return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${approval}` }
  const message = `${see} with either a URL or a reason starting with "unapproved", ${source}`
  return { type, status: 'False', reason: 'InvalidAnnotation', message }
}

/** Definitions of old may have schemas that would not be let in now: their objects are served all the same, without pruning. */
function structureOf({ spec }: CustomResourceDefinition): ConditionNews | undefined {
  const reasons = nonStructuralReasons(spec.versions)
  if (reasons.length === 0) return undefined
  const message = reasons.length === 1 ? reasons[0]! : `[${reasons.join(', ')}]`
  return { type: 'NonStructuralSchema', status: 'True', reason: 'Violations', message }
}
