import { badRequest, genericFailure } from '../status/failures.ts'
import { isJsonObject, type JsonObject, jsonTypeOf, setAt, valueAt } from './json-object.ts'

/**
 * `document` changed by a JSON merge patch (RFC 7386): objects are merged, null deletes, everything else replaces. Nothing of the
 * document is changed; what the patch does not touch is shared. Throws the failure that the client is to see.
 */
export function applyMergePatch(document: JsonObject, patch: unknown): JsonObject {
  if (patch === null) throw genericFailure({ code: 422, serverMessage: 'Invalid JSON Patch' })
  if (!isJsonObject(patch)) {
    throw badRequest(`error decoding patch: json: cannot unmarshal ${jsonTypeOf(patch)} into Go value of type map[string]interface {}`)
  }
  return merged(document, patch)
}

/** One object that is being merged; a list of these instead of recursion, since the depth is the client's choice. */
interface Step {
  readonly target: Record<string, unknown>
  readonly patch: JsonObject
}

function merged(document: JsonObject, patch: JsonObject): JsonObject {
  const root = { ...document }
  const steps: Step[] = [{ target: root, patch }]
  for (let step = steps.pop(); step; step = steps.pop()) {
    for (const key of Object.keys(step.patch)) {
      const change = step.patch[key]
      const current = valueAt(step.target, key)
      if (change === null) delete step.target[key]
      else if (!isJsonObject(change)) setAt(step.target, key, change)
      else {
        // Merging into nothing drops the patch's own nulls.
        const target = isJsonObject(current) ? { ...current } : {}
        setAt(step.target, key, target)
        steps.push({ target, patch: change })
      }
    }
  }
  return root
}
