import { isEmptyObject, isJsonObject, isSameJson, type JsonObject, setAt, valueAt } from '../patch/json-object.ts'
import type { AnySchema } from '../schema/schema.ts'
import { atomOf, ElementError, type ListAtom, type MapAtom, stepOf } from './atom.ts'
import { FieldSet, FieldSetBuilder } from './field-set.ts'
import { MAX_GROWN_STEPS, MAX_GROWN_TEXT, MEMBER, WRITTEN_OUT } from './growth.ts'
import { namedStep } from './steps.ts'

/** A schema, or undefined where the values themselves decide how they are merged. */
type Type = AnySchema | undefined

/** All paths that an applied configuration names, and so owns. */
export function fieldsOf(value: unknown, schema: Type): FieldSet {
  return namedBy(value, schema)
}

/** What is different between two values: paths that went, and paths that are there now and were not, or not so. */
export interface Comparison {
  readonly removed: FieldSet
  /** Paths that are there with another value, or came. */
  readonly changed: FieldSet
}

/** Compares two values by the parts that can be owned. */
export function compare(left: unknown, right: unknown, schema: Type): Comparison {
  const walk = { removed: new FieldSetBuilder(), changed: new FieldSetBuilder(), path: [] }
  compareAt(left, right, schema, walk)
  return { removed: walk.removed.build(), changed: walk.changed.build() }
}

/** `left` with everything that `right` says put over it. Lists come in the order of `right`, with what only `left` has kept in between. */
export function merge(left: unknown, right: unknown, schema: Type): unknown {
  if (right === undefined) return left
  if (left === undefined) return right
  if (left === right) return left
  const atom = atomOf(schema, right ?? left)
  if (atom.kind === 'scalar') return right
  if (atom.kind === 'list') return mergeLists(left, right, atom)
  const [base, over] = [isJsonObject(left) ? left : {}, isJsonObject(right) ? right : {}]
  if (atom.isAtomic || (Object.keys(base).length === 0 && Object.keys(over).length === 0)) return right
  const result: Record<string, unknown> = { ...base }
  for (const key of Object.keys(over)) setAt(result, key, merge(valueAt(base, key), over[key], typeAt(atom, key)))
  return result
}

/** `value` without the paths of `gone`. */
export function remove(value: unknown, gone: FieldSet, schema: Type): unknown {
  if (gone.isEmpty) return value
  const atom = atomOf(schema, value)
  if (atom.kind === 'list') return removeFromList(value, gone, atom)
  if (atom.kind !== 'map' || !isJsonObject(value) || atom.isAtomic) return atom.kind === 'scalar' ? value : null
  const result: Record<string, unknown> = {}
  let isEmpty = true
  for (const key of Object.keys(value)) {
    const step = `f:${key}`
    if (gone.has(step)) continue
    setAt(result, key, remove(value[key], gone.below(step), typeAt(atom, key)))
    isEmpty = false
  }
  return isEmpty ? null : result
}

/** The set with every declared field on the way to its paths as a member. */
export function withNamedFields(set: FieldSet, schema: Type): FieldSet {
  if (set.children.size === 0) return set
  const members = new Set(set.members)
  const children = new Map<string, FieldSet>()
  for (const [step, below] of set.children) {
    const isField = step.startsWith('f:')
    const atom = atomOf(schema, isField ? {} : [])
    if (isField && atom.kind === 'map' && atom.isField(step.slice(2))) members.add(step)
    const type = atom.kind === 'map' ? typeAt(atom, step.slice(2)) : atom.kind === 'list' ? atom.element : undefined
    children.set(step, withNamedFields(below, type))
  }
  return new FieldSet(members, children)
}

function namedBy(value: unknown, schema: Type): FieldSet {
  const atom = atomOf(schema, value)
  const members = new Set<string>()
  const children = new Map<string, FieldSet>()
  const descend = (step: string, item: unknown, type: Type) => {
    const below = typeof item === 'object' && item !== null ? namedBy(item, type) : FieldSet.empty
    if (!below.isEmpty) children.set(step, below)
  }
  if (atom.kind === 'list' && Array.isArray(value) && atom.relationship !== 'atomic') {
    for (const [step, item] of indexed(atom, value)) {
      members.add(step)
      descend(step, item, atom.element)
    }
  } else if (atom.kind === 'map' && isJsonObject(value) && !atom.isAtomic) {
    for (const key of Object.keys(value)) {
      const item = value[key]
      const type = typeAt(atom, key)
      if (isNamed(item, type) || !atom.isField(key)) members.add(`f:${key}`)
      descend(`f:${key}`, item, type)
    }
  }
  return members.size + children.size === 0 ? FieldSet.empty : new FieldSet(members, children)
}

/** Whether the field itself is in the set: as a unit, or since there is nothing below it. */
function isNamed(value: unknown, schema: Type): boolean {
  return value === null || isUnit(value, schema) || (isJsonObject(value) && Object.keys(value).length === 0)
}

