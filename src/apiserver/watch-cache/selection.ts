import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { FieldSelector } from '#machinery/selectors/field-selector.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'

/** Which objects of a kind a list or a watch is about. */
export interface Selection {
  /** '' for all namespaces. */
  readonly namespace: string
  readonly labels: LabelSelector
  readonly fields: FieldSelector
}

export const everything: Selection = { namespace: '', labels: LabelSelector.everything, fields: FieldSelector.everything }

/** Whether the selection asks for more than a namespace. */
export function isSelective(selection: Selection): boolean {
  return !selection.labels.isEverything || !selection.fields.isEverything
}

// Hot: bench/apiserver — asked for every event and every watcher, and for every object of a selective list.
/** Whether labels and fields of `object` are selected; its namespace is not looked at. */
export function isSelected(kind: AnyKind, object: ApiObject, { labels, fields }: Selection): boolean {
  if (!labels.isEverything && !labels.matches(object.metadata.labels)) return false
  for (const { field, operator, value } of fields.requirements) {
    if ((fieldOf(kind, object, field) === value) !== (operator === '=')) return false
  }
  return true
}

/** The value of a selectable field; '' where there is none. */
export function fieldOf(kind: AnyKind, object: ApiObject, field: string): string {
  if (field === 'metadata.name') return object.metadata.name ?? ''
  if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
  const fields = kind.hooks.selectableFields
  const read = fields && Object.hasOwn(fields, field) ? fields[field] : undefined
  if (!read) return ''
  try {
    return read(object)
  } catch {
    // An object that somebody else has stored may lack what the kind always has: it is not selected by that field, and all else goes on.
    return ''
  }
}

/** The first field of the selector that objects of `kind` cannot be selected by. */
export function unknownField(kind: AnyKind, fields: FieldSelector): string | undefined {
  for (const { field } of fields.requirements) {
    if (field === 'metadata.name' || (field === 'metadata.namespace' && kind.scope === 'Namespaced')) continue
    if (!kind.hooks.selectableFields || !Object.hasOwn(kind.hooks.selectableFields, field)) return field
  }
  return undefined
}
