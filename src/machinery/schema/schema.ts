/**
 * The words in which an API type is declared. One declaration is TypeScript type, default, check, protobuf field and manual.
 *
 * An object is kept in memory as the plain JSON value that goes over the wire: times, quantities and bytes are strings, whole numbers are
 * numbers (a bigint where 2^53 is exceeded). What differs from field to field is when a value that says nothing is there at all; that
 * follows upstream's Go types, because clients see it:
 *
 * | word        | upstream's Go                          | in a stored object                                         |
 * | ----------- | -------------------------------------- | ---------------------------------------------------------- |
 * | `required`  | value, no omitempty                    | always there, zero when it was not sent                    |
 * | `needed`    | pointer that validation requires       | always there; absent in what was not validated yet         |
 * | `optional`  | pointer                                | there when sent, even if zero                              |
 * | `omitempty` | value, slice or map, with omitempty    | there unless zero: `''`, `0`, `false`, `[]`, `{}` are absent |
 * | `embedded`  | struct value with omitempty            | always there, `{}` or zero when it was not sent            |
 * | `nullable`  | pointer, no omitempty                  | always there, `null` when it was not sent                  |
 * | `defaulted` | any of these, filled in by defaulting  | always there                                               |
 *
 * `inline(n, M)` spreads the fields of a message into its parent: flat in JSON, a nested message with number `n` in protobuf.
 */

import type { JsonSchema } from '../structural/json-schema.ts'

/** What a schema describes, as data that codecs, patches and documents are compiled from. */
export type Shape =
  | { readonly type: 'string'; readonly values?: readonly string[] }
  | { readonly type: 'boolean' }
  | { readonly type: 'integer'; readonly bits: 32 | 64 }
  | { readonly type: 'number' }
  /** Base64 in JSON, raw in protobuf. */
  | { readonly type: 'bytes' }
  /** RFC 3339 to the second; `microTime` has exactly six fractional digits. */
  | { readonly type: 'time' }
  | { readonly type: 'microTime' }
  /** Go's notation (`1m30s`); nanoseconds in protobuf. */
  | { readonly type: 'duration' }
  | { readonly type: 'quantity' }
  | { readonly type: 'intOrString' }
  /** Any JSON value: `runtime.RawExtension` (an object with its own kind), `apiextensions.JSON` and `FieldsV1`. */
  | RawShape
  | ListShape
  | { readonly type: 'map'; readonly of: AnySchema; readonly mapType: 'granular' | 'atomic' }
  | MessageShape
  /** What a custom resource's definition says of a value; known at run time only. */
  | { readonly type: 'structural'; readonly of: JsonSchema }
  | { readonly type: 'lazy'; readonly of: () => AnySchema }

/** A JSON value. `objects`: what an object in it, or in a list that it is, looks like. */
export interface RawShape {
  readonly type: 'raw'
  readonly as: 'extension' | 'json' | 'fields'
  readonly objects?: () => AnySchema
}

/** A list and how it is merged: `listType` and `keys` by server-side apply, `patchStrategy` and `patchMergeKey` by strategic merge. */
export interface ListShape {
  readonly type: 'list'
  readonly of: AnySchema
  readonly listType: 'atomic' | 'set' | 'map'
  readonly keys: readonly string[]
  readonly patchStrategy?: PatchStrategy
  readonly patchMergeKey?: string
  /** An empty list is `null`, as Go writes a nil slice without omitempty. */
  readonly nullable?: boolean
}

/** Upstream's `patchStrategy` tag. */
export type PatchStrategy = 'merge' | 'replace' | 'retainKeys' | 'merge,retainKeys'

/** A message: its OpenAPI name and its fields in the order of their declaration. */
export interface MessageShape {
  readonly type: 'message'
  /** As OpenAPI names it: `io.k8s.api.core.v1.Container`. */
  readonly name: string
  readonly fields: Readonly<Record<string, AnyField>>
  /** `atomic`: server-side apply owns it as a whole. */
  readonly mapType: 'granular' | 'atomic'
  /** Fills in what constants cannot say, wherever this message occurs. Runs after the defaults of its fields. */
  readonly applyDefaults?: (value: Record<string, unknown>) => void
  readonly documentation: string
  /** What there is beside the declared fields: the form of a custom resource, as its definition says it. */
  readonly open?: JsonSchema
}

