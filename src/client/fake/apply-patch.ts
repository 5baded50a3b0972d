import { draft } from '#machinery/kind/draft.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { applyStrategicMergePatch } from '#machinery/patch/strategic-merge-patch.ts'
import type { JsonPatchOperation, Patch } from '../client.ts'

/** The object that a patch makes of `object`, one of `kind`. Apply is taken as a merge patch: nobody owns fields here. */
export function applyPatch(kind: AnyKind, object: object, patch: Patch): object {
  if (patch.type === 'strategic') return applyStrategicMergePatch(draft(object) as JsonObject, patch.body, kind.schema)
  if (patch.type === 'json') return patch.body.reduce(applyOperation, draft(object) as Record<string, unknown>)
  return merged(draft(object), patch.body) as object
}

function merged(target: unknown, change: unknown): unknown {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) return change
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {}
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

function applyOperation(object: Record<string, unknown>, { op, path, value }: JsonPatchOperation): Record<string, unknown> {
  const parts = path
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = parts.pop() ?? ''
  let at: unknown = object
  for (const part of parts) at = (at as Record<string, unknown>)[part]
  if (Array.isArray(at)) {
    const index = last === '-' ? at.length : Number(last)
    if (op === 'remove') at.splice(index, 1)
    else if (op === 'add') at.splice(index, 0, value)
    else if (op === 'replace') at[index] = value
  } else {
    const fields = at as Record<string, unknown>
    if (op === 'remove') delete fields[last]
    else if (op === 'add' || op === 'replace') fields[last] = value
  }
  return object
}
