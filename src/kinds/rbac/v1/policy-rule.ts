import { list, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const PolicyRule = message('io.k8s.api.rbac.v1.PolicyRule', {
  verbs: required(1, list(string)),
  apiGroups: omitempty(2, list(string)),
  resources: omitempty(3, list(string)),
  resourceNames: omitempty(4, list(string)),
  nonResourceURLs: omitempty(5, list(string)),
})
export interface PolicyRule extends StoredOf<typeof PolicyRule> {}
