import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { isPathSegmentName } from '#machinery/meta/names.ts'
import { list, omitempty, required } from '#machinery/schema/schema.ts'
import { bindingColumns } from './binding.columns.ts'
import { validateBinding, validateSameRole } from './rbac.rules.ts'
import { RoleRef } from './role-ref.ts'
import { Subject } from './subject.ts'

const fields = {
  subjects: omitempty(2, list(Subject), 'Whom the role is given to.'),
  roleRef: required(3, RoleRef, 'The role that is given.'),
}

export interface ClusterRoleBinding extends ObjectOfFields<typeof fields> {}

export const ClusterRoleBinding = defineKind({
  documentation: 'Gives a role to somebody, in the whole cluster.',
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  openapi: 'io.k8s.api.rbac.v1',
  createOnUpdate: true,
  validateName: isPathSegmentName,
  fields,
  columns: bindingColumns(
    'clusterRoleBinding',
    'RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
  ),
  validate: (binding, errors) => validateBinding(binding, false, errors),
  validateUpdate: ({ roleRef }, old, errors) => validateSameRole(roleRef, old.roleRef, errors),
})
