import { JsonError, readJson } from '#machinery/codec/json/parse-json.ts'
import { readYaml, YamlError } from '#machinery/codec/yaml/parse-yaml.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Body } from '../registry/body.ts'

/** Turns protobuf in Kubernetes' envelope into the JSON-shaped value that it stands for. */
export interface ProtobufReader {
  read(bytes: Uint8Array, kind: AnyKind): unknown
}

/** Reads the body of a create, update or delete by its content type. */
export function parseRequestBody(bytes: Uint8Array, contentType: string | undefined, kind: AnyKind, protobuf: ProtobufReader): Body {
  switch (encodingOf(contentType)) {
    case 'json':
      return parsed(kind, bytes, () => readJson(bytes, { marksFloats: true }))
    case 'yaml':
      return parsed(kind, bytes, () => readYaml(bytes))
    case 'protobuf':
      return { value: protobuf.read(bytes, kind) }
  }
}

/** The encoding that a content type names; throws 415 where it is none that is read here. */
export function encodingOf(contentType: string | undefined): 'json' | 'yaml' | 'protobuf' {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === '' || type === 'application/json') return 'json'
  if (type === 'application/yaml') return 'yaml'
  if (type === 'application/vnd.kubernetes.protobuf') return 'protobuf'
  const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`
  throw new StatusError({ code: 415, reason: 'UnsupportedMediaType', message })
}

/** What cannot be read is shown to its client as far as thirty bytes. */
function parsed(kind: AnyKind, bytes: Uint8Array, read: () => Body): Body {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof JsonError) && !(error instanceof YamlError)) throw error
    const why = `couldn't get version/kind; json parse error: ${error.message}`
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${summary(bytes)})`, error)
  }
}

function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>'
  const shown = bytes.subarray(0, SHOWN_BYTES)
  const text = bytes[0] === 0x7b ? new TextDecoder().decode(shown) : Array.from(shown, byte => byte.toString(16).padStart(2, '0')).join('')
  return bytes.length > SHOWN_BYTES ? `${text} ...` : text
}

const SHOWN_BYTES = 30
