import type { AnyKind } from '#machinery/kind/kind.ts'
import type { AdmissionRequest } from '../admission.ts'
import { type MatchFacts, matchedKind } from '../match-resources.ts'
import type { Hook } from './hooks.ts'

/** The version in which a webhook is to see the request; undefined if it is not asked. */
export function matchedWebhook({ webhook }: Hook, request: AdmissionRequest, facts: MatchFacts): AnyKind | undefined {
  const { namespaceSelector, objectSelector, rules = [], matchPolicy } = webhook
  return matchedKind(request, { namespaceSelector, objectSelector, rules, matchPolicy }, facts)
}