/** A schema and, at the type level only, what it is when stored and what a client may send. */
export interface Schema<Stored, Draft = Stored> {
  readonly shape: Shape
  readonly stored?: Stored
  readonly draft?: Draft
}

// biome-ignore lint/suspicious/noExplicitAny: a schema of whatever type; unknown would lose the variance that inference needs
export type AnySchema = Schema<any, any>

/** When a field is there: see the table at the top. */
export type Presence = 'required' | 'optional' | 'omitempty' | 'embedded' | 'defaulted'

/** A field of a message. */
export interface Field<P extends Presence = Presence, S extends AnySchema = AnySchema> {
  readonly presence: P
  readonly schema: S
  /** The protobuf number; undefined where upstream has none. */
  readonly number: number | undefined
  /** The numbers of the protobuf messages around it that JSON does not show (see {@link inline}), outermost first. */
  readonly within: readonly number[]
  readonly documentation: string
  /** The constant that `defaulted` fills in. */
  readonly defaultValue?: unknown
  /**
   * How upstream's Go keeps a field where its presence does not say it; it decides what protobuf writes. A defaulted field is a pointer
   * unless this says `value`; a required or embedded one is a value unless this says `pointer`, and has no zero value then.
   */
  readonly goKind?: 'value' | 'pointer'
  /** `patchStrategy:"retainKeys"` on a message (volumes, deployment strategy). */
  readonly patchStrategy?: PatchStrategy
}

// biome-ignore lint/suspicious/noExplicitAny: see AnySchema
export type AnyField = Field<any, AnySchema>
export type Fields = Readonly<Record<string, AnyField>>

/** The type of what `S` describes once it is stored: deeply read-only, defaults present. */
export type StoredOf<S> = S extends Schema<infer Stored, infer _Draft> ? Stored : never
/** The type of what a client may send for `S`: what has a default may be left out. */
export type DraftOf<S> = S extends Schema<infer _Stored, infer Draft> ? Draft : never

type PresentIn<F extends Fields> = { [K in keyof F]: F[K]['presence'] extends 'required' | 'embedded' | 'defaulted' ? K : never }[keyof F]
type RequiredIn<F extends Fields> = { [K in keyof F]: F[K]['presence'] extends 'required' ? K : never }[keyof F]

export type StoredFields<F extends Fields> = { readonly [K in PresentIn<F>]: StoredOf<F[K]['schema']> } & {
  readonly [K in Exclude<keyof F, PresentIn<F>>]?: StoredOf<F[K]['schema']> | undefined
}
export type DraftFields<F extends Fields> = { readonly [K in RequiredIn<F>]: DraftOf<F[K]['schema']> } & {
  readonly [K in Exclude<keyof F, RequiredIn<F>>]?: DraftOf<F[K]['schema']> | undefined
}

/** The same value, to be changed: what hooks and drafts work on. */
export type Mutable<T> = T extends (infer E)[] | readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T

/** A message's schema; `fields` lets others inline or pick from it. */
export interface Message<F extends Fields> extends Schema<StoredFields<F>, DraftFields<F>> {
  readonly shape: MessageShape
  readonly fields: F
}

const scalar = <T>(shape: Shape): Schema<T> => ({ shape })

export const string = scalar<string>({ type: 'string' })
export const boolean = scalar<boolean>({ type: 'boolean' })
export const int32 = scalar<number>({ type: 'integer', bits: 32 })
export const int64 = scalar<number>({ type: 'integer', bits: 64 })
export const number = scalar<number>({ type: 'number' })
/** Base64 text. */
export const bytes = scalar<string>({ type: 'bytes' })
/** RFC 3339 to the second, UTC: `2026-01-02T03:04:05Z`. */
export const time = scalar<string>({ type: 'time' })
/** RFC 3339 with six fractional digits. */
export const microTime = scalar<string>({ type: 'microTime' })
/** Go's notation: `1m30s`. */
export const duration = scalar<string>({ type: 'duration' })
/** A number with a unit: `500m`, `1Gi`. */
export const quantity = scalar<string>({ type: 'quantity' })
/** A whole number, or a string such as `25%` or a port's name. */
export const intOrString = scalar<number | string>({ type: 'intOrString' })
/** An object of any kind (`runtime.RawExtension`). */
export const rawExtension = scalar<Readonly<Record<string, unknown>>>({ type: 'raw', as: 'extension' })
/** Any JSON value (`apiextensions.JSON`). */
export const anyJson = scalar<unknown>({ type: 'raw', as: 'json' })
/** A JSON value that is an object of `objects`, a list of those, or no object at all. */
export function jsonOr<T>(objects: () => AnySchema): Schema<T> {
  return { shape: { type: 'raw', as: 'json', objects } }
}

