import { describe, expect, it } from 'vitest'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import type { Authorizer, ResourceAttributes } from '../authorization/authorizer.ts'
import type { AdmissionRequest } from './admission.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references-permission.ts'

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u1' }
const withOwners = (...ownerReferences: object[]) => ({ metadata: { name: 'x', namespace: 'shop', ownerReferences } })

/** Admits a write by somebody who may do what is listed, as `verb resource/subresource`. */
function admit(allowed: readonly string[], operation: string, object: object, old?: object) {
  const authorizer: Authorizer = {
    name: 'test',
    authorize(attributes) {
      const { verb, resource, subresource } = attributes as ResourceAttributes
      return { verdict: allowed.includes(`${verb} ${resource}/${subresource}`) ? 'allow' : 'no opinion', reason: 'not yours' }
    },
  }
  const plugin = ownerReferencesPermissionEnforcement(authorizer, () => kindRegistry([Pod, ReplicaSet]))
  const request = { operation, kind: Pod, subresource: '', namespace: 'shop', name: 'x', object, old, user: { name: 'ann', groups: [] } }
  return Promise.resolve(plugin.validate!(request as unknown as AdmissionRequest))
}

describe('OwnerReferencesPermissionEnforcement', () => {
  it('lets owners be changed by those who may delete the object', async () => {
    await admit(['delete pods/'], 'UPDATE', withOwners(owner), withOwners())
    await admit([], 'UPDATE', withOwners(owner), withOwners(owner))
    await admit([], 'CREATE', withOwners(owner))
    await expect(admit([], 'UPDATE', withOwners(), withOwners(owner))).rejects.toThrow(
      `pods "x" is forbidden: cannot set an ownerRef on a resource you can't delete: not yours`,
    )
  })

  it('lets deletions be held up by those who may set finalizers of the owner', async () => {
    const blocking = { ...owner, blockOwnerDeletion: true }
    await admit(['update replicasets/finalizers'], 'CREATE', withOwners(blocking))
    await expect(admit([], 'CREATE', withOwners(blocking))).rejects.toThrow(
      `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: not yours`,
    )
    await expect(admit([], 'CREATE', withOwners({ ...blocking, kind: 'Gone' }))).rejects.toThrow(
      'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion apps/v1 Kind Gone',
    )
    await admit(['delete pods/'], 'UPDATE', withOwners(blocking, { ...owner, uid: 'u2' }), withOwners(blocking))
  })
})
