import { beside } from '#base/collections/beside.ts'
import type { Mutable } from '../kind/kind.ts'
import type { ManagedFieldsEntry } from '../meta/object-meta.ts'
import { FieldSet } from './field-set.ts'

/** What one manager owns: one entry of `managedFields`. */
export interface Owner {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly fields: FieldSet
  readonly time: string | undefined
}

/** All owners of an object by their identity: the same manager owns apart by operation, subresource and (for updates) version. */
export type Owners = ReadonlyMap<string, Owner>

/** What tells one owner from another. An applier stays the same whatever version it applies in. */
export function identityOf(owner: Pick<Owner, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const { manager, operation, apiVersion, subresource } = owner
  return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource])
}

/** Reads `metadata.managedFields`. Throws where an entry is not in the form that {@link encodeOwners} writes. */
export function decodeOwners(entries: readonly ManagedFieldsEntry[] | null | undefined): Owners {
  const owners = new Map<string, Owner>()
  for (const entry of entries ?? []) {
    const owner = ownerOf(entry)
    owners.set(identityOf(owner), owner)
  }
  return owners
}

/** The owner of one entry. Throws as {@link decodeOwners} does. */
export function ownerOf(entry: ManagedFieldsEntry): Owner {
  const { manager = '', operation, apiVersion = '', subresource = '', time, fieldsType, fieldsV1 } = entry
  if (operation !== 'Apply' && operation !== 'Update')
    throw new TypeError(`operation is \`${operation ?? ''}\` but must be \`Apply\` or \`Update\``)
  if (apiVersion === '') throw new TypeError('missing apiVersion')
  if (fieldsType !== 'FieldsV1') throw new TypeError(`invalid fieldsType: ${fieldsType ?? ''}`)
  return { manager, operation, apiVersion, subresource, time, fields: fieldsV1 ? FieldSet.fromFieldsV1(fieldsV1) : FieldSet.empty }
}

/** The entries of `metadata.managedFields`: appliers first, each kind by time and name. */
export function encodeOwners(owners: Owners): ManagedFieldsEntry[] {
  return [...owners.values()].sort(compareOwners).map(entryOf)
}

// Hot: bench/apiserver — most writes leave most owners as they are.
const entries = beside<ManagedFieldsEntry>()

/** The entry of one owner. */
export function entryOf(owner: Owner): ManagedFieldsEntry {
  const known = entries.get(owner)
  if (known) return known
  const entry = newEntryOf(owner)
  entries.set(owner, entry)
  return entry
}

/** The entry of an owner that is asked for once. */
export function newEntryOf(owner: Owner): ManagedFieldsEntry {
  const { manager, operation, apiVersion, subresource, time, fields } = owner
  const entry = {} as Mutable<ManagedFieldsEntry>
  if (manager !== '') entry.manager = manager
  entry.operation = operation
  entry.apiVersion = apiVersion
  if (time !== undefined) entry.time = time
  entry.fieldsType = 'FieldsV1'
  entry.fieldsV1 = fields.toFieldsV1() as Mutable<typeof entry>['fieldsV1']
  if (subresource !== '') entry.subresource = subresource
  return entry
}

/**
 * `next`, or `old` where the two differ in nothing but times. For writes that change nothing else of the object: they shall not change
 * that either. A write that did change something keeps `next`, with its new time.
 */
export function ignoringTimes(
  old: readonly ManagedFieldsEntry[] | undefined,
  next: readonly ManagedFieldsEntry[] | undefined,
): readonly ManagedFieldsEntry[] | undefined {
  if (!old || !next || old.length !== next.length) return next
  for (const entry of next) {
    const known = old.find(other => isSameOwner(other, entry))
    if (!known) return next
    if (known.fieldsV1 !== entry.fieldsV1 && JSON.stringify(known.fieldsV1) !== JSON.stringify(entry.fieldsV1)) return next
  }
  return old
}

/** Whether two entries are the same owner's, in the same version. */
export function isSameOwner(left: ManagedFieldsEntry, right: ManagedFieldsEntry): boolean {
  return (
    left === right ||
    (left.manager === right.manager &&
      left.operation === right.operation &&
      left.apiVersion === right.apiVersion &&
      left.subresource === right.subresource)
  )
}

/** Whether the entry is this owner's, who updates. */
export function isEntryOf({ manager, operation, apiVersion, subresource }: Owner, entry: ManagedFieldsEntry): boolean {
  return (
    (entry.manager ?? '') === manager &&
    entry.operation === operation &&
    entry.apiVersion === apiVersion &&
    (entry.subresource ?? '') === subresource
  )
}

/** The order in which owners stand. */
export function compareOwners(left: Standing, right: Standing): number {
  return (
    compareText(left.operation ?? '', right.operation ?? '') ||
    compareText(left.time ?? '', right.time ?? '') ||
    compareText(left.manager ?? '', right.manager ?? '') ||
    compareText(left.apiVersion ?? '', right.apiVersion ?? '') ||
    compareText(left.subresource ?? '', right.subresource ?? '')
  )
}

/** What an owner and its entry have in common. */
type Standing = { readonly [F in 'operation' | 'time' | 'manager' | 'apiVersion' | 'subresource']?: string | undefined }

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
