import { draft } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, ObjectOf } from '#machinery/kind/kind.ts'
import { controllerOf, controllerReference } from '#machinery/meta/object-meta.ts'
import type { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { isInvalid, isNotFound } from '#machinery/status/status-error.ts'
import type { Tools } from './define-controller.ts'

/**
 * The objects that `owner` controls after it has adopted those without a controller that its selector selects, and released those that it no
 * longer does. Nothing is adopted by an owner that is being deleted.
 */
export async function claim<K extends AnyKind>(
  kind: K,
  ownerKind: AnyKind,
  owner: ApiObject,
  selector: LabelSelector,
  tools: Tools,
  mayAdopt: (object: ObjectOf<K>) => boolean = () => true,
): Promise<ObjectOf<K>[]> {
  const claimed: ObjectOf<K>[] = []
  for (const object of tools.list(kind, { ownedBy: owner })) {
    if (selector.matches((object as ApiObject).metadata.labels)) claimed.push(object)
    else if (!owner.metadata.deletionTimestamp) await release(kind, owner, object, tools)
  }
  if (owner.metadata.deletionTimestamp) return claimed
  const orphans = tools
    .list(kind, { orphansIn: owner.metadata.namespace ?? '', selector })
    .filter(object => !(object as ApiObject).metadata.deletionTimestamp && mayAdopt(object))
  if (orphans.length === 0 || !(await isStillThere(ownerKind, owner, tools))) return claimed
  for (const orphan of orphans) {
    const adopted = await adopt(kind, owner, orphan, tools)
    if (adopted) claimed.push(adopted)
  }
  return claimed
}

/** The cache may be behind: an owner that was deleted meanwhile must not adopt what its successor will. */
async function isStillThere(kind: AnyKind, owner: ApiObject, tools: Tools): Promise<boolean> {
  try {
    const fresh = (await tools.client.get(kind, owner)) as ApiObject
    return fresh.metadata.uid === owner.metadata.uid && !fresh.metadata.deletionTimestamp
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

async function adopt<K extends AnyKind>(
  kind: K,
  owner: ApiObject,
  object: ObjectOf<K>,
  { client }: Tools,
): Promise<ObjectOf<K> | undefined> {
  const { uid, resourceVersion, ownerReferences = [] } = (object as ApiObject).metadata
  const others = ownerReferences.filter(reference => reference.uid !== owner.metadata.uid)
  const metadata = { uid, resourceVersion, ownerReferences: [...draft(others), controllerReference(owner)] }
  try {
    return await client.patch(kind, object, { type: 'merge', body: { metadata } })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function release(kind: AnyKind, owner: ApiObject, object: ApiObject, { client }: Tools): Promise<void> {
  if (controllerOf(object)?.uid !== owner.metadata.uid) return
  const { uid, resourceVersion, ownerReferences = [] } = object.metadata
  const rest = ownerReferences.filter(reference => reference.uid !== owner.metadata.uid)
  const metadata = { uid, resourceVersion, ownerReferences: rest.length > 0 ? draft(rest) : null }
  try {
    await client.patch(kind, object, { type: 'merge', body: { metadata } })
  } catch (error) {
    if (!isNotFound(error) && !isInvalid(error)) throw error
  }
}
