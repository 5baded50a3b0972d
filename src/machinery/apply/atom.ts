import { isJsonObject, valueAt } from '../patch/json-object.ts'
import { type AnySchema, type Fields, shapeOf, structural } from '../schema/schema.ts'
import { quote } from '../status/go-text.ts'
import {
  INT_OR_STRING,
  IS_RESOURCE,
  isMap,
  itemsOf,
  type JsonSchema,
  KEEPS_UNKNOWN,
  LIST_KEYS,
  LIST_TYPE,
  MAP_TYPE,
  propertyOf,
  TYPE_AND_METADATA,
  valuesOf,
} from '../structural/json-schema.ts'
import { GrowthStart } from './growth.ts'
import { keyStep, namedStep } from './steps.ts'

/** How server-side apply sees a value: what is one unit, and what is merged by parts. A schema boiled down to that question. */
export type Atom = ScalarAtom | ListAtom | MapAtom

export interface ScalarAtom {
  readonly kind: 'scalar'
  readonly scalar: 'numeric' | 'string' | 'boolean' | 'untyped'
}

export interface ListAtom {
  readonly kind: 'list'
  readonly relationship: 'atomic' | 'set' | 'map'
  readonly keys: readonly string[]
  readonly element: AnySchema | undefined
  /** Where sets of what is in such a list begin; their names are the values of the only key. */
  readonly start: GrowthStart
}

export interface MapAtom {
  readonly kind: 'map'
  readonly isAtomic: boolean
  /** Whether the map has this key as a declared field. */
  isField(key: string): boolean
  /** The schema of what is at `key`; 'unknown' where only declared fields may be, undefined where anything may. */
  at(key: string): AnySchema | 'unknown' | undefined
  /** Where sets of what is in such a map begin; their names are its keys. */
  readonly start: GrowthStart
}

const SCALARS: Readonly<Record<'numeric' | 'string' | 'boolean' | 'untyped', ScalarAtom>> = {
  numeric: { kind: 'scalar', scalar: 'numeric' },
  string: { kind: 'scalar', scalar: 'string' },
  boolean: { kind: 'scalar', scalar: 'boolean' },
  untyped: { kind: 'scalar', scalar: 'untyped' },
}
const UNTYPED_LIST: ListAtom = listAtom('atomic', [], undefined)
const UNTYPED_MAP: MapAtom = { kind: 'map', isAtomic: false, isField: () => false, at: () => undefined, start: newStart() }
const ATOMIC_MAP: MapAtom = { ...UNTYPED_MAP, isAtomic: true }

const known = new WeakMap<object, Atom | 'deduced' | 'atomic'>()

/** The atom of `value` under `schema`. Where the schema says nothing (undefined), the value itself decides. */
export function atomOf(schema: AnySchema | undefined, value: unknown): Atom {
  const atom = schema === undefined ? 'deduced' : declared(schema)
  if (atom !== 'deduced' && atom !== 'atomic') return atom
  if (Array.isArray(value)) return UNTYPED_LIST
  if (isJsonObject(value)) return atom === 'atomic' ? ATOMIC_MAP : UNTYPED_MAP
  return SCALARS.untyped
}

function declared(schema: AnySchema): Atom | 'deduced' | 'atomic' {
  const shape = shapeOf(schema)
  let atom = known.get(shape)
  if (atom === undefined) {
    atom = boiledDown(shape)
    known.set(shape, atom)
  }
  return atom
}

function boiledDown(shape: ReturnType<typeof shapeOf>): Atom | 'deduced' | 'atomic' {
  switch (shape.type) {
    case 'string':
    case 'bytes':
    case 'duration':
      return SCALARS.string
    case 'boolean':
      return SCALARS.boolean
    case 'integer':
    case 'number':
      return SCALARS.numeric
    case 'list':
      return listAtom(shape.listType, shape.keys, shape.of)
    case 'map':
      return { kind: 'map', isAtomic: shape.mapType === 'atomic', isField: () => false, at: () => shape.of, start: newStart() }
    case 'structural':
      return structuralAtom(shape.of)
    case 'message': {
      const { fields, open } = shape
      if (open) return openAtom(fields, open)
      const isField = (key: string) => Object.hasOwn(fields, key)
      return {
        kind: 'map',
        isAtomic: shape.mapType === 'atomic',
        isField,
        at: (key: string) => (isField(key) ? fields[key]!.schema : 'unknown'),
        start: newStart(),
      }
    }
    case 'raw':
      // Any JSON that a typed object carries is one unit.
      return 'atomic'
    default:
      return SCALARS.untyped
  }
}

