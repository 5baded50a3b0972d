import { decodeOwners } from '#machinery/apply/managed.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { ManagedFieldsEntry } from '#machinery/meta/object-meta.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { AdmissionRequest } from './admission.ts'

/**
 * What to do once a request was admitted: puts `metadata.managedFields` back as it is now, with a warning, if what it was changed to cannot be
 * read. A webhook made for an older API may drop what it does not know; nobody's fields shall lose their owner by that.
 */
export function managedFieldsKeeper(request: AdmissionRequest): () => void {
  const { object } = request
  const before = object?.metadata?.managedFields
  return () => {
    const metadata = object?.metadata as Mutable<ApiObject['metadata']> | undefined
    const after = metadata?.managedFields
    if (!metadata || after === before || equal(before, after)) return
    const why = problemOf(after)
    if (why === undefined) return
    if (before) metadata.managedFields = before
    else delete metadata.managedFields
    request.warn(`${WARNING}: ${why}`)
  }
}

const WARNING =
  '.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests'

/** Why entries are none, in upstream's words (`DecodeManagedFields`). */
function problemOf(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  for (const [index, { operation, apiVersion, fieldsType }] of (entries ?? []).entries()) {
    if (operation !== 'Apply' && operation !== 'Update') return 'operation must be `Apply` or `Update`'
    if (!apiVersion) return 'apiVersion must not be empty'
    if (!fieldsType) return `missing fieldsType in managed fields entry ${index}`
    if (fieldsType !== 'FieldsV1') return `invalid fieldsType ${quote(fieldsType)} in managed fields entry ${index}`
  }
  try {
    decodeOwners(entries)
    return undefined
  } catch (error) {
    return `error decoding versioned set: ${(error as Error).message}`
  }
}
