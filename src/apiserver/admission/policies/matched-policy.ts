import type { MatchResources } from '#kinds/admissionregistration/v1/match-resources.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { AdmissionRequest } from '../admission.ts'
import { type MatchFacts, matchedKind } from '../match-resources.ts'

/** The version in which a policy is about a request; undefined if it is not. */
export function matchedPolicy(constraints: MatchResources | undefined, request: AdmissionRequest, facts: MatchFacts): AnyKind | undefined {
  return constraints && matchedKind(request, criteriaOf(constraints, constraints.resourceRules ?? []), facts)
}

/** Whether a binding puts its policy to use for a request: one without rules does so wherever its selectors match. */
export function bindingMatches(resources: MatchResources | undefined, request: AdmissionRequest, facts: MatchFacts): boolean {
  if (resources === undefined) return true
  const { resourceRules = [] } = resources
  return matchedKind(request, criteriaOf(resources, resourceRules.length === 0 ? undefined : resourceRules), facts) !== undefined
}

function criteriaOf(
  { namespaceSelector, objectSelector, excludeResourceRules, matchPolicy }: MatchResources,
  rules: MatchResources['resourceRules'],
) {
  return { namespaceSelector, objectSelector, rules, excludedRules: excludeResourceRules, matchPolicy }
}
