import { badRequest } from '../status/failures.ts'
import { StatusError } from '../status/status-error.ts'
import { isJsonObject, type JsonObject, setAt } from './json-object.ts'

/** What a strategic merge patch says beside values. */
export const PATCH = '$patch'
export const RETAIN_KEYS = '$retainKeys'
export const DELETE_FROM = '$deleteFromPrimitiveList'
export const SET_ORDER = '$setElementOrder'

/** A mistake in a patch that upstream answers with a bare 500. */
export function patchFailure(message: string): StatusError {
  return new StatusError({ code: 500, reason: '', message })
}

/** A directive that is not in the form it must have. */
export function badDirective(of: 'primitive list' | 'retainKeys' | 'setElementOrder list'): StatusError {
  return badRequest(`invalid patch format of ${of}`)
}

export function badType(expected: string, value: unknown): StatusError {
  return patchFailure(`expected a ${expected}, but received a ${goTypeOf(value)}`)
}

export function noMergeKey(element: JsonObject, mergeKey: string): StatusError {
  return patchFailure(`map: ${goText(element)} does not contain declared merge key: ${mergeKey}`)
}

/** A value as Go's `%v` prints it: `map[image:x name:c1]`, `[a b]`. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isJsonObject(value)) return String(value)
  const entries = Object.keys(value).sort()
  return `map[${entries.map(key => `${key}:${goText(value[key])}`).join(' ')}]`
}

/** What stays of a part of a patch that has nothing to be merged into: its values without directives and nulls. */
export function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(item => !(isJsonObject(item) && Object.hasOwn(item, PATCH))).map(withoutDirectives)
  if (!isJsonObject(value)) return value
  const plain: Record<string, unknown> = {}
  if (Object.hasOwn(value, PATCH) && value[PATCH] === 'delete') return plain
  for (const key of Object.keys(value)) {
    if (key === PATCH || key === RETAIN_KEYS || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER) || value[key] === null) continue
    setAt(plain, key, withoutDirectives(value[key]))
  }
  return plain
}

function goTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nil'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint' || Number.isInteger(value)) return 'int64'
  if (typeof value === 'number') return 'float64'
  return typeof value === 'string' ? 'string' : 'map[string]interface {}'
}
