import type { UserInfo } from '#client/direct/api-handler.ts'
import type { LocalSubjectAccessReview } from '#kinds/authorization/v1/local-subject-access-review.ts'
import type { ResourceAttributes as RequestedAttributes } from '#kinds/authorization/v1/resource-attributes.ts'
import type { SelfSubjectAccessReview } from '#kinds/authorization/v1/self-subject-access-review.ts'
import type { SelfSubjectRulesReview } from '#kinds/authorization/v1/self-subject-rules-review.ts'
import type { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import { badRequest, invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import type { Review } from './review.ts'

const GROUP = 'authorization.k8s.io'

/** May somebody do something? Asked of the authorizer that requests are checked by (`kubectl auth can-i`). */
export function accessReviews(authorizer: Authorizer): readonly Review[] {
  const decide = async (user: UserInfo, spec: Spec) => {
    const { verdict, reason } = await authorizer.authorize(attributesOf(user, spec))
    return { allowed: verdict === 'allow', ...(verdict === 'deny' ? { denied: true } : {}), ...(reason === '' ? {} : { reason }) }
  }
  return [
    {
      group: GROUP,
      resource: 'subjectaccessreviews',
      async answer(object) {
        const { spec } = object as SubjectAccessReview
        check(spec, errors => checkSubject(spec, errors))
        return decide(subjectOf(spec), spec)
      },
    },
    {
      group: GROUP,
      resource: 'localsubjectaccessreviews',
      async answer(object) {
        const { spec, metadata } = object as LocalSubjectAccessReview
        check(spec, errors => {
          checkSubject(spec, errors)
          const asked = spec.resourceAttributes?.namespace ?? ''
          if (spec.nonResourceAttributes)
            errors.at('nonResourceAttributes').invalid(printed(spec.nonResourceAttributes), 'disallowed on this kind of request')
          else if (asked !== metadata.namespace)
            errors.at('resourceAttributes').at('namespace').invalid(asked, 'must match metadata.namespace')
        })
        return decide(subjectOf(spec), spec)
      },
    },
    {
      group: GROUP,
      resource: 'selfsubjectaccessreviews',
      async answer(object, { user }) {
        const { spec } = object as SelfSubjectAccessReview
        check(spec, () => {})
        return decide(user, spec)
      },
    },
    {
      group: GROUP,
      resource: 'selfsubjectrulesreviews',
      async answer(object, { user }) {
        const namespace = (object as SelfSubjectRulesReview).spec.namespace
        if (!namespace) throw badRequest('no namespace on request')
        const none = { resourceRules: [], nonResourceRules: [], incomplete: true, problem: undefined }
        const { problem, ...rules } = authorizer.rulesFor?.(user, namespace) ?? none
        return { ...rules, resourceRules: rules.resourceRules.map(withoutEmpty), ...(problem ? { evaluationError: problem } : {}) }
      },
    },
  ]
}

type Spec = SelfSubjectAccessReview['spec']

/** Attributes as upstream prints them in a message: by the names of its internal type. */
function printed({ path = '', verb = '' }: NonNullable<Spec['nonResourceAttributes']>): object {
  return { Path: path, Verb: verb }
}

function check(spec: Spec, more: (errors: FieldErrors) => void): void {
  const errors = new FieldErrors()
  const at = errors.at('spec')
  const { resourceAttributes, nonResourceAttributes } = spec
  if (resourceAttributes && nonResourceAttributes) {
    at.at('nonResourceAttributes').invalid(printed(nonResourceAttributes), 'cannot be specified in combination with resourceAttributes')
  } else if (!resourceAttributes && !nonResourceAttributes) {
    at.at('resourceAttributes').invalid(null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')
  }
  for (const name of ['fieldSelector', 'labelSelector'] as const) {
    const { rawSelector = '', requirements = [] } = resourceAttributes?.[name] ?? {}
    if (rawSelector === '' || requirements.length === 0) continue
    at.at('resourceAttributes').at(name).at('rawSelector').invalid(rawSelector, 'may not specified at the same time as requirements')
  }
  more(at)
  if (!errors.isEmpty) throw invalid({ group: GROUP, kind: '' }, '', errors.all)
}

function checkSubject({ user = '', groups = [] }: SubjectAccessReview['spec'], errors: FieldErrors): void {
  if (user === '' && groups.length === 0) errors.at('user').invalid('', 'at least one of user or group must be specified')
}

function subjectOf({ user = '', groups = [], uid, extra }: SubjectAccessReview['spec']): UserInfo {
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
}

function attributesOf(user: UserInfo, { resourceAttributes, nonResourceAttributes }: Spec): Attributes {
  if (nonResourceAttributes) return { user, verb: nonResourceAttributes.verb ?? '', path: nonResourceAttributes.path ?? '' }
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '' } = resourceAttributes!
  const fieldSelector = selectorOf(resourceAttributes!.fieldSelector)
  const labelSelector = selectorOf(resourceAttributes!.labelSelector)
  return {
    user,
    verb,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(labelSelector ? { labelSelector } : {}),
  }
}

/** The selector as text; requirements that a text cannot say are left out, which allows no more than they would. */
function selectorOf(selector: RequestedAttributes['fieldSelector'] | RequestedAttributes['labelSelector']): string | undefined {
  if (!selector) return undefined
  if (selector.rawSelector) return selector.rawSelector
  const single = (selector.requirements ?? []).filter(({ operator, values = [] }) => operator === 'In' && values.length === 1)
  return single.map(({ key, values }) => `${key}=${values![0]}`).join(',')
}

function withoutEmpty<R extends { readonly resourceNames: readonly string[] }>(rule: R): object {
  const { resourceNames, ...rest } = rule
  return resourceNames.length > 0 ? rule : rest
}
