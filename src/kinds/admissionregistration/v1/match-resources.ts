import { defaulted, inline, list, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { MatchPolicyType } from './match-policy-type.ts'
import { RuleWithOperations } from './rule-with-operations.ts'

export const NamedRuleWithOperations = message(
  'io.k8s.api.admissionregistration.v1.NamedRuleWithOperations',
  {
    resourceNames: omitempty(1, list(string), 'Names of single objects; empty stands for all.'),
    ...inline(2, RuleWithOperations),
  },
  { mapType: 'atomic' },
)
export interface NamedRuleWithOperations extends StoredOf<typeof NamedRuleWithOperations> {}

export const MatchResources = message(
  'io.k8s.api.admissionregistration.v1.MatchResources',
  {
    namespaceSelector: defaulted(1, LabelSelector, {}, 'Which namespaces are meant, by their labels.'),
    objectSelector: defaulted(2, LabelSelector, {}, 'Which objects are meant, by their labels.'),
    resourceRules: omitempty(3, list(NamedRuleWithOperations), 'Rules about resources.'),
    excludeResourceRules: omitempty(4, list(NamedRuleWithOperations), 'What is not meant, though other rules say so.'),
    matchPolicy: defaulted(7, MatchPolicyType, 'Equivalent', 'Whether other versions of the same resource match as well.'),
  },
  { mapType: 'atomic' },
)
export interface MatchResources extends StoredOf<typeof MatchResources> {}
