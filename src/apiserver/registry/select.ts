import type { ListOptions } from '#client/client.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { FieldSelector, parseFieldSelector } from '#machinery/selectors/field-selector.ts'
import { LabelSelector, SelectorError } from '#machinery/selectors/label-selector.ts'
import { parseLabelSelector } from '#machinery/selectors/parse-label-selector.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { type Selection, unknownField } from '../watch-cache/selection.ts'

/** What the selectors of a request mean for a kind. Throws 400 where they cannot be understood. */
export function selectionOf(
  kind: AnyKind,
  options: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
  requested: AnyKind = kind,
): Selection {
  const labels = options.labelSelector ? parsed(() => parseLabelSelector(options.labelSelector!)) : LabelSelector.everything
  const fields = options.fieldSelector ? parsed(() => parseFieldSelector(options.fieldSelector!)) : FieldSelector.everything
  const unknown = unknownField(requested, fields)
  if (unknown !== undefined) throw badRequest(unknownFieldText(requested, unknown))
  return { namespace: options.namespace ?? '', labels, fields: requested === kind ? fields : renamed(requested, fields) }
}

/** Upstream words it differently from group to group. */
function unknownFieldText(kind: AnyKind, field: string): string {
  if (!kind.hooks.selectableFields) return `${quote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
  if (kind.group === 'batch') return `field label ${quote(field)} not supported for ${kind.kind}`
  if (kind.group === 'resource.k8s.io') return `field label not supported for ${kind.apiVersion}, Kind=${kind.kind}: ${field}`
  return `field label not supported: ${field}`
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message, error)
    throw error
  }
}

/** A view may call a field by another name than the stored kind. */
function renamed(requested: AnyKind, fields: FieldSelector): FieldSelector {
  const names = requested.view?.fieldNames
  if (!names || fields.isEverything) return fields
  return new FieldSelector(fields.requirements.map(one => ({ ...one, field: names[one.field] ?? one.field })))
}
