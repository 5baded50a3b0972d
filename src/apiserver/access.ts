import type { Caller, UserInfo } from '#client/direct/api-handler.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { forbidden } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Attributes, Authorizer, Decision, ResourceAttributes } from './authorization/authorizer.ts'

/** What is asked for, before it is known whether it may be. */
export interface Access {
  readonly verb: string
  readonly kind: AnyKind
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly fieldSelector?: string | undefined
  readonly labelSelector?: string | undefined
}

/** Refuses with 403 what `caller` may not do. Answers at once where the authorizer does. */
export function checkAccess(authorizer: Authorizer, caller: Caller, access: Access): void | Promise<void> {
  const attributes = attributesOf(caller.user, access)
  const decision = authorizer.authorize(attributes)
  const enforce = (decided: Decision) => {
    if (caller.annotate) annotateDecision(caller.annotate, decided)
    if (decided.verdict !== 'allow') throw refusal(attributes, decided.reason)
  }
  return decision instanceof Promise ? decision.then(enforce) : enforce(decision)
}

/** Tells an audit what was decided, and why. */
export function annotateDecision(annotate: NonNullable<Caller['annotate']>, { verdict, reason }: Decision): void {
  annotate('authorization.k8s.io/decision', verdict === 'allow' ? 'allow' : 'forbid')
  annotate('authorization.k8s.io/reason', reason)
}

/** The 403 for what was asked. */
export function refusal(attributes: Attributes, reason: string) {
  const sentence = sentenceOf(attributes)
  const why = reason === '' ? sentence : `${sentence}: ${reason}`
  if (!('resource' in attributes)) return forbidden({ group: '', resource: '' }, '', why)
  return forbidden({ group: attributes.group, resource: attributes.resource }, attributes.name, why)
}

function attributesOf(user: UserInfo, access: Access): ResourceAttributes {
  const { verb, kind, subresource, namespace, name, fieldSelector, labelSelector } = access
  return {
    user,
    verb,
    group: kind.group,
    version: kind.version,
    resource: kind.plural,
    subresource,
    namespace,
    name,
    ...(fieldSelector ? { fieldSelector } : {}),
    ...(labelSelector ? { labelSelector } : {}),
  }
}

function sentenceOf(attributes: Attributes): string {
  const user = `User ${quote(attributes.user.name)} cannot ${attributes.verb}`
  if (!('resource' in attributes)) return `${user} path ${quote(attributes.path)}`
  const { resource, subresource, group, namespace } = attributes
  const what = `${user} resource ${quote(subresource === '' ? resource : `${resource}/${subresource}`)} in API group ${quote(group)}`
  return namespace === '' ? `${what} at the cluster scope` : `${what} in the namespace ${quote(namespace)}`
}
