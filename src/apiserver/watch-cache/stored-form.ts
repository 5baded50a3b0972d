import { beside } from '#base/collections/beside.ts'
import { newKeptBytes } from '#base/collections/kept-bytes.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { ObjectMeta } from '#machinery/kind/object-meta.ts'

/**
 * The bytes that are stored for an object, and the bytes that clients get, from one serialisation: both are the object's JSON, but the store
 * keeps `"resourceVersion":""` (the revision is not known before the write), which is filled in for clients. What the store keeps may be
 * made of that: encrypted, or protobuf.
 */
export interface StoredForm {
  /** What the store keeps. */
  readonly value: Uint8Array
  /** The object's JSON, if it is the value or the value was made of it. */
  readonly json: Uint8Array | undefined
  /** The object; its resourceVersion is '' until {@link adopt} fills it in. */
  readonly object: ApiObject
}

/** Bytes with a slot, as they are stored, and what is to be filled in where. */
interface Unfilled {
  readonly json: Uint8Array
  readonly at: number
  readonly revision: number
}

const LINE_FEED = 0x0a
const SLOT = '"resourceVersion":""'
/** What is being written, by its bytes: the store hands on the very bytes it was given. */
const writing = new Map<Uint8Array, StoredForm>()
const kept = beside<Uint8Array | Unfilled>()
const encoder = new TextEncoder()

/**
 * Serialises `object`, whose resourceVersion has to be ''. `seal` makes of that what is stored. The object becomes the cache's own once it is
 * stored. Call {@link written} when the write is over, whatever came of it.
 */
export function storedForm(
  object: ApiObject,
  stringify: (object: ApiObject) => string,
  seal?: (json: Uint8Array) => Uint8Array,
): StoredForm {
  const json = encoder.encode(stringify(object))
  const form = { value: seal ? seal(json) : json, json, object }
  writing.set(form.value, form)
  return form
}

/** The form of an object that is stored as something else than its JSON; call {@link written} as well. */
export function storedAs(object: ApiObject, value: Uint8Array): StoredForm {
  const form = { value, json: undefined, object }
  writing.set(value, form)
  return form
}

/** The write of a form is over. */
export function written({ value }: StoredForm): void {
  writing.delete(value)
}

/**
 * The object in `value` as of `revision`: the very object that was written by this process, or a newly parsed one.
 */
export function adopt(value: Uint8Array, revision: number, read: (value: Uint8Array) => ReadForm): ApiObject {
  const known = writing.get(value)
  const form = known ?? read(value)
  const object = known ? known.object : withSlot(form.object)
  const metadata = object.metadata as { resourceVersion?: string }
  if (metadata.resourceVersion === '') {
    metadata.resourceVersion = String(revision)
    if (form.json) keepJson(object, form.json, revision, known !== undefined)
  }
  return object
}

/** What was read of a stored value that this process did not write: the object, and its JSON if that is how it is stored. */
export type ReadForm = Pick<StoredForm, 'object' | 'json'>

/** The JSON bytes kept beside `object`, if they are; with a line feed at their end. */
export function keptBytes(object: object): Uint8Array | undefined {
  const known = kept.get(object)
  if (known === undefined || known instanceof Uint8Array) return known
  const bytes = filled(known)
  kept.set(object, bytes)
  return bytes
}

/**
 * The kept JSON of `object`, without a line feed, between `head` and `tail`; undefined if none is kept. Hot: bench/loops — what is made for a moment is
 * cut from Node's pool: an allocation of its own outside the heap costs more than copying an object, and hurries the garbage collection.
 */
export function enclosed(object: object, head: Uint8Array, tail: Uint8Array): Uint8Array | undefined {
  const known = kept.get(object)
  if (known === undefined) return undefined
  const length = lengthOf(known)
  const bytes = Buffer.allocUnsafe(head.length + length + tail.length)
  bytes.set(head)
  if (known instanceof Uint8Array) bytes.set(known.subarray(0, length), head.length)
  else fill(bytes, head.length, known)
  bytes.set(tail, head.length + length)
  return bytes
}

/** Keeps for `copy`, which differs from `original` in its resourceVersion alone, what is kept for that. */
export function keepAsOf(copy: object, original: object, revision: number): void {
  const known = kept.get(original)
  if (known !== undefined && !(known instanceof Uint8Array)) kept.set(copy, { ...known, revision })
}

/** Keeps `bytes` as the JSON of `object`, which has to end in a line feed. */
export function keep(object: object, bytes: Uint8Array): void {
  kept.set(object, bytes)
}

/** `metadata` in its canonical order with an empty resourceVersion in its place. */
export function slotted(metadata: ApiObject['metadata']): ApiObject['metadata'] {
  const source = metadata as Record<string, unknown>
  const result: Record<string, unknown> = {}
  for (const field of META_FIELDS) {
    if (field === 'resourceVersion') result[field] = ''
    else if (source[field] !== undefined) result[field] = source[field]
  }
  return result as ApiObject['metadata']
}

const META_FIELDS = Object.keys(ObjectMeta.fields)

/** What others have stored has no slot. */
function withSlot(object: ApiObject): ApiObject {
  return object.metadata.resourceVersion === '' ? object : { ...object, metadata: slotted(object.metadata) }
}

/**
 * Hot: bench/apiserver — a write serialises once, and the revision is spliced into a copy of the stored bytes: of what this process has written
 * when somebody asks for bytes, which between components of one process nobody does. What is kept is a copy all the same: the bytes of a write
 * lie in memory whose growth hurries the garbage collection, and what was read may be a part of something larger.
 */
function keepJson(object: object, json: Uint8Array, revision: number, isOwn: boolean): void {
  const at = indexOfSlot(json)
  if (at < 0) return
  kept.set(object, isOwn ? { json: keptCopy(json), at, revision } : filled({ json, at, revision }))
}

function keptCopy(json: Uint8Array): Uint8Array {
  const copy = newKeptBytes(json.length)
  copy.set(json)
  return copy
}

function filled(unfilled: Unfilled): Uint8Array {
  const length = lengthOf(unfilled)
  const bytes = newKeptBytes(length + 1)
  fill(bytes, 0, unfilled)
  bytes[length] = LINE_FEED
  return bytes
}

/** How long the JSON is, without the line feed. */
function lengthOf(known: Uint8Array | Unfilled): number {
  return known instanceof Uint8Array ? known.length - 1 : known.json.length + String(known.revision).length
}

/** Writes the JSON with its revision into `bytes`, from `start` on. */
function fill(bytes: Uint8Array, start: number, { json, at, revision }: Unfilled): void {
  const digits = String(revision)
  const from = at + SLOT.length - 1
  bytes.set(json.subarray(0, from), start)
  for (let index = 0; index < digits.length; index++) bytes[start + from + index] = digits.charCodeAt(index)
  bytes.set(json.subarray(from), start + from + digits.length)
}

/** What stands before the slot (kind, apiVersion, names) cannot contain its text: quotes are escaped. */
function indexOfSlot(value: Uint8Array): number {
  const first = SLOT.charCodeAt(0)
  search: for (let at = value.indexOf(first); at >= 0; at = value.indexOf(first, at + 1)) {
    for (let index = 1; index < SLOT.length; index++) if (value[at + index] !== SLOT.charCodeAt(index)) continue search
    return at
  }
  return -1
}
