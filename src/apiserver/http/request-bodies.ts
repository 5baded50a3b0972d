import type { Patch } from '#client/client.ts'
import { JsonError, readJson } from '#machinery/codec/json/parse-json.ts'
import { readYaml, YamlError } from '#machinery/codec/yaml/parse-yaml.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { badRequest, requestEntityTooLarge, unsupportedMediaType } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Body } from '../registry/body.ts'
import { BodyTooLarge, headerOf } from './exchange.ts'
import { type ProtobufReader, parseRequestBody } from './parse-request-body.ts'
import type { RequestContext } from './request-context.ts'

/** Bodies beyond this are refused (413). */
const BODY_LIMIT = 3 * 1024 * 1024

/** Reads what clients send of objects: whole ones, patches, the options of a delete. */
export class RequestBodies {
  readonly #protobuf: ProtobufReader

  constructor(protobuf: ProtobufReader) {
    this.#protobuf = protobuf
  }

  /** An object of `kind`. */
  async object(context: RequestContext, kind: AnyKind): Promise<Body> {
    const bytes = await bytesOf(context)
    const body = parseRequestBody(bytes, headerOf(context.exchange, 'content-type'), kind, this.#protobuf)
    context.audit?.requested(body.value)
    return body
  }

  /** The options of a delete stand in its body, if it has one. */
  async deleteOptions(context: RequestContext): Promise<unknown> {
    const bytes = await bytesOf(context)
    if (bytes.length === 0) return undefined
    const type = headerOf(context.exchange, 'content-type')
    const { value } = parseRequestBody(bytes, type, DELETE_OPTIONS, this.#protobuf)
    context.audit?.patched(value)
    return value
  }

  /** A patch of an object of `kind`, by its content type. */
  async patch(context: RequestContext, kind: AnyKind): Promise<{ patch: Patch; duplicates: readonly string[] }> {
    const contentType = (headerOf(context.exchange, 'content-type') ?? '').split(';', 1)[0]!.trim()
    const type = PATCH_TYPES[contentType]
    if (type === 'strategic' && kind.isCustom) throw unsupportedMediaType(CUSTOM_PATCH_TYPES)
    if (!type) {
      throw new StatusError({ code: 415, reason: 'UnsupportedMediaType', message: '415: Unsupported Media Type', details: {} })
    }
    const bytes = await bytesOf(context)
    try {
      if (type === 'apply') {
        const { value, duplicates } = readYaml(bytes)
        if (duplicates.length > 0) throw badRequest(`error decoding YAML: ${duplicates[0]}`)
        context.audit?.patched(value)
        return { patch: { type, body: value }, duplicates }
      }
      const { value, duplicates } = readJson(bytes)
      context.audit?.patched(value)
      return { patch: { type, body: value } as Patch, duplicates }
    } catch (error) {
      if (error instanceof JsonError)
        throw badRequest(type === 'strategic' ? error.message : `error decoding patch: ${error.message}`, error)
      if (error instanceof YamlError) throw badRequest(`error decoding YAML: error converting YAML to JSON: ${error.message}`, error)
      throw error
    }
  }
}

const PATCH_TYPES: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}
/** Strategic merge needs a schema that says how: custom resources have none. */
const CUSTOM_PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']
/** As far as parsing goes, the options of a delete are a kind. */
const DELETE_OPTIONS = { kind: 'DeleteOptions', version: 'v1', group: 'meta.k8s.io' } as unknown as AnyKind

async function bytesOf(context: RequestContext): Promise<Uint8Array> {
  try {
    return await context.exchange.body(BODY_LIMIT)
  } catch (error) {
    if (error instanceof BodyTooLarge) throw requestEntityTooLarge(error.message)
    throw error
  }
}
