import { parseDuration } from '../../duration/duration.ts'
import { isJsonObject, type JsonObject, valueAt } from '../../patch/json-object.ts'
import { type AnySchema, type MessageShape, shapeOf } from '../../schema/schema.ts'
import { secondsAndNanos } from '../../time/time.ts'
import { encodeJson } from '../json/encode-json.ts'
import { bytesOfBase64 } from './base64.ts'
import { layoutOf, type Union, type WireField } from './layout.ts'
import { BYTES, FIXED64, type ProtobufWriter, VARINT } from './writer.ts'

type Put = (writer: ProtobufWriter, value: unknown) => void

/** Writes the fields of a message, as upstream's generated code does: in order of their numbers, maps in order of their keys. */
export function writeMessage(writer: ProtobufWriter, schema: AnySchema, value: JsonObject): void {
  const shape = shapeOf(schema)
  if (shape.type !== 'message') throw new TypeError('only messages are written as protobuf')
  encoderOf(shape)(writer, value)
}

const encoders = new WeakMap<MessageShape, Put>()

// Hot: bench/codec — every message is compiled to a list of closures once.
function encoderOf(shape: MessageShape): Put {
  const known = encoders.get(shape)
  if (known) return known
  let fields: readonly Put[] | undefined
  const encoder: Put = (writer, value) => {
    fields ??= layoutOf(shape).map(field => putField(field, shape))
    for (const put of fields) put(writer, value)
  }
  encoders.set(shape, encoder)
  return encoder
}

/** Writes one field of the object that it is given. */
function putField(field: WireField, shape: MessageShape): Put {
  const { number } = field
  if ('inlined' in field) {
    const members = field.inlined.map(member => putField(member, shape))
    return (writer, value) => {
      writer.tag(number, BYTES)
      writer.nested(() => {
        for (const put of members) put(writer, value)
      })
    }
  }
  const { name, schema, emitsZero, union } = field
  const put = union ? putUnion(number, union, shape) : putValue(number, schema)
  const zero = emitsZero ? zeroOf(schema) : undefined
  return (writer, value) => {
    const own = valueAt(value as JsonObject, name) ?? zero
    if (own !== undefined) put(writer, own)
  }
}

/** Writes a value with its tag; lists and maps with a tag for each element. */
function putValue(number: number, schema: AnySchema): Put {
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'string':
      return (writer, value) => {
        writer.tag(number, BYTES)
        writer.string(value as string)
      }
    case 'boolean':
      return (writer, value) => {
        writer.tag(number, VARINT)
        writer.uint32(value ? 1 : 0)
      }
    case 'integer':
      return (writer, value) => {
        writer.tag(number, VARINT)
        writer.int64(value as number | bigint)
      }
    case 'number':
      return (writer, value) => {
        writer.tag(number, FIXED64)
        writer.double(value as number)
      }
    case 'bytes':
      return (writer, value) => {
        writer.tag(number, BYTES)
        writer.lengthAnd(bytesOfBase64(value as string))
      }
    case 'list': {
      const put = putValue(number, shape.of)
      return (writer, value) => {
        for (const item of value as readonly unknown[]) put(writer, item)
      }
    }
    case 'map':
      return putMap(number, shape.of)
    case 'message': {
      const encoder = encoderOf(shape)
      return putNested(number, encoder)
    }
    case 'structural':
      throw new TypeError('a custom resource has no form in protobuf')
    default:
      return putNested(number, SPECIAL[shape.type])
  }
}

function putNested(number: number, write: Put): Put {
  return (writer, value) => {
    writer.tag(number, BYTES)
    writer.nested(() => write(writer, value))
  }
}

/** Entries are messages of key and value; a list as a value is a message around its elements. */
function putMap(number: number, of: AnySchema): Put {
  const isList = shapeOf(of).type === 'list'
  const put = isList ? putNested(2, putValue(1, of)) : putValue(2, of)
  return (writer, value) => {
    for (const key of Object.keys(value as JsonObject).sort(compareBytes)) {
      writer.tag(number, BYTES)
      writer.nested(() => {
        writer.tag(1, BYTES)
        writer.string(key)
        put(writer, (value as JsonObject)[key])
      })
    }
  }
}

/** How types are written that are something else in JSON than in protobuf. */
const SPECIAL: Readonly<Record<'time' | 'microTime' | 'duration' | 'quantity' | 'intOrString' | 'raw', Put>> = {
  time: putTime,
  microTime: putTime,
  duration(writer, value) {
    writer.tag(1, VARINT)
    writer.int64(parseDuration(value as string))
  },
  quantity(writer, value) {
    writer.tag(1, BYTES)
    writer.string(value as string)
  },
  intOrString(writer, value) {
    const isText = typeof value === 'string'
    writer.tag(1, VARINT)
    writer.uint32(isText ? 1 : 0)
    writer.tag(2, VARINT)
    writer.int64(isText ? 0 : (value as number))
    writer.tag(3, BYTES)
    writer.string(isText ? value : '')
  },
  raw(writer, value) {
    if (value === EMPTY_RAW) return
    writer.tag(1, BYTES)
    writer.string(encodeJson(value))
  },
}

/** The zero time is an empty message. */
function putTime(writer: ProtobufWriter, value: unknown): void {
  if (value === '' || value === null) return
  const { seconds, nanos } = secondsAndNanos(value as string)
  writer.tag(1, VARINT)
  writer.int64(seconds)
  writer.tag(2, VARINT)
  writer.int64(nanos)
}

const EMPTY_RAW: unique symbol = Symbol('empty')

/** What is written for a field that Go keeps by value and that is absent in JSON. */
function zeroOf(schema: AnySchema): unknown {
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'boolean':
      return false
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    case 'duration':
      return '0s'
    case 'message':
      return {}
    case 'raw':
      return EMPTY_RAW
    default:
      return ''
  }
}

/** A schema, or the other thing that may stand in its place. */
function putUnion(number: number, union: Union, shape: MessageShape): Put {
  const schema = putNested(union === 'schemaOrBoolean' ? 2 : 1, encoderOf(shape))
  const flag = (writer: ProtobufWriter, value: boolean) => {
    writer.tag(1, VARINT)
    writer.uint32(value ? 1 : 0)
  }
  if (union === 'schemaOrBoolean') {
    return putNested(number, (writer, value) => {
      flag(writer, value !== false)
      if (isJsonObject(value)) schema(writer, value)
    })
  }
  if (union === 'schemaOrList') {
    const item = putNested(2, encoderOf(shape))
    return putNested(number, (writer, value) => {
      if (isJsonObject(value)) schema(writer, value)
      else for (const one of value as readonly unknown[]) item(writer, one)
    })
  }
  const schemaOrNames = putNested(2, (writer, value) => {
    if (isJsonObject(value)) return schema(writer, value)
    for (const name of value as readonly string[]) {
      writer.tag(2, BYTES)
      writer.string(name)
    }
  })
  return (writer, value) => {
    for (const key of Object.keys(value as JsonObject).sort(compareBytes)) {
      writer.tag(number, BYTES)
      writer.nested(() => {
        writer.tag(1, BYTES)
        writer.string(key)
        schemaOrNames(writer, (value as JsonObject)[key])
      })
    }
  }
}

/** Go sorts keys by their bytes; only beyond the basic plane is that another order than JavaScript's. */
function compareBytes(left: string, right: string): number {
  if (left === right) return 0
  for (let index = 0; ; index++) {
    const [one, other] = [left.codePointAt(index), right.codePointAt(index)]
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1
    if (one !== other) return one - other
  }
}
