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

export interface RoleBinding extends ObjectOfFields<typeof fields> {}

export const RoleBinding = defineKind({
  documentation: 'Gives a role to somebody, in a namespace.',
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.rbac.v1',
  createOnUpdate: true,
  validateName: isPathSegmentName,
  fields,
  columns: bindingColumns(
    'roleBinding',
    'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
  ),
  validate: (binding, errors) => validateBinding(binding, true, errors),
  validateUpdate: ({ roleRef }, old, errors) => validateSameRole(roleRef, old.roleRef, errors),
})