/** A set of field paths (`FieldsV1`). */
export const fieldsV1 = scalar<Readonly<Record<string, unknown>>>({ type: 'raw', as: 'fields' })

/** One of a few words. The check itself is the kind's (its message names the supported values in upstream's order). */
export function oneOf<const V extends readonly string[]>(...values: V): Schema<V[number], V[number] | (string & {})> {
  return { shape: { type: 'string', values } }
}

/** How strategic merge treats a list, where it is not what server-side apply does. */
export interface ListOptions {
  readonly patchStrategy?: PatchStrategy | undefined
  readonly patchMergeKey?: string | undefined
  readonly nullable?: boolean | undefined
}

type ListOf<S extends AnySchema> = Schema<readonly StoredOf<S>[], readonly DraftOf<S>[]>

type NullableListOf<S extends AnySchema> = Schema<readonly StoredOf<S>[] | null, readonly DraftOf<S>[] | null>
type Nullable = ListOptions & { readonly nullable: true }

/** A list that is replaced as a whole. */
export function list<S extends AnySchema>(of: S, options: Nullable): NullableListOf<S>
export function list<S extends AnySchema>(of: S, options?: ListOptions): ListOf<S>
export function list<S extends AnySchema>(of: S, options: ListOptions = {}): ListOf<S> {
  return { shape: { type: 'list', of, listType: 'atomic', keys: [], ...present(options) } }
}

/** A list of scalars without order or repetition, merged element by element. */
export function listSet<S extends AnySchema>(of: S, options: Nullable): NullableListOf<S>
export function listSet<S extends AnySchema>(of: S, options?: ListOptions): ListOf<S>
export function listSet<S extends AnySchema>(of: S, options: ListOptions = {}): ListOf<S> {
  return { shape: { type: 'list', of, listType: 'set', keys: [], ...present(options) } }
}

/** A list of messages that `keys` tell apart, merged by key. Strategic merge is not implied: say `patchMergeKey`. */
export function listMap<S extends AnySchema>(of: S, keys: readonly string[], options: Nullable): NullableListOf<S>
export function listMap<S extends AnySchema>(of: S, keys: readonly string[], options?: ListOptions): ListOf<S>
export function listMap<S extends AnySchema>(of: S, keys: readonly string[], options: ListOptions = {}): ListOf<S> {
  return { shape: { type: 'list', of, listType: 'map', keys, ...present(options) } }
}

type MapOf<S extends AnySchema> = Schema<Readonly<Record<string, StoredOf<S>>>, Readonly<Record<string, DraftOf<S>>>>

/** A map from strings, merged key by key. */
export function map<S extends AnySchema>(of: S): MapOf<S> {
  return { shape: { type: 'map', of, mapType: 'granular' } }
}

/** A map from strings that server-side apply owns as a whole. */
export function atomicMap<S extends AnySchema>(of: S): MapOf<S> {
  return { shape: { type: 'map', of, mapType: 'atomic' } }
}

/** A schema that is declared later, or refers to itself. Annotate the constant that uses it. */
export function lazy<Stored, Draft = Stored>(of: () => Schema<Stored, Draft>): Schema<Stored, Draft> {
  return { shape: { type: 'lazy', of } }
}

export interface MessageOptions<F extends Fields = Fields> {
  readonly documentation?: string
  readonly mapType?: 'granular' | 'atomic'
  /** Fills in what depends on other fields, wherever the message occurs. Must be idempotent. */
  applyDefaults?(value: Mutable<StoredFields<F>>): void
}

