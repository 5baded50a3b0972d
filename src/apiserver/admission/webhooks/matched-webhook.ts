import type { Authorizer } from '../../authorization/authorizer.ts'
import { type MatchFacts, matchedKind } from '../match-resources.ts'
import type { Asking, Question } from './ask-webhook.ts'
import { meetsConditions } from './match-conditions.ts'
import { reviewed } from './reviewed.ts'

/** The version in which a webhook is to see the request, and what it is shown; undefined if it is not asked. */
export async function matchedWebhook(
  { metrics }: Asking,
  { type, hook, request }: Pick<Question, 'type' | 'hook' | 'request'>,
  facts: MatchFacts & { readonly authorizer: Authorizer },
): Promise<Pick<Question, 'kind' | 'shown'> | undefined> {
  const { name, namespaceSelector, objectSelector, rules = [], matchPolicy } = hook.webhook
  const kind = matchedKind(request, { namespaceSelector, objectSelector, rules, matchPolicy }, facts)
  if (!kind) return undefined
  const shown = await reviewed(request, kind)
  if (await meetsConditions(hook, { request, kind, shown }, facts.authorizer)) return { kind, shown }
  metrics.countExclusion({ name, kind: 'webhook', type, operation: request.operation })
  return undefined
}