/** Whether the value is owned as a whole. */
function isUnit(value: unknown, schema: Type): boolean {
  const atom = atomOf(schema, value)
  return atom.kind === 'scalar' || (atom.kind === 'list' ? atom.relationship === 'atomic' : atom.isAtomic)
}

interface Walk {
  readonly removed: FieldSetBuilder
  readonly changed: FieldSetBuilder
  readonly path: string[]
}

function compareAt(left: unknown, right: unknown, schema: Type, walk: Walk): void {
  // Unchanged parts are often the very same value.
  if (left === right) return
  if (left === undefined || right === undefined) {
    ;(left === undefined ? walk.changed : walk.removed).attach(walk.path, wholeOf(right ?? left, schema))
    return
  }
  const atom = atomOf(schema, right ?? left)
  if (atom.kind !== 'scalar' && !isLeaf(left, right, atom)) {
    if (atom.kind === 'list') compareLists(asList(left), asList(right), atom, walk)
    else compareMaps(asMap(left), asMap(right), atom, walk)
  } else if (!isSameJson(left, right)) walk.changed.insert(walk.path)
}

/** Everything that came or went with a value: each part of it, and each step on the way. */
function wholeOf(value: unknown, schema: Type): FieldSet {
  if (typeof value !== 'object' || value === null) return FieldSet.empty
  const atom = atomOf(schema, value)
  if (atom.kind === 'list' && Array.isArray(value) && atom.relationship !== 'atomic') return wholeList(value, atom)
  if (atom.kind === 'map' && isJsonObject(value) && !atom.isAtomic) return wholeMap(value, atom)
  return FieldSet.empty
}

function wholeMap(map: JsonObject, atom: MapAtom): FieldSet {
  let growth = atom.start.first
  let steps = 0
  for (const key in map) {
    const item = map[key]
    if (item === undefined) continue
    if (++steps > MAX_GROWN_STEPS || key.length > MAX_GROWN_TEXT) return largeMap(map, atom)
    growth = growth.take(key, MEMBER, partsOf(item, typeof item === 'object' ? typeAt(atom, key) : undefined))
  }
  return FieldSet.grown(growth)
}

function wholeList(list: readonly unknown[], atom: ListAtom): FieldSet {
  if (list.length > MAX_GROWN_STEPS) return largeList(list, atom)
  let growth = atom.start.first
  const only = atom.relationship === 'map' && atom.keys.length === 1 ? atom.keys[0] : undefined
  for (const item of list) {
    const name = only !== undefined && isJsonObject(item) ? valueAt(item, only) : undefined
    const isNamed = typeof name === 'string'
    const step = isNamed ? name : safeStep(atom, item)
    if (step === undefined) continue
    if (step.length > MAX_GROWN_TEXT) return largeList(list, atom)
    growth = growth.take(step, isNamed ? MEMBER : MEMBER | WRITTEN_OUT, partsOf(item, atom.element))
  }
  return FieldSet.grown(growth)
}

function largeMap(map: JsonObject, atom: MapAtom): FieldSet {
  const keys = Object.keys(map).filter(key => map[key] !== undefined)
  return largeSet(keys.map(key => [`f:${key}`, partsOf(map[key], typeAt(atom, key))]))
}

function largeList(list: readonly unknown[], atom: ListAtom): FieldSet {
  return largeSet([...indexed(atom, list)].map(([step, item]) => [step, partsOf(item, atom.element)]))
}

/** A set of its own: what is large is not kept for others. */
function largeSet(steps: readonly (readonly [step: string, below: FieldSet | undefined])[]): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [step, below] of steps) if (below) children.set(step, below)
  return new FieldSet(new Set(steps.map(([step]) => step)), children)
}

function partsOf(value: unknown, schema: Type): FieldSet | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const parts = wholeOf(value, schema)
  return parts.isEmpty ? undefined : parts
}

/** Atomic values are compared as a whole; so are two empty ones, to tell absent from empty. */
function isLeaf(left: unknown, right: unknown, atom: ListAtom | MapAtom): boolean {
  if (atom.kind === 'list') return atom.relationship === 'atomic' || (asList(left).length === 0 && asList(right).length === 0)
  return atom.isAtomic || (isEmptyObject(asMap(left)) && isEmptyObject(asMap(right)))
}

function compareMaps(left: JsonObject, right: JsonObject, atom: MapAtom, walk: Walk): void {
  for (const key in left) {
    const before = left[key]
    const after = valueAt(right, key)
    if (before !== after) descend(`f:${key}`, before, after, typeAt(atom, key), walk)
  }
  for (const key in right) {
    if (!Object.hasOwn(left, key)) descend(`f:${key}`, undefined, right[key], typeAt(atom, key), walk)
  }
}

function compareLists(left: readonly unknown[], right: readonly unknown[], atom: ListAtom, walk: Walk): void {
  if (haveSameNames(left, right, atom)) {
    for (let index = 0; index < left.length; index++) {
      if (left[index] !== right[index]) descend(stepOf(atom, left[index]), left[index], right[index], atom.element, walk)
    }
    return
  }
  const only = haveNames(left, atom) && haveNames(right, atom) ? atom.keys[0] : undefined
  if (only !== undefined) {
    compareNamed(left as readonly JsonObject[], right as readonly JsonObject[], only, atom, walk)
    return
  }
  const [before, after] = [indexed(atom, left), indexed(atom, right)]
  for (const [step, item] of before) descend(step, item, after.get(step), atom.element, walk)
  for (const [step, item] of after) if (!before.has(step)) descend(step, undefined, item, atom.element, walk)
}

