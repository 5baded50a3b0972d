import { defaulted, inline, list, message, omitempty, oneOf, type StoredOf, string } from '#machinery/schema/schema.ts'

export const Rule = message('io.k8s.api.admissionregistration.v1.Rule', {
  apiGroups: omitempty(1, list(string), 'API groups; `*` stands for all.'),
  apiVersions: omitempty(2, list(string), 'API versions; `*` stands for all.'),
  resources: omitempty(3, list(string), 'Resources; `*` stands for all.'),
  scope: defaulted(4, oneOf('*', 'Cluster', 'Namespaced'), '*', 'Whether namespaced resources, others, or both.'),
})
export interface Rule extends StoredOf<typeof Rule> {}

export const RuleWithOperations = message('io.k8s.api.admissionregistration.v1.RuleWithOperations', {
  operations: omitempty(
    1,
    list(oneOf('*', 'CREATE', 'UPDATE', 'DELETE', 'CONNECT')),
    'What is done: `CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`.',
  ),
  ...inline(2, Rule),
})
export interface RuleWithOperations extends StoredOf<typeof RuleWithOperations> {}
