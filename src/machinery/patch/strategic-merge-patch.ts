import { type AnySchema, shapeOf } from '../schema/schema.ts'
import { badRequest } from '../status/failures.ts'
import { quote } from '../status/go-text.ts'
import { isJsonObject, isSameJson, type JsonObject, jsonTypeOf, setAt, valueAt } from './json-object.ts'
import {
  badDirective,
  badType,
  DELETE_FROM,
  goText,
  noMergeKey,
  PATCH,
  patchFailure,
  RETAIN_KEYS,
  SET_ORDER,
  withoutDirectives,
} from './strategic-directives.ts'
import { inOrder } from './strategic-order.ts'

/**
 * `document` changed by a strategic merge patch: as a merge patch, but lists are merged by the keys that `schema` names, and directives
 * (`$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…`, `$setElementOrder/…`) say what else is to happen. Nothing of the document is
 * changed; what the patch does not touch is shared. Throws the failure that the client is to see.
 */
export function applyStrategicMergePatch(document: JsonObject, patch: unknown, schema: AnySchema): JsonObject {
  if (patch === null) return document
  if (!isJsonObject(patch)) throw badRequest(`json: cannot unmarshal ${jsonTypeOf(patch)} into Go value of type map[string]interface {}`)
  try {
    return mergedMap(document, patch, schema)
  } catch (error) {
    if (error instanceof RangeError) throw badRequest('the patch is nested too deeply', error)
    throw error
  }
}

function mergedMap(original: JsonObject, patch: JsonObject, schema: AnySchema | undefined): JsonObject {
  if (Object.hasOwn(patch, PATCH)) return directed(patch)
  const rest: Record<string, unknown> = { ...patch }
  const result: Record<string, unknown> = retained(original, rest)
  applyOrders(result, rest, schema)
  for (const key of Object.keys(rest)) {
    const change = rest[key]
    const isDeletion = key.startsWith(DELETE_FROM)
    const name = isDeletion ? directiveKey(key, DELETE_FROM, 'primitive list') : key
    if (change === null || change === undefined) delete result[name]
    else mergeValue(result, name, change, isDeletion, schema)
  }
  return result
}

function mergeValue(
  result: Record<string, unknown>,
  key: string,
  change: unknown,
  isDeletion: boolean,
  schema: AnySchema | undefined,
): void {
  const current = valueAt(result, key)
  if (current === undefined || kindOf(current) !== kindOf(change)) {
    if (!isDeletion) setAt(result, key, withoutDirectives(change))
  } else if (isJsonObject(change)) setAt(result, key, mergedMap(current as JsonObject, change, fieldOf(schema, key).schema))
  else if (Array.isArray(change)) setAt(result, key, mergedField(current as unknown[], change, fieldOf(schema, key), isDeletion))
  else setAt(result, key, change)
}

/** `$patch` in an object: it replaces, or empties, what stands there. */
function directed(patch: JsonObject): JsonObject {
  const directive = patch[PATCH]
  if (directive === 'delete') return {}
  if (directive !== 'replace') throw patchFailure(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`)
  const { [PATCH]: _, ...rest } = patch
  return rest
}

/** A copy of `original` in which only the keys of `$retainKeys` are left, if the patch has one. */
function retained(original: JsonObject, patch: Record<string, unknown>): Record<string, unknown> {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return { ...original }
  const keys = patch[RETAIN_KEYS]
  delete patch[RETAIN_KEYS]
  if (!Array.isArray(keys)) throw badDirective('retainKeys')
  const kept = new Set<unknown>(keys)
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER)) continue
    if (!kept.has(key)) throw badDirective('retainKeys')
  }
  const result = { ...original }
  for (const key of Object.keys(result)) if (!kept.has(key)) delete result[key]
  return result
}

/** Carries out `$setElementOrder/<list>` together with the patch of that list, and takes both out of the patch. */
function applyOrders(result: Record<string, unknown>, patch: Record<string, unknown>, schema: AnySchema | undefined): void {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ORDER)) continue
    const order = patch[key]
    delete patch[key]
    if (!Array.isArray(order)) throw badType('[]interface {}', order)
    const name = directiveKey(key, SET_ORDER, 'setElementOrder list')
    const original = listAt(result, name)
    const change = listAt(patch, name)
    const field = fieldOf(schema, name)
    checkOrder(change ?? [], order, field.mergeKey)
    if (!original && !change) continue
    const merged = original && change ? mergedField(original, change, field, false) : (original ?? change!)
    setAt(result, name, inOrder(merged, order, original ?? [], field.mergeKey))
    delete patch[name]
  }
}

function listAt(object: JsonObject, key: string): unknown[] | undefined {
  const value = valueAt(object, key)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw badType('[]interface {}', value)
  return value as unknown[]
}

/** The patch's elements must come in the order that it asks for. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (change.length === 0 || order.length === 0) return
  const elements = mergeKey === '' ? change : change.filter(item => !(isJsonObject(item) && Object.hasOwn(item, PATCH)))
  let at = 0
  for (const wanted of order) {
    if (at < elements.length && isSameElement(elements[at], wanted, mergeKey)) at++
  }
  if (at < elements.length) {
    throw patchFailure(`The order in patch list:\n${goText(change)}\n doesn't match ${SET_ORDER} list:\n${goText(order)}\n`)
  }
}

