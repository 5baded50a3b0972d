import { type AnySchema, shapeOf } from '../schema/schema.ts'
import { isJsonObject, isSameJson, type JsonObject, setAt, valueAt } from './json-object.ts'
import { DELETE_FROM, noMergeKey, PATCH, RETAIN_KEYS, SET_ORDER } from './strategic-directives.ts'

/** The strategic merge patch that makes `modified` of `original`: what `kubectl edit` sends. */
export function createStrategicMergePatch(original: JsonObject, modified: JsonObject, schema: AnySchema): JsonObject {
  return diffMaps(original, modified, schema, { changes: true, deletions: true, orders: true })
}

/**
 * The strategic merge patch that brings `current` (what is stored) to `modified` (what is to be applied): deletes what was in `original` (what
 * was applied last) and is no longer, and leaves alone what others added. What `kubectl apply` sends.
 */
export function createThreeWayStrategicMergePatch(
  original: JsonObject,
  modified: JsonObject,
  current: JsonObject,
  schema: AnySchema,
): JsonObject {
  const changes = diffMaps(current, modified, schema, { changes: true, deletions: false, orders: true })
  const deletions = diffMaps(original, modified, schema, { changes: false, deletions: true, orders: true })
  return joined(deletions, changes, schema)
}

interface Wanted {
  readonly changes: boolean
  readonly deletions: boolean
  /** `$setElementOrder` for lists that are merged. */
  readonly orders: boolean
}

function diffMaps(original: JsonObject, modified: JsonObject, schema: AnySchema | undefined, wanted: Wanted): JsonObject {
  const patch: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(original), ...Object.keys(modified)])) {
    const [before, after] = [valueAt(original, key), valueAt(modified, key)]
    if (after === undefined || (after === null && before !== undefined && before !== null)) {
      if (wanted.deletions && before !== undefined) setAt(patch, key, null)
    } else if (before === undefined || before === null || kindOf(before) !== kindOf(after)) {
      if (wanted.changes && !isSameJson(before ?? null, after)) setAt(patch, key, after)
    } else diffValue(patch, key, before, after, fieldOf(schema, key), wanted)
  }
  return patch
}

function diffValue(patch: Record<string, unknown>, key: string, before: unknown, after: unknown, field: FieldFacts, wanted: Wanted): void {
  if (isJsonObject(before) && isJsonObject(after)) {
    const inner = diffMaps(before, after, field.schema, wanted)
    if (field.retainsKeys && Object.keys(inner).length > 0) {
      const kept = Object.keys(after).filter(name => after[name] !== null)
      setAt(patch, key, { [RETAIN_KEYS]: kept.sort(), ...inner })
    } else if (Object.keys(inner).length > 0) setAt(patch, key, inner)
  } else if (Array.isArray(before) && Array.isArray(after)) {
    if (field.isMerged) diffLists(patch, key, before, after, field, wanted)
    else if (wanted.changes && !isSameJson(before, after)) setAt(patch, key, after)
  } else if (wanted.changes && !isSameJson(before, after)) setAt(patch, key, after)
}

function diffLists(
  patch: Record<string, unknown>,
  key: string,
  before: readonly unknown[],
  after: readonly unknown[],
  field: FieldFacts,
  wanted: Wanted,
): void {
  const isOfMaps = field.mergeKey !== ''
  const [elements, gone] = isOfMaps ? diffElements(before, after, field, wanted) : diffScalars(before, after, wanted)
  if (!isOfMaps && gone.length > 0) setAt(patch, `${DELETE_FROM}/${key}`, gone)
  const all = isOfMaps ? [...elements, ...gone] : elements
  if (all.length > 0) setAt(patch, key, all)
  const isChanged = all.length > 0 || gone.length > 0 || (wanted.changes && !isSameOrder(before, after, field.mergeKey))
  if (wanted.orders && isChanged && after.length > 0) setAt(patch, `${SET_ORDER}/${key}`, orderOf(after, field.mergeKey))
}

function diffScalars(before: readonly unknown[], after: readonly unknown[], wanted: Wanted): [unknown[], unknown[]] {
  const [had, has] = [new Set(before), new Set(after)]
  return [wanted.changes ? [...has].filter(item => !had.has(item)) : [], wanted.deletions ? [...had].filter(item => !has.has(item)) : []]
}

