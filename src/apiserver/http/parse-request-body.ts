import { JsonError, NumberLiteral, readJson } from '#machinery/codec/json/parse-json.ts'
import { readYaml, YamlError } from '#machinery/codec/yaml/parse-yaml.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { badRequest, unsupportedMediaType } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Body } from '../registry/body.ts'

/** Turns protobuf in Kubernetes' envelope into the JSON-shaped value that it stands for. */
export interface ProtobufReader {
  read(bytes: Uint8Array, kind: AnyKind): unknown
}

/** Reads the body of a create, update or delete by its content type. */
export function parseRequestBody(bytes: Uint8Array, contentType: string | undefined, kind: AnyKind, protobuf: ProtobufReader): Body {
  const encoding = encodingOf(contentType)
  if (kind.isCustom) return parsedCustom(bytes, encoding, kind)
  switch (encoding) {
    case 'json':
      return parsed(kind, bytes, () => readJson(bytes, { marksNumbers: true }))
    case 'yaml':
      return parsed(kind, bytes, () => readYaml(bytes))
    case 'protobuf':
      return { value: protobuf.read(bytes, kind) }
  }
}

/** A custom resource has no form in protobuf, and nothing but itself tells what it is. */
function parsedCustom(bytes: Uint8Array, encoding: 'json' | 'yaml' | 'protobuf', kind: AnyKind): Body {
  if (encoding === 'protobuf') throw unsupportedMediaType(['application/json', 'application/yaml'])
  const body = parsed(kind, bytes, () => (encoding === 'json' ? readJson(bytes, { marksNumbers: true }) : readYaml(bytes)))
  const { kind: sent, apiVersion } = (body.value ?? {}) as { kind?: unknown; apiVersion?: unknown }
  if (!sent) {
    const missing = `Object 'Kind' is missing in '${new TextDecoder().decode(bytes)}'`
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${missing} (${summary(bytes)})`)
  }
  if (!apiVersion) {
    throw badRequest(`the API version in the data () does not match the expected API version (${kind.apiVersion})`)
  }
  return body
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

/** What cannot be read, or does not say what it is, is shown to its client as far as thirty bytes. */
function parsed(kind: AnyKind, bytes: Uint8Array, read: () => Body): Body {
  const unrecognized = (why: string, error?: unknown) => {
    const reason = `couldn't get version/kind; json parse error: ${why}`
    return badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${reason} (${summary(bytes)})`, error)
  }
  try {
    const body = read()
    const wrong = wrongType(body.value)
    if (wrong !== undefined) throw unrecognized(`json: cannot unmarshal ${wrong}`)
    return body
  } catch (error) {
    if (error instanceof JsonError || error instanceof YamlError) throw unrecognized(error.message, error)
    throw error
  }
}

/** What is wrong with the part of a body that says what it is, in the words of Go's decoder. */
function wrongType(value: unknown): string | undefined {
  if (value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) return `${jsonTypeOf(value)} into Go value of type ${GO_TYPE_META}`
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown }
  if (!isTextOrNothing(kind)) return `${jsonTypeOf(kind)} into Go struct field .kind of type string`
  if (!isTextOrNothing(apiVersion)) return `${jsonTypeOf(apiVersion)} into Go struct field .apiVersion of type string`
  return undefined
}

const GO_TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

function isTextOrNothing(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string'
}

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (value instanceof NumberLiteral || typeof value === 'bigint') return 'number'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>'
  const shown = bytes.subarray(0, SHOWN_BYTES)
  const text = bytes[0] === 0x7b ? new TextDecoder().decode(shown) : Array.from(shown, byte => byte.toString(16).padStart(2, '0')).join('')
  return bytes.length > SHOWN_BYTES ? `${text} ...` : text
}

const SHOWN_BYTES = 30