/** A custom resource: its type and metadata as of every object, its other fields as its definition says. */
function openAtom(fields: Fields, open: JsonSchema): MapAtom {
  const rest = structuralAtom(open)
  const inner = typeof rest === 'object' && rest.kind === 'map' ? rest : UNTYPED_MAP
  const isField = (key: string) => Object.hasOwn(fields, key)
  return {
    kind: 'map',
    isAtomic: false,
    isField: key => isField(key) || inner.isField(key),
    at: key => (isField(key) ? fields[key]!.schema : inner.at(key)),
    start: newStart(),
  }
}

function structuralAtom(schema: JsonSchema): Atom | 'deduced' {
  if (schema[INT_OR_STRING]) return SCALARS.untyped
  switch (schema.type) {
    case 'string':
      return SCALARS.string
    case 'boolean':
      return SCALARS.boolean
    case 'integer':
    case 'number':
      return SCALARS.numeric
    case 'array': {
      const items = itemsOf(schema)
      const relationship = (schema[LIST_TYPE] ?? 'atomic') as ListAtom['relationship']
      return listAtom(relationship, schema[LIST_KEYS] ?? [], items && structural(items))
    }
    case 'object':
      return objectAtom(schema)
    default:
      return schema[KEEPS_UNKNOWN] && !schema.properties ? 'deduced' : objectAtom(schema)
  }
}

function objectAtom(schema: JsonSchema): MapAtom {
  const isOpen = schema[KEEPS_UNKNOWN] === true
  const values = valuesOf(schema)
  const isAnyMap = isMap(schema)
  return {
    kind: 'map',
    isAtomic: schema[MAP_TYPE] === 'atomic',
    isField: key => propertyOf(schema, key) !== undefined,
    at(key) {
      const property = propertyOf(schema, key)
      if (property) return structural(property)
      if (schema[IS_RESOURCE] && TYPE_AND_METADATA.has(key)) return undefined
      return isAnyMap ? values && structural(values) : isOpen ? undefined : 'unknown'
    },
    start: newStart(),
  }
}

function listAtom(relationship: ListAtom['relationship'], keys: readonly string[], element: AnySchema | undefined): ListAtom {
  const [key = ''] = keys
  return { kind: 'list', relationship, keys, element, start: new GrowthStart(name => namedStep(key, name)) }
}

function newStart(): GrowthStart {
  return new GrowthStart(name => `f:${name}`)
}

/** The value cannot stand in its list: it lacks a key, or is none of those that the list may hold. */
export class ElementError extends Error {
  override readonly name = 'ElementError'
}

/** The step that leads to `item` in a list that is merged by its elements. Throws {@link ElementError}. */
export function stepOf(list: ListAtom, item: unknown): string {
  if (list.relationship === 'set') {
    if (isJsonObject(item)) throw new ElementError("associative list without keys has an element that's a map type")
    return `v:${JSON.stringify(item ?? null, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part))}`
  }
  if (item === null) throw new ElementError('associative list with keys may not have a null element')
  if (!isJsonObject(item)) throw new ElementError('associative list with keys may not have non-map elements')
  // Hot: bench/apply — most lists have one key, a name.
  const only = list.keys.length === 1 ? valueAt(item, list.keys[0]!) : undefined
  if (typeof only === 'string') return namedStep(list.keys[0]!, only)
  const keys: Record<string, unknown> = {}
  for (const key of list.keys) {
    const value = valueAt(item, key) ?? defaultOf(list.element, key)
    if (value === undefined) {
      throw new ElementError(
        `associative list with keys has an element that omits key field ${quote(key)} (and doesn't have default value)`,
      )
    }
    keys[key] = value
  }
  return keyStep(keys)
}

function defaultOf(element: AnySchema | undefined, key: string): unknown {
  const shape = element && shapeOf(element)
  if (shape?.type === 'structural') return propertyOf(shape.of, key)?.default
  return shape?.type === 'message' && Object.hasOwn(shape.fields, key) ? shape.fields[key]!.defaultValue : undefined
}
