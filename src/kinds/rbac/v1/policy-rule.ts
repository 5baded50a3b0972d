import { list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const PolicyRule = message('io.k8s.api.rbac.v1.PolicyRule', {
  verbs: required(1, list(string), 'What may be done: `get`, `list`, … or `*`.'),
  apiGroups: omitempty(2, list(string), 'API groups; `*` stands for all.'),
  resources: omitempty(3, list(string), 'Resources; `*` stands for all.'),
  resourceNames: omitempty(4, list(string), 'Names of single objects; empty stands for all.'),
  nonResourceURLs: omitempty(5, list(string), 'URL paths that are no resources; a trailing `*` is a wildcard.'),
})
export interface PolicyRule extends StoredOf<typeof PolicyRule> {}