/**
 * Whether elements of two lists belong together one by one, each with a name of its own. Hot: bench/apiserver — most writes leave lists as
 * they are, and then they need no index. Beyond a length, looking for names that stand twice would take longer than that.
 */
function haveSameNames(left: readonly unknown[], right: readonly unknown[], atom: ListAtom): boolean {
  if (left.length !== right.length || !haveNames(left, atom)) return false
  const only = atom.keys[0]!
  for (let index = 0; index < left.length; index++) if (nameIn(left[index], only) !== nameIn(right[index], only)) return false
  return true
}

/** Lists as above of which one has elements that the other has not: a condition that came. */
function compareNamed(left: readonly JsonObject[], right: readonly JsonObject[], key: string, atom: ListAtom, walk: Walk): void {
  for (const item of left) {
    const name = item[key] as string
    const other = right.find(each => each[key] === name)
    if (item !== other) descend(namedStep(key, name), item, other, atom.element, walk)
  }
  for (const item of right) {
    const name = item[key] as string
    if (!left.some(each => each[key] === name)) descend(namedStep(key, name), undefined, item, atom.element, walk)
  }
}

/** Whether all elements of a short list have names, each another. */
function haveNames(list: readonly unknown[], atom: ListAtom): boolean {
  const [only] = atom.keys
  if (atom.relationship !== 'map' || atom.keys.length !== 1 || list.length > SHORT_LIST) return false
  for (let index = 0; index < list.length; index++) {
    const name = nameIn(list[index], only!)
    if (name === undefined) return false
    for (let other = 0; other < index; other++) if (nameIn(list[other], only!) === name) return false
  }
  return true
}

const SHORT_LIST = 16

function nameIn(item: unknown, key: string): string | undefined {
  const name = isJsonObject(item) ? valueAt(item, key) : undefined
  return typeof name === 'string' ? name : undefined
}

function descend(step: string, left: unknown, right: unknown, schema: Type, walk: Walk): void {
  walk.path.push(step)
  compareAt(left, right, schema, walk)
  walk.path.pop()
}

function mergeLists(left: unknown, right: unknown, atom: ListAtom): unknown {
  const [base, over] = [asList(left), asList(right)]
  if (atom.relationship === 'atomic' || (base.length === 0 && over.length === 0)) return right
  const [before, after] = [indexed(atom, base), indexed(atom, over)]
  const [leftSteps, rightSteps] = [[...before.keys()], [...after.keys()]]
  const shared = rightSteps.filter(step => before.has(step))
  const result: unknown[] = []
  const take = (step: string) => result.push(merge(before.get(step), after.get(step), atom.element))
  let next = 0
  for (let l = 0, r = 0; l < leftSteps.length || r < rightSteps.length; ) {
    const [leftStep, rightStep] = [leftSteps[l], rightSteps[r]]
    if (leftStep !== undefined && leftStep === rightStep) {
      take(leftStep)
      l++
      r++
      next++
    } else if (
      leftStep !== undefined &&
      rightStep !== undefined &&
      after.has(leftStep) &&
      shared[next] !== undefined &&
      shared[next] !== leftStep
    ) {
      // A shared element, but not the one whose turn it is: it comes where the right list has it.
      l++
    } else if (leftStep !== undefined && !after.has(leftStep)) {
      take(leftStep)
      l++
    } else if (rightStep !== undefined) {
      take(rightStep)
      if (shared[next] === rightStep) next++
      r++
    } else l++
  }
  return result
}

function removeFromList(value: unknown, gone: FieldSet, atom: ListAtom): unknown {
  if (!Array.isArray(value) || value.length === 0 || atom.relationship === 'atomic') return null
  const kept: unknown[] = []
  for (const item of value as unknown[]) {
    const step = safeStep(atom, item)
    if (step === undefined || !gone.has(step)) kept.push(step === undefined ? item : remove(item, gone.below(step), atom.element))
  }
  return kept.length === 0 ? null : kept
}

/** The elements by their steps; of several with the same step the first counts. */
function indexed(atom: ListAtom, list: readonly unknown[]): Map<string, unknown> {
  const elements = new Map<string, unknown>()
  for (const item of list) {
    const step = safeStep(atom, item)
    if (step !== undefined && !elements.has(step)) elements.set(step, item)
  }
  return elements
}

function safeStep(atom: ListAtom, item: unknown): string | undefined {
  try {
    return stepOf(atom, item)
  } catch (error) {
    if (error instanceof ElementError) return undefined
    throw error
  }
}

function typeAt(atom: MapAtom, key: string): Type {
  const schema = atom.at(key)
  return schema === 'unknown' ? undefined : schema
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function asMap(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}