/** Declares a message. `name` is its OpenAPI name: `io.k8s.api.core.v1.Container`. */
export function message<F extends Fields>(name: string, fields: F, options: MessageOptions<NoInfer<F>> = {}): Message<F> {
  const { documentation = '', mapType = 'granular', applyDefaults } = options
  return {
    fields,
    shape: {
      type: 'message',
      name,
      fields,
      mapType,
      documentation,
      ...(applyDefaults ? { applyDefaults: applyDefaults as NonNullable<MessageShape['applyDefaults']> } : {}),
    },
  }
}

/** A field without omitempty: always there. */
export function required<S extends AnySchema>(number: number | undefined, schema: S, documentation = ''): Field<'required', S> {
  return { presence: 'required', number, schema, within: [], documentation }
}

/** A pointer that validation requires: no zero value stands in for it. */
export function needed<S extends AnySchema>(number: number | undefined, schema: S, documentation = ''): Field<'required', S> {
  return { ...required(number, schema, documentation), goKind: 'pointer' }
}

/** A pointer without omitempty: written as `null` when it was not sent. */
export function nullable<S extends AnySchema>(
  number: number | undefined,
  schema: S,
  documentation = '',
): Field<'embedded', Schema<StoredOf<S> | null, DraftOf<S> | null>> {
  return { presence: 'embedded', number, schema, within: [], documentation, goKind: 'pointer' }
}

/** A pointer: there when sent. */
export function optional<S extends AnySchema>(number: number | undefined, schema: S, documentation = ''): Field<'optional', S> {
  return { presence: 'optional', number, schema, within: [], documentation }
}

/** A value with omitempty: absent when zero. */
export function omitempty<S extends AnySchema>(number: number | undefined, schema: S, documentation = ''): Field<'omitempty', S> {
  return { presence: 'omitempty', number, schema, within: [], documentation }
}

/** A message by value: always there, `{}` if nothing was sent. */
export function embedded<S extends AnySchema>(number: number | undefined, schema: S, documentation = ''): Field<'embedded', S> {
  return { presence: 'embedded', number, schema, within: [], documentation }
}

/**
 * A field that is always there once defaults were applied. `defaultValue` is the constant; undefined means that the message's or kind's
 * `applyDefaults` fills it in. `goKind` is `'value'` where upstream keeps it by value and not by pointer.
 */
export function defaulted<S extends AnySchema>(
  number: number | undefined,
  schema: S,
  defaultValue: DraftOf<S> | undefined,
  documentation = '',
  goKind?: 'value',
): Field<'defaulted', S> {
  return { presence: 'defaulted', number, schema, within: [], documentation, defaultValue, ...(goKind ? { goKind } : {}) }
}

/** The same field, with `patchStrategy` for strategic merge (`retainKeys` on unions such as a volume's source). */
export function patched<F extends AnyField>(field: F, patchStrategy: PatchStrategy): F {
  return { ...field, patchStrategy }
}

/** The fields of `of`, to be spread into a parent: flat in JSON, message number `number` in protobuf. */
export function inline<F extends Fields>(number: number, of: Message<F>): F {
  const entries = Object.entries(of.fields).map(([name, field]) => [name, { ...field, within: [number, ...field.within] }])
  return Object.fromEntries(entries) as F
}

const structurals = new WeakMap<JsonSchema, AnySchema>()

/** A value in the form that a custom resource's definition gives it. The same schema for the same definition. */
export function structural(of: JsonSchema): AnySchema {
  let schema = structurals.get(of)
  if (!schema) {
    schema = { shape: { type: 'structural', of } }
    structurals.set(of, schema)
  }
  return schema
}

/** Sees through {@link lazy}. */
export function shapeOf(schema: AnySchema): Exclude<Shape, { type: 'lazy' }> {
  let shape = schema.shape
  while (shape.type === 'lazy') shape = shape.of().shape
  return shape
}

/** `options` without the entries that are undefined. */
function present(options: ListOptions): { patchStrategy?: PatchStrategy; patchMergeKey?: string; nullable?: boolean } {
  return {
    ...(options.patchStrategy ? { patchStrategy: options.patchStrategy } : {}),
    ...(options.patchMergeKey ? { patchMergeKey: options.patchMergeKey } : {}),
    ...(options.nullable ? { nullable: true } : {}),
  }
}
