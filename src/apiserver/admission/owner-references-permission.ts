import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { OwnerReference } from '#machinery/kind/object-meta.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { Authorizer, ResourceAttributes } from '../authorization/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

/**
 * Whoever says who owns an object decides when it is deleted: so he has to be allowed to delete it, and to hold up an owner's deletion
 * only where he may set the owner's finalizers.
 */
export function ownerReferencesPermissionEnforcement(authorizer: Authorizer, kinds: () => KindRegistry): AdmissionPlugin {
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    async validate(request) {
      const { operation, object, old } = request
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || equal(ownersOf(object), ownersOf(old))) return
      if (operation === 'UPDATE') await mayDelete(authorizer, request)
      for (const owner of newlyBlocking(object, old)) await maySetFinalizers(authorizer, request, owner, kinds())
    },
  }
}

async function mayDelete(authorizer: Authorizer, request: AdmissionRequest): Promise<void> {
  const { kind, subresource, namespace, name } = request
  const why = await refusalOf(authorizer, request, 'delete', kind, subresource, namespace, name)
  if (why !== undefined) throw refused(request, `cannot set an ownerRef on a resource you can't delete: ${why}, <nil>`)
}

async function maySetFinalizers(
  authorizer: Authorizer,
  request: AdmissionRequest,
  owner: OwnerReference,
  kinds: KindRegistry,
): Promise<void> {
  const { apiVersion, kind: kindName, name } = owner
  const { group, version } = groupVersionOf(apiVersion)
  const kind = kinds.byKind(group, version, kindName)
  if (!kind) {
    const unknown = `no matches for kind "${kindName}" in version "${apiVersion}"`
    throw refused(
      request,
      `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${apiVersion} Kind ${kindName}: ${unknown}`,
    )
  }
  const namespace = kind.scope === 'Namespaced' ? request.namespace : ''
  const why = await refusalOf(authorizer, request, 'update', kind, 'finalizers', namespace, name)
  if (why === undefined) return
  throw refused(
    request,
    `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${why}, <nil>`,
  )
}

/** Why the user may not; undefined if he may. */
async function refusalOf(
  authorizer: Authorizer,
  { user }: AdmissionRequest,
  verb: string,
  { group, version, plural: resource }: AnyKind,
  subresource: string,
  namespace: string,
  name: string,
): Promise<string | undefined> {
  const attributes: ResourceAttributes = { user, verb, group, version, resource, subresource, namespace, name }
  const { verdict, reason } = await authorizer.authorize(attributes)
  return verdict === 'allow' ? undefined : reason
}

function refused({ kind, name }: AdmissionRequest, why: string) {
  return forbidden({ group: kind.group, resource: kind.plural }, name, why)
}

function ownersOf(object: ApiObject | undefined): readonly OwnerReference[] {
  return object?.metadata?.ownerReferences ?? []
}

/** Owners that wait for this object and did not before. */
function newlyBlocking(object: ApiObject | undefined, old: ApiObject | undefined): OwnerReference[] {
  const before = new Set(
    ownersOf(old)
      .filter(isBlocking)
      .map(({ uid }) => uid),
  )
  return ownersOf(object).filter(owner => isBlocking(owner) && !before.has(owner.uid))
}

function isBlocking({ blockOwnerDeletion }: OwnerReference): boolean {
  return blockOwnerDeletion === true
}
