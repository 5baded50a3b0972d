import { isJsonObject, setAt } from '../patch/json-object.ts'

/** A path as conflicts name it: `.spec.containers[name="c"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(stepText).join('')
}

function stepText(step: string): string {
  const rest = step.slice(2)
  if (step.startsWith('f:')) return `.${rest}`
  if (step.startsWith('v:')) return `[=${rest}]`
  if (step.startsWith('i:')) return `[${rest}]`
  const keys = JSON.parse(rest) as Record<string, unknown>
  const parts = Object.keys(keys).map(key => `${key}=${JSON.stringify(keys[key])}`)
  return `[${parts.join(',')}]`
}

/** The step to the element of a list whose only key, a plain word, has this value. */
export function namedStep(key: string, value: string): string {
  return `k:{"${key}":${JSON.stringify(value)}}`
}

/** The step to the element of a list that has these keys. */
export function keyStep(keys: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(keys)
  const only = names[0]
  const value = only === undefined ? undefined : keys[only]
  if (names.length === 1 && only !== undefined && /^\w+$/.test(only) && typeof value === 'string') return namedStep(only, value)
  const inOrder: Record<string, unknown> = {}
  for (const key of names.sort()) setAt(inOrder, key, keys[key])
  return `k:${JSON.stringify(inOrder, bigintAsNumber)}`
}

/** A step of somebody's `fieldsV1` as we would write it. Throws where it is none. */
export function canonicalStep(step: string): string {
  if (step.startsWith('f:') || /^i:-?\d+$/.test(step)) return step
  if (!/^[kv]:/.test(step)) throw new TypeError(`fieldsV1: ${JSON.stringify(step)} is no step of a path`)
  const value: unknown = JSON.parse(step.slice(2))
  if (step.startsWith('v:')) return `v:${JSON.stringify(value)}`
  if (!isJsonObject(value)) throw new TypeError(`fieldsV1: ${JSON.stringify(step)} has no keys`)
  return keyStep(value)
}

function bigintAsNumber(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