function isSameElement(left: unknown, right: unknown, mergeKey: string): boolean {
  if (mergeKey === '') return isSameJson(left, right)
  return isSameJson(keyOf(left, mergeKey), keyOf(right, mergeKey))
}

function keyOf(element: unknown, mergeKey: string): unknown {
  if (!isJsonObject(element)) throw badType('map[string]interface {}', element)
  if (!Object.hasOwn(element, mergeKey)) throw noMergeKey(element, mergeKey)
  return element[mergeKey]
}

/** A list under its strategy: merged by key, or replaced. */
function mergedField(original: unknown[], change: unknown[], field: FieldFacts, isDeletion: boolean): unknown[] {
  return field.isMerged ? mergedList(original, change, field, isDeletion) : change
}

function mergedList(original: unknown[], change: unknown[], { mergeKey, element }: FieldFacts, isDeletion: boolean): unknown[] {
  if (original.length === 0 && change.length === 0) return original
  if (elementKind(original, change) !== 'map') {
    if (isDeletion) {
      const gone = new Set(change)
      return original.filter(item => !gone.has(item))
    }
    return inOrder([...new Set([...original, ...change])], change, original, mergeKey)
  }
  if (mergeKey === '') throw patchFailure('cannot merge lists without merge key for type struct')
  const [base, elements] = withoutSpecial(original, change, mergeKey)
  const merged = [...base]
  const places = new Map(merged.map((item, index): [unknown, number] => [keyOf(item, mergeKey), index]).reverse())
  for (const item of elements) {
    const key = keyOf(item, mergeKey)
    const place = places.get(key)
    if (place !== undefined) merged[place] = mergedMap(merged[place] as JsonObject, item, element)
    else {
      places.set(key, merged.length)
      merged.push(withoutDirectives(item))
    }
  }
  return inOrder(merged, elements, base, mergeKey)
}

/** Carries out the elements with `$patch`; answers with the list they leave and the other elements of the patch. */
function withoutSpecial(original: readonly unknown[], change: readonly unknown[], mergeKey: string): [unknown[], JsonObject[]] {
  const elements: JsonObject[] = []
  const gone = new Set<unknown>()
  let replaces = false
  for (const item of change as readonly JsonObject[]) {
    if (!Object.hasOwn(item, PATCH)) elements.push(item)
    else if (item[PATCH] === 'delete') gone.add(keyOf(item, mergeKey))
    else if (item[PATCH] === 'replace') replaces = true
    else if (item[PATCH] === 'merge') throw patchFailure('merging lists cannot yet be specified in the patch')
    else throw patchFailure(`unknown patch type: ${goText(item[PATCH])} in map: ${goText(item)}`)
  }
  if (replaces) return [elements.map(withoutDirectives), []]
  return [gone.size === 0 ? [...original] : original.filter(item => !isJsonObject(item) || !gone.has(item[mergeKey])), elements]
}

/** Elements must be all objects or all scalars. */
function elementKind(original: readonly unknown[], change: readonly unknown[]): string {
  let kind: string | undefined
  for (const item of [...original, ...change]) {
    const next = kindOf(item)
    if (next === 'slice') throw patchFailure('lists of lists are not supported')
    if (kind !== undefined && kind !== next) {
      throw patchFailure(`list element types are not identical: ${goText(original)}, ${goText(change)}`)
    }
    kind = next
  }
  return kind ?? 'string'
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice'
  return isJsonObject(value) ? 'map' : typeof value
}

function directiveKey(key: string, prefix: string, of: 'primitive list' | 'setElementOrder list'): string {
  if (!key.startsWith(`${prefix}/`)) throw badDirective(of)
  return key.slice(prefix.length + 1)
}

interface FieldFacts {
  /** Of the field's value; undefined where the schema does not look into it. */
  readonly schema: AnySchema | undefined
  readonly isMerged: boolean
  readonly mergeKey: string
  /** Of the elements, if it is a list. */
  readonly element: AnySchema | undefined
}

const UNTYPED: FieldFacts = { schema: undefined, isMerged: false, mergeKey: '', element: undefined }

/** What the schema says of a field of an object. */
function fieldOf(schema: AnySchema | undefined, key: string): FieldFacts {
  if (!schema) return UNTYPED
  const shape = shapeOf(schema)
  if (shape.type === 'map') return factsOf(shape.of)
  if (shape.type !== 'message') return UNTYPED
  const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined
  if (field) return factsOf(field.schema)
  throw patchFailure(`unable to find api field in struct ${shape.name.split('.').at(-1)} for the json field ${quote(key)}`)
}

function factsOf(schema: AnySchema): FieldFacts {
  const shape = shapeOf(schema)
  if (shape.type !== 'list') return { schema, isMerged: false, mergeKey: '', element: undefined }
  const isMerged = shape.patchStrategy?.split(',').includes('merge') ?? false
  return { schema, isMerged, mergeKey: shape.patchMergeKey ?? '', element: shape.of }
}
