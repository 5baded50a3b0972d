import { beside } from '#base/collections/beside.ts'
import { DeleteOptions } from '#kinds/meta/v1/delete-options.ts'
import { Status } from '#kinds/meta/v1/status.ts'
import {
  decodeProtobuf,
  encodeMessage,
  encodeProtobuf,
  encodeProtobufEvent,
  encodeProtobufList,
  openEnvelope,
} from '#machinery/codec/protobuf/envelope.ts'
import { ProtobufError } from '#machinery/codec/protobuf/reader.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { ListMeta } from '#machinery/kind/object-meta.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import type { AnySchema } from '#machinery/schema/schema.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { documentSchemas } from '../discovery/document-schemas.ts'
import type { Page } from '../registry/read.ts'
import { metadataSchemas } from './metadata-schemas.ts'
import type { ProtobufReader } from './parse-request-body.ts'
import type { ProtobufWriter } from './render.ts'
import type { WatchFramer } from './watch-stream.ts'

const messages = beside<Uint8Array>()
const envelopes = beside<Uint8Array>()

/** `application/vnd.kubernetes.protobuf`. Hot: an object's message and envelope are made once and kept beside it. */
export const protobuf: ProtobufWriter & ProtobufReader & WatchFramer = {
  object(kind, object) {
    let bytes = envelopes.get(object)
    if (!bytes) {
      bytes = encodeProtobuf(kind.apiVersion, kind.kind, kind.schema, object as JsonObject)
      envelopes.set(object, bytes)
    }
    return bytes
  },
  list(kind, page) {
    return encodeProtobufList(kind.apiVersion, kind.listKind, encodeMessage(ListMeta, page.metadata as JsonObject), messagesOf(kind, page))
  },
  item(kind, object) {
    let bytes = messages.get(object)
    if (!bytes) {
      bytes = encodeMessage(kind.schema, object as unknown as JsonObject)
      messages.set(object, bytes)
    }
    return bytes
  },
  other(object) {
    const { kind = '', apiVersion = '' } = object as { kind?: string; apiVersion?: string }
    const schema: AnySchema | undefined = kind === 'Status' ? Status : (documentSchemas[kind] ?? metadataSchemas[kind])
    return schema && encodeProtobuf(apiVersion, kind, schema, object as JsonObject)
  },
  read(bytes, kind) {
    try {
      const envelope = openEnvelope(bytes)
      const isOptions = kind.kind === 'DeleteOptions'
      if (!isOptions && envelope.kind !== '' && envelope.kind !== kind.kind) return { kind: envelope.kind, apiVersion: envelope.apiVersion }
      return decodeProtobuf(envelope, isOptions ? DeleteOptions : kind.schema)
    } catch (error) {
      if (!(error instanceof ProtobufError)) throw error
      throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${error.message} (${hexOf(bytes)})`, error)
    }
  },
  frame(type, kind, object) {
    const bytes = kind ? protobuf.object(kind, object) : protobuf.other(object)
    return encodeProtobufEvent(type, bytes ?? new Uint8Array())
  },
}

function* messagesOf(kind: AnyKind, { items }: Page): Iterable<Uint8Array> {
  for (const item of items) yield protobuf.item(kind, item)
}

function hexOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>'
  const hex = Array.from(bytes.subarray(0, 30), byte => byte.toString(16).padStart(2, '0')).join('')
  return bytes.length > 30 ? `${hex} ...` : hex
}
