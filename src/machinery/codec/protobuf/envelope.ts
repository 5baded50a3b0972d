import type { JsonObject } from '../../patch/json-object.ts'
import type { AnySchema } from '../../schema/schema.ts'
import { readMessage } from './decode-message.ts'
import { writeMessage } from './encode-message.ts'
import { ProtobufError, ProtobufReader } from './reader.ts'
import { BYTES, ProtobufWriter } from './writer.ts'

/** What every protobuf body begins with: `k8s` and a zero byte. */
export const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0)

/** A body before its kind is known. */
export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  /** The message itself, to be read with the schema of that kind. */
  readonly raw: Uint8Array
  readonly contentType: string
}

/** The message of an object, without its envelope: what lists are joined from. */
export function encodeMessage(schema: AnySchema, object: JsonObject): Uint8Array {
  const writer = new ProtobufWriter()
  writeMessage(writer, schema, object)
  return writer.bytes().slice()
}

/** An object as `application/vnd.kubernetes.protobuf`. */
export function encodeProtobuf(apiVersion: string, kind: string, schema: AnySchema, object: JsonObject): Uint8Array {
  return enveloped(apiVersion, kind, encodeMessage(schema, object))
}

/** A message in its envelope. */
export function enveloped(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  const writer = new ProtobufWriter(raw.length + 64)
  writer.raw(MAGIC)
  writer.tag(1, BYTES)
  writer.nested(() => {
    writer.tag(1, BYTES)
    writer.string(apiVersion)
    writer.tag(2, BYTES)
    writer.string(kind)
  })
  writer.tag(2, BYTES)
  writer.lengthAnd(raw)
  writer.tag(3, BYTES)
  writer.string('')
  writer.tag(4, BYTES)
  writer.string('')
  return writer.bytes().slice()
}

/** A list from the messages of its items ({@link encodeMessage}), in its envelope. `metadata` is the message of its ListMeta. */
export function encodeProtobufList(apiVersion: string, listKind: string, metadata: Uint8Array, items: Iterable<Uint8Array>): Uint8Array {
  const writer = new ProtobufWriter(4096)
  writer.tag(1, BYTES)
  writer.lengthAnd(metadata)
  for (const item of items) {
    writer.tag(2, BYTES)
    writer.lengthAnd(item)
  }
  return enveloped(apiVersion, listKind, writer.bytes())
}

/** One event of a watch as it goes over the wire: its length in four bytes, then the event around an object in its envelope. */
export function encodeProtobufEvent(type: string, object: Uint8Array): Uint8Array {
  const writer = new ProtobufWriter(object.length + 64)
  writer.raw(Uint8Array.of(0, 0, 0, 0))
  writer.tag(1, BYTES)
  writer.string(type)
  writer.tag(2, BYTES)
  writer.nested(() => {
    writer.tag(1, BYTES)
    writer.lengthAnd(object)
  })
  const frame = writer.bytes().slice()
  new DataView(frame.buffer).setUint32(0, frame.length - 4)
  return frame
}

/** Opens a body; throws {@link ProtobufError} where it is no Kubernetes protobuf. */
export function openEnvelope(body: Uint8Array): Envelope {
  if (!MAGIC.every((byte, index) => body[index] === byte)) {
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  }
  const envelope = { apiVersion: '', kind: '', raw: new Uint8Array(0), contentType: '' }
  const reader = new ProtobufReader(body, MAGIC.length)
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | BYTES)) readTypeMeta(reader.nested(), envelope)
    else if (tag === ((2 << 3) | BYTES)) envelope.raw = reader.bytes().slice()
    else if (tag === ((4 << 3) | BYTES)) envelope.contentType = reader.string()
    else reader.skip(tag & 7)
  }
  return envelope
}

/** The object in an opened body as the JSON a client would have sent. */
export function decodeProtobuf(envelope: Envelope, schema: AnySchema): JsonObject {
  const { apiVersion, kind, raw } = envelope
  return { ...(kind === '' ? {} : { kind }), ...(apiVersion === '' ? {} : { apiVersion }), ...readMessage(schema, raw) }
}

function readTypeMeta(reader: ProtobufReader, into: { apiVersion: string; kind: string }): void {
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag === ((1 << 3) | BYTES)) into.apiVersion = reader.string()
    else if (tag === ((2 << 3) | BYTES)) into.kind = reader.string()
    else reader.skip(tag & 7)
  }
}
