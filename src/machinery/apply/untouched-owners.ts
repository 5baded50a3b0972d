import type { ManagedFieldsEntry } from '../meta/object-meta.ts'
import { isEmptyObject, isJsonObject } from '../patch/json-object.ts'
import type { FieldSet } from './field-set.ts'
import { type FieldsV1, isCanonical } from './fields-v1.ts'
import { isSameOwner } from './managed.ts'

type Entries = readonly ManagedFieldsEntry[]

/**
 * Whether what these entries own can be told from their `fieldsV1` as they stand: all of this version, each of another owner, in the form that
 * we write, and nothing of it in `nobodys`.
 */
export function areReadable(entries: Entries, apiVersion: string, nobodys: FieldSet): boolean {
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index]!
    const { operation, fieldsType, fieldsV1 } = entry
    if ((operation !== 'Apply' && operation !== 'Update') || entry.apiVersion !== apiVersion || fieldsType !== 'FieldsV1') return false
    if (!isJsonObject(fieldsV1) || !isCanonical(fieldsV1) || isEmptyObject(fieldsV1) || owns(fieldsV1, nobodys)) return false
    for (let other = 0; other < index; other++) if (isSameOwner(entries[other]!, entry)) return false
  }
  return true
}

/** Whether any path of `set` is in `fields`, which have to be canonical. */
export function owns(fields: FieldsV1, set: FieldSet): boolean {
  for (const step of set.members) {
    const below = fields[step] as FieldsV1 | undefined
    if (below !== undefined && isMember(below)) return true
  }
  for (const [step, parts] of set.children) {
    const below = fields[step] as FieldsV1 | undefined
    if (below !== undefined && owns(below, parts)) return true
  }
  return false
}

/** Whether a step with this below it is in the set itself. */
function isMember(below: FieldsV1): boolean {
  return below['.'] !== undefined || isEmptyObject(below)
}
