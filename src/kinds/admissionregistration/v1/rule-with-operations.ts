import { defaulted, inline, list, message, omitempty, oneOf, type StoredOf, string } from '#machinery/schema/schema.ts'

export const Rule = message('io.k8s.api.admissionregistration.v1.Rule', {
  apiGroups: omitempty(1, list(string), 'API groups; `*` stands for all.'),
  apiVersions: omitempty(2, list(string)),
  resources: omitempty(3, list(string)),
  scope: defaulted(4, oneOf('*', 'Cluster', 'Namespaced'), '*'),
})
export interface Rule extends StoredOf<typeof Rule> {}

export const RuleWithOperations = message('io.k8s.api.admissionregistration.v1.RuleWithOperations', {
  operations: omitempty(1, list(oneOf('*', 'CREATE', 'UPDATE', 'DELETE', 'CONNECT'))),
  ...inline(2, Rule),
})
export interface RuleWithOperations extends StoredOf<typeof RuleWithOperations> {}
