import type { Pieces } from '#base/net/pieces.ts'
import { encodeJson, encodePrettyJson } from '#machinery/codec/json/encode-json.ts'
import { encodeYaml } from '#machinery/codec/yaml/encode-yaml.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { Page } from '../registry/read.ts'
import { keep, keptBytes } from '../watch-cache/stored-form.ts'
import { ListBytes } from './list-bytes.ts'
import { MEDIA_TYPES, type Negotiated } from './negotiation.ts'

/** Writes values as protobuf in Kubernetes' envelope; undefined where a value has no such form. */
export interface ProtobufWriter {
  object(kind: AnyKind, object: object): Uint8Array
  list(kind: AnyKind, page: Page): Uint8Array
  /** The part of a list that is an object; kept beside it. */
  item(kind: AnyKind, object: ApiObject): Uint8Array
  /** Objects that are not of a registered kind: Status, discovery documents. */
  other(object: object): Uint8Array | undefined
}

/** Bytes, in one piece or several, and their media type. */
export interface Rendered {
  readonly bytes: Uint8Array | Pieces
  readonly contentType: string
  /** There if the bytes are those of a list, of these items. */
  readonly list?: { readonly items: readonly ApiObject[]; readonly parts: ListBytes<ApiObject> }
}

const encoder = new TextEncoder()

// Hot: bench/apiserver — the JSON of an object is made once and kept beside it.
/** The JSON of an object with a line feed behind it. */
export function jsonBytes(object: object): Uint8Array {
  const kept = keptBytes(object)
  if (kept) return kept
  const bytes = encoder.encode(`${encodeJson(object)}\n`)
  keep(object, bytes)
  return bytes
}

/** An object of the API (or a Status) as the client wants it. */
export function renderObject(kind: AnyKind | undefined, object: object, form: Negotiated, protobuf: ProtobufWriter): Rendered {
  switch (form.encoding) {
    case 'json':
      return { bytes: form.isPretty ? encoder.encode(`${encodePrettyJson(object)}`) : jsonBytes(object), contentType: MEDIA_TYPES.json }
    case 'yaml':
      return { bytes: encoder.encode(encodeYaml(object)), contentType: MEDIA_TYPES.yaml }
    case 'protobuf': {
      const bytes = kind ? protobuf.object(kind, object) : protobuf.other(object)
      return bytes ? { bytes, contentType: MEDIA_TYPES.protobuf } : { bytes: jsonBytes(object), contentType: MEDIA_TYPES.json }
    }
  }
}

/** A list as the client wants it. */
export function renderList(kind: AnyKind, page: Page, form: Negotiated, protobuf: ProtobufWriter): Rendered {
  if (form.encoding === 'protobuf') return { bytes: protobuf.list(kind, page), contentType: MEDIA_TYPES.protobuf }
  if (form.encoding === 'json' && !form.isPretty) {
    const parts = joinedList(kind, page)
    return { bytes: parts, contentType: MEDIA_TYPES.json, list: { items: page.items, parts } }
  }
  const items = kind.isCustom ? page.items : page.items.map(withoutType)
  const whole = { kind: kind.listKind, apiVersion: kind.apiVersion, metadata: metadataOf(kind, page), items }
  if (form.encoding === 'yaml') return { bytes: encoder.encode(encodeYaml(whole)), contentType: MEDIA_TYPES.yaml }
  return { bytes: encoder.encode(encodePrettyJson(whole)), contentType: MEDIA_TYPES.json }
}

/** Lists of custom resources always say where they go on, even if that is nowhere. */
function metadataOf(kind: AnyKind, { metadata }: Page): Page['metadata'] {
  return kind.isCustom ? { ...metadata, continue: metadata.continue ?? '' } : metadata
}

// Hot: bench/apiserver — a list is its objects' kept bytes, one behind the other; but for custom resources, without their kind and apiVersion.
// They are not copied together: the connection copies each into its frames.
function joinedList(kind: AnyKind, page: Page): ListBytes<ApiObject> {
  const head = encoder.encode(
    `{"kind":${JSON.stringify(kind.listKind)},"apiVersion":${JSON.stringify(kind.apiVersion)},"metadata":${JSON.stringify(metadataOf(kind, page))},"items":[`,
  )
  const type = `{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(kind.apiVersion)},`
  return new ListBytes(head, page.items, jsonBytes, kind.isCustom ? 1 : encoder.encode(type).length)
}

function withoutType(object: ApiObject): object {
  const { kind: _, apiVersion: __, ...rest } = object
  return rest
}
