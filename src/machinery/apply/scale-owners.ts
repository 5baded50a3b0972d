import type { ManagedFieldsEntry } from '../meta/object-meta.ts'
import { FieldSet } from './field-set.ts'
import { decodeOwners, encodeOwners, identityOf, type Owner, type Owners } from './managed.ts'

/** Where a kind keeps the number of replicas, by version: `{ 'apps/v1': ['f:spec', 'f:replicas'] }`. */
export type ReplicasPaths = Readonly<Record<string, readonly string[]>>

type Entries = readonly ManagedFieldsEntry[]

/** The managedFields of an object as its `scale` shows them: who owns the replicas, as owners of the Scale's own field. */
export function scaleManagedFields(entries: Entries, paths: ReplicasPaths): Entries {
  const owners = new Map<string, Owner>()
  for (const [id, owner] of decodeOwners(entries)) {
    if (owns(owner, paths[owner.apiVersion])) owners.set(id, { ...owner, apiVersion: SCALE_VERSION, fields: FieldSet.of(SCALE_REPLICAS) })
  }
  return encodeOwners(owners)
}

/**
 * The managedFields of the object after its `scale` was written: whoever owns the Scale's replicas owns the object's, and who no longer
 * does has lost them. `apiVersion` is the version of the object in which the scale was written.
 */
export function managedFieldsAfterScale(entries: Entries, scaleEntries: Entries, paths: ReplicasPaths, apiVersion: string): Entries {
  const left = new Map([...decodeOwners(scaleEntries)].filter(([, owner]) => owns(owner, SCALE_REPLICAS)))
  const after = new Map<string, Owner>()
  for (const [id, owner] of decodeOwners(entries)) {
    const path = paths[owner.apiVersion]
    // Fields of a version that is no longer served belong to nobody.
    if (!path) continue
    if (!owns(owner, path) || left.delete(identityOf({ ...owner, apiVersion: SCALE_VERSION }))) {
      after.set(id, owner)
      continue
    }
    const fields = owner.fields.difference(FieldSet.of(path))
    if (!fields.isEmpty) after.set(id, { ...owner, fields })
  }
  return encodeOwners(withTaken(after, left, paths[apiVersion], apiVersion))
}

const SCALE_VERSION = 'autoscaling/v1'
const SCALE_REPLICAS = ['f:spec', 'f:replicas']

function withTaken(owners: ReadonlyMap<string, Owner>, taken: Owners, path: readonly string[] | undefined, apiVersion: string): Owners {
  const after = new Map(owners)
  if (!path) return after
  for (const owner of taken.values()) {
    const own = { ...owner, apiVersion, fields: FieldSet.of(path), time: undefined }
    const id = identityOf(own)
    const known = after.get(id)
    after.set(id, known ? { ...known, fields: known.fields.union(own.fields) } : own)
  }
  return after
}

function owns({ fields }: Owner, path: readonly string[] | undefined): boolean {
  if (!path) return false
  let set = fields
  for (const step of path.slice(0, -1)) set = set.below(step)
  return set.has(path.at(-1) ?? '')
}
