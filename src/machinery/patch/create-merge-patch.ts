import { isJsonObject, isSameJson, type JsonObject, setAt } from './json-object.ts'

/** The JSON merge patch that makes `modified` of `original`; `{}` when they are the same. */
export function createMergePatch(original: JsonObject, modified: JsonObject): JsonObject {
  const patch: Record<string, unknown> = {}
  for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key)) setAt(patch, key, null)
  for (const key of Object.keys(modified)) {
    const before = Object.hasOwn(original, key) ? original[key] : undefined
    const after = modified[key]
    if (before !== undefined && isSameJson(before, after)) continue
    if (isJsonObject(before) && isJsonObject(after)) setAt(patch, key, createMergePatch(before, after))
    else setAt(patch, key, after)
  }
  return patch
}

/**
 * The JSON merge patch that brings `current` to `modified`: deletes what `modified` no longer has of `original` (what was applied last), and
 * leaves alone what others added. For kinds without strategic merge, as custom resources.
 */
export function createThreeWayMergePatch(original: JsonObject, modified: JsonObject, current: JsonObject): JsonObject {
  return joined(changesOf(createMergePatch(current, modified)), deletionsOf(createMergePatch(original, modified)))
}

/** The patch without its deletions; parts that are left empty go. */
function changesOf(patch: JsonObject): JsonObject {
  return filtered(patch, value => value !== null)
}

/** Nothing but the deletions of the patch. */
function deletionsOf(patch: JsonObject): JsonObject {
  return filtered(patch, value => value === null)
}

function filtered(patch: JsonObject, isKept: (value: unknown) => boolean): JsonObject {
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (!isJsonObject(value)) {
      if (isKept(value)) setAt(result, key, value)
      continue
    }
    const inner = filtered(value, isKept)
    if (Object.keys(inner).length > 0 || (Object.keys(value).length === 0 && isKept(value))) setAt(result, key, inner)
  }
  return result
}

function joined(left: JsonObject, right: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...left }
  for (const key of Object.keys(right)) {
    const [one, other] = [Object.hasOwn(result, key) ? result[key] : undefined, right[key]]
    setAt(result, key, isJsonObject(one) && isJsonObject(other) ? joined(one, other) : other)
  }
  return result
}