function diffElements(
  before: readonly unknown[],
  after: readonly unknown[],
  field: FieldFacts,
  wanted: Wanted,
): [JsonObject[], JsonObject[]] {
  const { mergeKey } = field
  const had = new Map(before.map(item => [keyOf(item, mergeKey), item as JsonObject]))
  const has = new Set(after.map(item => keyOf(item, mergeKey)))
  const elements: JsonObject[] = []
  for (const item of after as readonly JsonObject[]) {
    const key = keyOf(item, mergeKey)
    const known = had.get(key)
    if (known) {
      const inner = diffMaps(known, item, field.element, wanted)
      if (Object.keys(inner).length === 0) continue
      const kept = field.retainsKeys ? { [RETAIN_KEYS]: Object.keys(item).sort() } : {}
      elements.push({ ...kept, ...inner, [mergeKey]: key })
    } else if (wanted.changes) elements.push(item)
  }
  const gone = wanted.deletions ? [...had.keys()].filter(key => !has.has(key)).map(key => ({ [PATCH]: 'delete', [mergeKey]: key })) : []
  return [elements, gone]
}

/** Both patches in one; where both have a list that is merged, the elements of both. */
function joined(deletions: JsonObject, changes: JsonObject, schema: AnySchema | undefined): JsonObject {
  const result: Record<string, unknown> = { ...deletions }
  for (const key of Object.keys(changes)) {
    const [one, other] = [valueAt(result, key), changes[key]]
    if (isJsonObject(one) && isJsonObject(other)) setAt(result, key, joined(one, other, fieldOf(schema, key).schema))
    else if (Array.isArray(one) && Array.isArray(other) && !key.startsWith('$'))
      setAt(result, key, joinedLists(one, other, fieldOf(schema, key)))
    else setAt(result, key, other)
  }
  return result
}

function joinedLists(
  deletions: readonly unknown[],
  changes: readonly unknown[],
  { isMerged, mergeKey, element }: FieldFacts,
): readonly unknown[] {
  if (!isMerged) return changes
  if (mergeKey === '') return [...new Set([...deletions, ...changes])]
  const rest = new Map(deletions.map(item => [keyOf(item, mergeKey), item as JsonObject]))
  const both = (changes as readonly JsonObject[]).map(item => {
    const key = keyOf(item, mergeKey)
    const known = rest.get(key)
    rest.delete(key)
    return known ? joined(known, item, element) : item
  })
  return [...both, ...rest.values()]
}

function isSameOrder(before: readonly unknown[], after: readonly unknown[], mergeKey: string): boolean {
  const kept = new Set(after.map(item => idOf(item, mergeKey)))
  return isSameJson(
    before.map(item => idOf(item, mergeKey)).filter(id => kept.has(id)),
    after.map(item => idOf(item, mergeKey)),
  )
}

function orderOf(list: readonly unknown[], mergeKey: string): readonly unknown[] {
  return mergeKey === '' ? list : list.map(item => ({ [mergeKey]: keyOf(item, mergeKey) }))
}

function idOf(item: unknown, mergeKey: string): unknown {
  return mergeKey === '' ? item : keyOf(item, mergeKey)
}

function keyOf(item: unknown, mergeKey: string): unknown {
  if (!isJsonObject(item) || !Object.hasOwn(item, mergeKey)) throw noMergeKey(isJsonObject(item) ? item : {}, mergeKey)
  return item[mergeKey]
}

interface FieldFacts {
  readonly schema: AnySchema | undefined
  readonly isMerged: boolean
  readonly retainsKeys: boolean
  readonly mergeKey: string
  readonly element: AnySchema | undefined
}

function fieldOf(schema: AnySchema | undefined, key: string): FieldFacts {
  const nothing = { schema: undefined, isMerged: false, retainsKeys: false, mergeKey: '', element: undefined }
  if (!schema) return nothing
  const shape = shapeOf(schema)
  const field = shape.type === 'message' && Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined
  const inner = shape.type === 'map' ? shape.of : field?.schema
  if (!inner) return nothing
  const list = shapeOf(inner)
  const strategies = (field?.patchStrategy ?? (list.type === 'list' ? list.patchStrategy : undefined))?.split(',') ?? []
  const retainsKeys = strategies.includes('retainKeys')
  if (list.type !== 'list') return { ...nothing, schema: inner, retainsKeys }
  return { schema: inner, retainsKeys, isMerged: strategies.includes('merge'), mergeKey: list.patchMergeKey ?? '', element: list.of }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  return isJsonObject(value) ? 'map' : typeof value
}
