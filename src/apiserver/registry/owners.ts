import type { Caller } from '#client/direct/api-handler.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'

/** Drops owner references that name an owner a second time, with a warning. */
export function dedupeOwners(object: Mutable<ApiObject>, caller: Caller): void {
  const owners = object.metadata.ownerReferences
  if (!owners || owners.length < 2) return
  const seen = new Set<string>()
  const repeated: string[] = []
  const kept = owners.filter(({ uid }) => {
    if (!seen.has(uid)) return Boolean(seen.add(uid))
    repeated.push(uid)
    return false
  })
  if (repeated.length === 0) return
  object.metadata.ownerReferences = kept
  caller.warn?.(
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; ' +
      `please fix your requests; duplicate UID(s) observed: ${repeated.join(', ')}`,
  )
}
