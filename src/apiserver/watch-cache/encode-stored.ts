import { copyBytes } from '#base/collections/kept-bytes.ts'
import { type FieldsV1, textOf } from '#machinery/apply/fields-v1.ts'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { ManagedFieldsEntry } from '#machinery/meta/object-meta.ts'

/** Where the parts of an object's JSON begin that other versions of it may have as well, in bytes. */
export interface Places {
  /** `"managedFields"`, the last of the metadata; 0: there are none. */
  readonly entries: number
  /** The commas before the two fields behind the metadata; where there are less, that of the closing brace. */
  readonly first: number
  readonly second: number
  /** The closing brace. */
  readonly end: number
}

/** The JSON of an object; without places where it is of more parts than have one. */
export interface Encoded {
  readonly json: Uint8Array
  readonly places: Places | undefined
}

/** A stored object that nobody changes any more, and the JSON of just that. */
export interface Former extends Encoded {
  readonly object: ApiObject
}

/**
 * The JSON of an object, as {@link encodeJson} writes it, in bytes; `managedFields` have to stand last in its metadata. What it shares with `former`,
 * the very same values at the same places, is copied from there.
 *
 * Hot: bench/loops — the spec is most of a pod and stays when its status is written or it is marked as going; and objects made from one template
 * own the same fields, which are half of the text of a pod: that part is kept beside the shared sets. Parts are put together as bytes,
 * since to join them as text makes one more copy, in the heap.
 */
export function encodeStored(object: ApiObject, former?: Former): Encoded {
  const output = new Output()
  const source = object as unknown as Fields
  const known = former?.places
  let entries = 0
  let behind = -1
  const starts: number[] = []
  for (const field in source) {
    const value = source[field]
    if (value === undefined) continue
    if (field === 'metadata') {
      output.text(`${output.isEmpty ? '{' : ','}"metadata":`)
      entries = writeMetadata(output, object.metadata, former)
      behind = 0
      continue
    }
    if (behind >= 0) starts.push(output.length)
    const at = behind < 0 || behind++ > 1 ? undefined : known && placeOf(known, behind)
    if (at && value === partOf(former!.object, field, behind)) output.bytes(former!.json, at.start, at.end)
    else output.text(`${output.isEmpty ? '{' : ','}${textOfName(field)}:${encodeJson(value)}`)
  }
  const end = output.length
  output.text(output.isEmpty ? '{}' : '}')
  const [first = end, second = end] = starts
  return { json: output.take(), places: behind >= 0 && starts.length <= 2 ? { entries, first, second, end } : undefined }
}

type Fields = Readonly<Record<string, unknown>>

/** Answers where the entries begin. */
function writeMetadata(output: Output, metadata: ApiObject['metadata'], former: Former | undefined): number {
  const { managedFields } = metadata
  if (!managedFields || managedFields.length === 0) {
    output.text(encodeJson(metadata))
    return 0
  }
  const head = encodeJson(withoutEntries(metadata))
  output.text(head === '{}' ? '{' : `${head.slice(0, -1)},`)
  const at = output.length
  const known = former?.places
  if (known?.entries && managedFields === former!.object.metadata.managedFields) {
    output.bytes(former!.json, known.entries, known.first)
    return at
  }
  output.text('"managedFields":[')
  for (let index = 0; index < managedFields.length; index++) {
    if (index > 0) output.text(',')
    output.text(entryText(managedFields[index]!))
  }
  output.text(']}')
  return at
}

function withoutEntries(metadata: ApiObject['metadata']): Fields {
  const rest: Record<string, unknown> = {}
  for (const field in metadata) if (field !== 'managedFields') rest[field] = (metadata as Fields)[field]
  return rest
}

function entryText(entry: ManagedFieldsEntry): string {
  let text = ''
  for (const key in entry) {
    const value = entry[key as keyof ManagedFieldsEntry]
    if (value === undefined) continue
    const isFields = key === 'fieldsV1' && typeof value === 'object' && value !== null
    text += `${text === '' ? '{' : ','}"${key}":${isFields ? textOf(value as FieldsV1) : scalarText(value)}`
  }
  return text === '' ? '{}' : `${text}}`
}

const PLAIN = /^[\w .:/-]*$/

function scalarText(value: unknown): string {
  return typeof value === 'string' && PLAIN.test(value) ? `"${value}"` : encodeJson(value)
}

function textOfName(field: string): string {
  return PLAIN.test(field) ? `"${field}"` : encodeJson(field)
}

/** Where the field stands that is the `number`th (of two) behind the metadata. */
function placeOf({ first, second, end }: Places, number: number): { readonly start: number; readonly end: number } | undefined {
  const [from, to] = number === 1 ? [first, second] : [second, end]
  return from < to ? { start: from, end: to } : undefined
}

/** The value of `field` if it is an object's `number`th behind its metadata, and a value that can be told from others. */
function partOf(object: ApiObject, field: string, number: number): unknown {
  let count = -1
  for (const name in object) {
    const value = (object as unknown as Fields)[name]
    if (value === undefined) continue
    if (name === 'metadata') count = 0
    else if (count >= 0 && ++count === number) return name === field && typeof value === 'object' && value !== null ? value : NOTHING
  }
  return NOTHING
}

const NOTHING = Symbol('nothing')

/** UTF-8 that is being put together. All share the memory: one is taken before the next begins. */
class Output {
  length = 0

  get isEmpty(): boolean {
    return this.length === 0
  }

  text(text: string): void {
    reserve(this.length, text.length * 3)
    this.length += scratch.write(text, this.length)
  }

  bytes(source: Uint8Array, start: number, end: number): void {
    reserve(this.length, end - start)
    copyBytes(source.subarray(start, end), scratch, this.length)
    this.length += end - start
  }

  /** The bytes, for the store, which soon has them where they belong. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.length)
    scratch.copy(bytes, 0, 0, this.length)
    if (scratch.length > KEPT_BYTES) scratch = Buffer.allocUnsafeSlow(KEPT_BYTES)
    return bytes
  }
}

const KEPT_BYTES = 256 * 1024
let scratch = Buffer.allocUnsafeSlow(KEPT_BYTES)

function reserve(used: number, more: number): void {
  if (used + more <= scratch.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(2 * scratch.length, used + more))
  scratch.copy(larger, 0, 0, used)
  scratch = larger
}
