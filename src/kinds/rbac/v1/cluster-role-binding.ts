import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { list, omitempty, required } from '#machinery/schema/schema.ts'
import { RoleRef } from './role-ref.ts'
import { Subject } from './subject.ts'

const fields = {
  subjects: omitempty(2, list(Subject)),
  roleRef: required(3, RoleRef),
}

export interface ClusterRoleBinding extends ObjectOfFields<typeof fields> {}

export const ClusterRoleBinding = defineKind({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  scope: 'Cluster',
  openapi: 'io.k8s.api.rbac.v1',
  createOnUpdate: true,
  fields,
})
