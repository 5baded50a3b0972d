import { embedded, message, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const RoleRef = message(
  'io.k8s.api.rbac.v1.RoleRef',
  {
    apiGroup: embedded(1, string, 'The API group; empty for the core one.'),
    kind: required(2, string, '`Role` or `ClusterRole`.'),
    name: required(3, string, 'The role.'),
  },
  {
    mapType: 'atomic',
    applyDefaults(ref) {
      ref.apiGroup ||= 'rbac.authorization.k8s.io'
    },
  },
)
export interface RoleRef extends StoredOf<typeof RoleRef> {}
