import { formatDuration } from '../../duration/duration.ts'
import { type JsonObject, setAt, valueAt } from '../../patch/json-object.ts'
import { type AnySchema, type MessageShape, type RawShape, shapeOf } from '../../schema/schema.ts'
import { parseJson } from '../json/parse-json.ts'
import { rawJson } from '../json/raw-json.ts'
import { base64Of } from './base64.ts'
import { layoutOf, type Union, type WireField } from './layout.ts'
import { ProtobufError, ProtobufReader } from './reader.ts'
import { BYTES, FIXED64, VARINT } from './writer.ts'

/**
 * The message in `bytes` as the JSON a client would have sent: fields that protobuf has no number for are absent, the rest is left to
 * `decode`. Throws {@link ProtobufError}.
 */
export function readMessage(schema: AnySchema, bytes: Uint8Array): JsonObject {
  const shape = shapeOf(schema)
  if (shape.type !== 'message') throw new TypeError('only messages are read from protobuf')
  try {
    return readObject(shape, new ProtobufReader(bytes))
  } catch (error) {
    if (error instanceof RangeError) throw new ProtobufError('proto: the message is nested too deeply', { cause: error })
    throw error
  }
}

type Take = (reader: ProtobufReader, wireType: number, into: Record<string, unknown>) => void

const readers = new WeakMap<MessageShape, ReadonlyMap<number, Take>>()

function readObject(shape: MessageShape, reader: ProtobufReader): JsonObject {
  let fields = readers.get(shape)
  if (!fields) {
    fields = takersOf(layoutOf(shape), shape)
    readers.set(shape, fields)
  }
  const object: Record<string, unknown> = {}
  readFields(fields, reader, object)
  return object
}

function readFields(fields: ReadonlyMap<number, Take>, reader: ProtobufReader, into: Record<string, unknown>): void {
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    const take = fields.get(tag >>> 3)
    if (take) take(reader, tag & 7, into)
    else reader.skip(tag & 7)
  }
}

function takersOf(layout: readonly WireField[], shape: MessageShape): ReadonlyMap<number, Take> {
  return new Map(layout.map(field => [field.number, takeField(field, shape)]))
}

function takeField(field: WireField, shape: MessageShape): Take {
  if ('inlined' in field) {
    const members = takersOf(field.inlined, shape)
    return (reader, wireType, into) => {
      expectType(wireType, BYTES, String(field.number))
      readFields(members, reader.nested(), into)
    }
  }
  const { name, schema, union } = field
  const { type } = shapeOf(schema)
  if (union) return takeUnion(name, union, shape)
  if (type === 'list') return takeListItem(name, schema)
  if (type === 'map') return takeMapEntry(name, schema)
  const [expected, read] = valueReader(schema)
  return (reader, wireType, into) => {
    expectType(wireType, expected, name)
    setAt(into, name, read(reader))
  }
}

type Read = (reader: ProtobufReader) => unknown

/** The wire type of a value, and how it is read. */
function valueReader(schema: AnySchema): readonly [number, Read] {
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'string':
      return [BYTES, reader => reader.string()]
    case 'boolean':
      return [VARINT, reader => reader.uint64() !== 0]
    case 'integer':
      return [VARINT, shape.bits === 32 ? reader => reader.int32() : reader => reader.int64()]
    case 'number':
      return [FIXED64, reader => reader.double()]
    case 'bytes':
      return [BYTES, reader => base64Of(reader.bytes())]
    case 'message':
      return [BYTES, reader => readObject(shape, reader.nested())]
    case 'time':
      return [BYTES, reader => readTime(reader.nested(), false)]
    case 'microTime':
      return [BYTES, reader => readTime(reader.nested(), true)]
    case 'duration':
      return [BYTES, reader => formatDuration(BigInt((readParts(reader.nested()).get(1) as number | bigint | undefined) ?? 0))]
    case 'quantity':
      return [BYTES, reader => textOf(readParts(reader.nested()).get(1))]
    case 'intOrString':
      return [BYTES, reader => readIntOrString(reader.nested())]
    case 'raw':
      return [BYTES, reader => readRaw(shape.as, reader.nested())]
    case 'list':
    case 'map':
      throw new TypeError('a list of lists has no form in protobuf')
    case 'structural':
      throw new TypeError('a custom resource has no form in protobuf')
  }
}

/** One element of a list; numbers may also come packed. */
function takeListItem(name: string, schema: AnySchema): Take {
  const shape = shapeOf(schema)
  const [expected, read] = valueReader(shape.type === 'list' ? shape.of : schema)
  return (reader, wireType, into) => {
    const list = (valueAt(into, name) as unknown[] | undefined) ?? []
    if (wireType === BYTES && expected !== BYTES) {
      const packed = reader.nested()
      while (!packed.isAtEnd) list.push(read(packed))
    } else {
      expectType(wireType, expected, name)
      list.push(read(reader))
    }
    setAt(into, name, list)
  }
}

