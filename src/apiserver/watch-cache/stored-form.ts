import { beside } from '#base/collections/beside.ts'
import { copyBytes, newKeptBytes } from '#base/collections/kept-bytes.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import type { Encoded, Former, Places } from './encode-stored.ts'

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
  /** Where its parts are in that, if that is known. */
  readonly places?: Places | undefined
  /** The object; its resourceVersion is '' until {@link adopt} fills it in. */
  readonly object: ApiObject
}

const LINE_FEED = 0x0a
const SLOT = '"resourceVersion":""'
/** What is being written, beside its bytes: the store hands on the very bytes it was given. */
const writing = beside<StoredForm | undefined>()
const kept = beside<Uint8Array>()
/** In the bytes that are kept. */
const placesIn = beside<Places>()

/**
 * The form of `object`, whose resourceVersion has to be '', of its JSON. `seal` makes of that what is stored. The object becomes the cache's own
 * once it is stored. Call {@link written} when the write is over, whatever came of it.
 */
export function storedForm(
  object: ApiObject,
  { json, places }: Pick<Encoded, 'json'> & Partial<Encoded>,
  seal?: (json: Uint8Array) => Uint8Array,
): StoredForm {
  const form = { value: seal ? seal(json) : json, json, places, object }
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
  writing.set(value, undefined)
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
    if (form.json) keepJson(object, form.json, known?.places, revision)
  }
  return object
}

/** What was read of a stored value that this process did not write: the object, and its JSON if that is how it is stored. */
export type ReadForm = Pick<StoredForm, 'object' | 'json'>

/** The JSON bytes kept beside `object`, if they are; with a line feed at their end. */
export function keptBytes(object: object): Uint8Array | undefined {
  return kept.get(object)
}

/** `object` as a version before the one that is to be encoded; undefined where it is not known how it was. */
export function formerOf(object: ApiObject): Former | undefined {
  const places = placesIn.get(object)
  const json = kept.get(object)
  return places && json && { object, json, places }
}

/**
 * The kept JSON of `object`, without a line feed, between `head` and `tail`; undefined if none is kept. Hot: bench/loops — what is made for a moment is
 * cut from Node's pool where that is done: an allocation of its own outside the heap costs more than copying an object. What is too large for the
 * pool outlives the young generation now and then, and would hurry the garbage collection.
 */
export function enclosed(object: object, head: Uint8Array, tail: Uint8Array): Uint8Array | undefined {
  const known = kept.get(object)
  if (known === undefined) return undefined
  const length = known.length - 1
  const whole = head.length + length + tail.length
  const bytes = whole < Buffer.poolSize >>> 1 ? Buffer.allocUnsafe(whole) : newKeptBytes(whole)
  bytes.set(head)
  copyBytes(known.subarray(0, length), bytes, head.length)
  bytes.set(tail, head.length + length)
  return bytes
}

/** Keeps for `copy`, which differs from `original` in its resourceVersion alone, what is kept for that. */
export function keepAsOf(copy: object, original: ApiObject, revision: number): void {
  const known = kept.get(original)
  if (!known) return
  const before = `"resourceVersion":"${original.metadata.resourceVersion ?? ''}"`
  const text = Buffer.from(known.buffer, known.byteOffset, known.length)
  const at = text.indexOf(before)
  // Where it stands twice, one may be within something else.
  if (at < 0 || text.indexOf(before, at + 1) >= 0) return
  kept.set(copy, withRevision(known, { at, length: before.length, end: known.length - 1 }, revision))
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
 * Hot: bench/apiserver — a write serialises once, and the revision is spliced into a copy of the stored bytes: these lie in memory whose growth
 * hurries the garbage collection, and what was read may be a part of something larger. It is made at once: later, both would be there.
 */
function keepJson(object: object, json: Uint8Array, places: Places | undefined, revision: number): void {
  const at = indexOf(json, SLOT)
  if (at < 0) return
  const bytes = withRevision(json, { at, length: SLOT.length, end: json.length }, revision)
  kept.set(object, bytes)
  if (places && places.first > at) placesIn.set(object, moved(places, bytes.length - 1 - json.length))
}

function moved({ entries, first, second, end }: Places, by: number): Places {
  return { entries: entries && entries + by, first: first + by, second: second + by, end: end + by }
}

/** `json` up to `end` with `revision` in the slot, and a line feed. */
function withRevision(
  json: Uint8Array,
  slot: { readonly at: number; readonly length: number; readonly end: number },
  revision: number,
): Uint8Array {
  const digits = String(revision)
  const from = slot.at + SLOT.length - 1
  const rest = json.subarray(slot.at + slot.length - 1, slot.end)
  const bytes = newKeptBytes(from + digits.length + rest.length + 1)
  copyBytes(json.subarray(0, from), bytes, 0)
  for (let index = 0; index < digits.length; index++) bytes[from + index] = digits.charCodeAt(index)
  copyBytes(rest, bytes, from + digits.length)
  bytes[bytes.length - 1] = LINE_FEED
  return bytes
}

/** Where `"resourceVersion":"…"` stands first: what is before it (kind, apiVersion, names) cannot contain that, since quotes are escaped. */
function indexOf(value: Uint8Array, text: string): number {
  const first = text.charCodeAt(0)
  search: for (let at = value.indexOf(first); at >= 0; at = value.indexOf(first, at + 1)) {
    for (let index = 1; index < text.length; index++) if (value[at + index] !== text.charCodeAt(index)) continue search
    return at
  }
  return -1
}
