import type { Client } from '#client/client.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { ClusterRoleBinding } from '#kinds/rbac/v1/cluster-role-binding.ts'
import { applyAddon } from '../components/apply-addon.ts'
import { AUTHORITY_PATH, JOIN_PATHS } from '../join/join-messages.ts'

const NAME = 'typernetes:join'

/** Lets everybody ask to join: who may is decided by the token. It is a role like any other, so that it can be seen who is let near. */
export async function allowJoining(client: Client): Promise<void> {
  await applyAddon(client, ClusterRole, {
    metadata: { name: NAME },
    rules: [
      { verbs: ['get'], nonResourceURLs: [AUTHORITY_PATH] },
      { verbs: ['post'], nonResourceURLs: Object.values(JOIN_PATHS) },
    ],
  })
  await applyAddon(client, ClusterRoleBinding, {
    metadata: { name: NAME },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: NAME },
    subjects: ['system:authenticated', 'system:unauthenticated'].map(name => ({
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'Group',
      name,
    })),
  })
}