function takeMapEntry(name: string, schema: AnySchema): Take {
  const shape = shapeOf(schema)
  const of = shape.type === 'map' ? shape.of : schema
  const take = takersOfEntry(of)
  return (reader, wireType, into) => {
    expectType(wireType, BYTES, name)
    const entry: Record<string, unknown> = {}
    readFields(take, reader.nested(), entry)
    const map = (valueAt(into, name) as Record<string, unknown> | undefined) ?? {}
    setAt(map, (entry['key'] as string | undefined) ?? '', entry['value'] ?? null)
    setAt(into, name, map)
  }
}

function takersOfEntry(of: AnySchema): ReadonlyMap<number, Take> {
  const key: Take = (reader, _, into) => {
    into['key'] = reader.string()
  }
  const isList = shapeOf(of).type === 'list'
  const item = isList ? takeListItem('value', of) : undefined
  const [expected, read] = item ? [BYTES, undefined] : valueReader(of)
  const value: Take = (reader, wireType, into) => {
    expectType(wireType, expected, 'value')
    if (!item) into['value'] = read!(reader)
    else {
      into['value'] = []
      readFields(new Map([[1, item]]), reader.nested(), into)
    }
  }
  return new Map([
    [1, key],
    [2, value],
  ])
}

/** The parts of one of the small messages that are scalars in JSON. */
function readParts(reader: ProtobufReader): ReadonlyMap<number, number | bigint | Uint8Array> {
  const parts = new Map<number, number | bigint | Uint8Array>()
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if ((tag & 7) === VARINT) parts.set(tag >>> 3, reader.int64())
    else if ((tag & 7) === BYTES) parts.set(tag >>> 3, reader.bytes())
    else reader.skip(tag & 7)
  }
  return parts
}

/** An empty message is the zero time, which JSON writes as null. */
function readTime(reader: ProtobufReader, isMicro: boolean): string | null {
  const parts = readParts(reader)
  if (parts.size === 0) return null
  const ms = Number(parts.get(1) ?? 0) * 1000
  const nanos = Number(parts.get(2) ?? 0)
  if (!(Math.abs(ms) <= MAX_DATE_MS)) throw new ProtobufError('proto: time out of range')
  const seconds = new Date(ms).toISOString().slice(0, -5)
  return isMicro ? `${seconds}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${seconds}Z`
}

const MAX_DATE_MS = 253_402_300_799_000

function readIntOrString(reader: ProtobufReader): number | string {
  const parts = readParts(reader)
  return Number(parts.get(1) ?? 0) === 0
    ? Number(BigInt.asIntN(32, BigInt((parts.get(2) as number | bigint | undefined) ?? 0)))
    : textOf(parts.get(3))
}

function readRaw(as: RawShape['as'], reader: ProtobufReader): unknown {
  const bytes = readParts(reader).get(1)
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) return null
  return as === 'extension' ? rawJson(parseJson(bytes, { marksNumbers: true })) : parseJson(bytes)
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function textOf(part: number | bigint | Uint8Array | undefined): string {
  return part instanceof Uint8Array ? utf8.decode(part) : ''
}

function takeUnion(name: string, union: Union, shape: MessageShape): Take {
  if (union === 'schemaOrNames') {
    return (reader, _, into) => {
      const [key, value] = readNamesEntry(reader.nested(), shape)
      const map = (valueAt(into, name) as Record<string, unknown> | undefined) ?? {}
      setAt(map, key, value)
      setAt(into, name, map)
    }
  }
  return (reader, wireType, into) => {
    expectType(wireType, BYTES, name)
    setAt(into, name, readUnion(reader.nested(), union, shape))
  }
}

function readUnion(reader: ProtobufReader, union: Union, shape: MessageShape): unknown {
  let value: unknown = union === 'schemaOrBoolean' ? false : []
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (union === 'schemaOrBoolean' && tag >>> 3 === 1) value = reader.uint64() !== 0
    else if (tag === (((union === 'schemaOrBoolean' ? 2 : 1) << 3) | BYTES)) value = readObject(shape, reader.nested())
    else if (tag === ((2 << 3) | BYTES))
      (value as unknown[]).push(union === 'schemaOrNames' ? reader.string() : readObject(shape, reader.nested()))
    else reader.skip(tag & 7)
  }
  return value
}

function readNamesEntry(reader: ProtobufReader, shape: MessageShape): [string, unknown] {
  let key = ''
  let value: unknown = null
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | BYTES)) key = reader.string()
    else if (tag === ((2 << 3) | BYTES)) value = readUnion(reader.nested(), 'schemaOrNames', shape)
    else reader.skip(tag & 7)
  }
  return [key, value]
}

function expectType(actual: number, expected: number, field: string): void {
  if (actual !== expected) throw new ProtobufError(`proto: wrong wireType = ${actual} for field ${goName(field)}`)
}

function goName(field: string): string {
  return field.charAt(0).toUpperCase() + field.slice(1)
}
