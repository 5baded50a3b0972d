import { type FieldsV1, textOf } from '../../apply/fields-v1.ts'
import type { ApiObject } from '../../kind/kind.ts'
import type { ManagedFieldsEntry } from '../../meta/object-meta.ts'
import { encodeJson } from './encode-json.ts'

/**
 * The JSON of an object, as {@link encodeJson} writes it; `managedFields` have to stand last in its metadata.
 *
 * Hot: bench/apiserver — objects made from one template own the same fields, which are half of the text of a pod: that part is kept beside
 * the shared sets and not written again with every object.
 */
export function encodeObject(object: ApiObject): string {
  const { managedFields, ...metadata } = object.metadata
  if (!managedFields || managedFields.length === 0) return encodeJson(object)
  let text = ''
  for (const key in object) {
    const value = (object as unknown as Record<string, unknown>)[key]
    if (value === undefined) continue
    text += `${text === '' ? '{' : ','}${encodeJson(key)}:${key === 'metadata' ? withEntries(encodeJson(metadata), managedFields) : encodeJson(value)}`
  }
  return `${text}}`
}

function withEntries(metadata: string, entries: readonly ManagedFieldsEntry[]): string {
  const head = metadata === '{}' ? '{' : `${metadata.slice(0, -1)},`
  return `${head}"managedFields":[${entries.map(entryText).join(',')}]}`
}

function entryText(entry: ManagedFieldsEntry): string {
  let text = ''
  for (const key in entry) {
    const value = entry[key as keyof ManagedFieldsEntry]
    if (value === undefined) continue
    const isFields = key === 'fieldsV1' && typeof value === 'object' && value !== null
    text += `${text === '' ? '{' : ','}"${key}":${isFields ? textOf(value as FieldsV1) : encodeJson(value)}`
  }
  return text === '' ? '{}' : `${text}}`
}
