import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { encodeOpenApiV2, OPENAPI_V2_PROTOBUF } from '#machinery/openapi/encode-openapi-v2.ts'
import { encodeOpenApiV3, OPENAPI_V3_PROTOBUF } from '#machinery/openapi/encode-openapi-v3.ts'
import { type OpenApiSource, openApiV2Document, openApiV3Document, openApiV3Paths } from '#machinery/openapi/openapi-document.ts'
import type { Document } from '#machinery/openapi/type-document.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { AggregatedOpenApi } from '../aggregation/aggregated-openapi.ts'
import { headerOf } from './exchange.ts'
import type { DocumentRoute } from './path-route.ts'
import { noSuchResource, type RequestContext } from './request-context.ts'

/** A document in one form, ready to be sent. */
interface Prepared {
  readonly bytes: Uint8Array
  readonly packed: Uint8Array
  readonly etag: string
  readonly contentType: string
  /** The kinds that it is about; undefined: all of them. */
  readonly kinds: readonly AnyKind[] | undefined
}

/** `/openapi/v2` and `/openapi/v3`: made when they are asked for and kept until the kinds change. */
export class OpenApiRoute implements DocumentRoute {
  readonly #source: () => OpenApiSource
  readonly #now: () => number
  readonly #prepared = new Map<string, Prepared>()
  readonly #aggregated: AggregatedOpenApi | undefined
  #since: string
  #turn = 0

  constructor(source: () => OpenApiSource, now: () => number, aggregated?: AggregatedOpenApi) {
    this.#source = source
    this.#aggregated = aggregated
    this.#now = now
    this.#since = new Date(now()).toUTCString()
  }

  /** The kinds have changed: what is about others than before is made anew. */
  forget(): void {
    for (const [key, { kinds }] of this.#prepared) {
      if (!kinds || !isSameList(kinds, this.#kindsAt(key.split(' ')[1]!))) this.#prepared.delete(key)
    }
    this.#turn++
    this.#since = new Date(this.#now()).toUTCString()
  }

  async serve(context: RequestContext, path: string): Promise<boolean> {
    const accept = headerOf(context.exchange, 'accept') ?? ''
    if (path === '/openapi/v2') {
      this.#send(context, await this.#v2(accept))
      return true
    }
    if (path === '/openapi/v3' || path === '/openapi/v3/') {
      context.send(200, { bytes: encoder.encode(JSON.stringify({ paths: this.#index() })), contentType: 'text/plain; charset=utf-8' })
      return true
    }
    if (!path.startsWith('/openapi/v3/')) return false
    const part = path.slice('/openapi/v3/'.length).replace(/\/$/, '')
    if (await this.#aggregated?.serve(context, part)) return true
    const document = this.#v3(part, accept)
    if (!document) throw noSuchResource()
    this.#send(context, document)
    return true
  }

  #send(context: RequestContext, { bytes, packed, etag, contentType }: Prepared): void {
    const { exchange } = context
    const headers = { etag: `"${etag}"`, 'last-modified': this.#since, vary: 'Accept-Encoding, Accept' }
    const asked = new URLSearchParams(exchange.query).get('hash')
    if (asked === etag) Object.assign(headers, { 'cache-control': 'public, immutable', expires: FAR_FUTURE })
    if (headerOf(exchange, 'if-none-match') === `"${etag}"`) {
      context.send(304, { bytes: new Uint8Array(), contentType }, headers)
      return
    }
    const isPacked = headerOf(exchange, 'accept-encoding')?.includes('gzip') ?? false
    if (isPacked) context.send(200, { bytes: packed, contentType }, { ...headers, 'content-encoding': 'gzip' })
    else context.send(200, { bytes, contentType }, headers)
  }

  async #v2(accept: string): Promise<Prepared> {
    const form = formOf(accept, V2_FORMS)
    const key = `v2 ${form}`
    const known = this.#prepared.get(key)
    if (known) return known
    const turn = this.#turn
    const own = openApiV2Document(this.#source())
    const document = this.#aggregated ? ((await this.#aggregated.merged(own as JsonObject)) as Document) : own
    // What was forgotten meanwhile is made anew.
    if (turn !== this.#turn) return this.#v2(accept)
    const make = () => (form === 'json' ? json(document) : encodeOpenApiV2(document))
    return this.#prepare(key, form === 'json' ? 'application/json' : OPENAPI_V2_PROTOBUF, undefined, make)
  }

  #v3(path: string, accept: string): Prepared | undefined {
    const form = formOf(accept, V3_FORMS)
    const key = `v3 ${path} ${form}`
    const known = this.#prepared.get(key)
    if (known) return known
    const document = openApiV3Document(this.#source(), path)
    if (!document) return undefined
    const contentType = form === 'json' ? 'application/json' : OPENAPI_V3_PROTOBUF
    const make = () => (form === 'json' ? json(document) : encodeOpenApiV3(document))
    return this.#prepare(key, contentType, this.#kindsAt(path), make)
  }

  /** Every path with the hash of its document, so that clients fetch each version once. */
  #index(): Record<string, object> {
    const index: Record<string, object> = {}
    for (const path of openApiV3Paths(this.#source())) {
      index[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#v3(path, 'application/json')!.etag}` }
    }
    return { ...index, ...this.#aggregated?.index() }
  }

  /** The kinds that the document of version 3 at `path` is about. */
  #kindsAt(path: string): readonly AnyKind[] {
    const [root, second, third] = path.split('/')
    const [group, version] = root === 'api' ? ['', second] : [second, third]
    return this.#source().kinds.filter(kind => kind.group === group && (version === undefined || kind.version === version))
  }

  #prepare(key: string, contentType: string, kinds: readonly AnyKind[] | undefined, make: () => Uint8Array): Prepared {
    const known = this.#prepared.get(key)
    if (known) return known
    const bytes = make()
    const etag = createHash('sha512').update(bytes).digest('hex').toUpperCase()
    const prepared = { bytes, packed: gzipSync(bytes, { level: 1 }), etag, contentType, kinds }
    this.#prepared.set(key, prepared)
    return prepared
  }
}

function isSameList(left: readonly AnyKind[], right: readonly AnyKind[]): boolean {
  return left.length === right.length && left.every((kind, index) => kind === right[index])
}

const encoder = new TextEncoder()
const json = (document: Document) => encoder.encode(JSON.stringify(document))
const FAR_FUTURE = 'Thu, 31 Dec 2099 23:59:59 GMT'
const V2_FORMS = [OPENAPI_V2_PROTOBUF, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']
const V3_FORMS = [OPENAPI_V3_PROTOBUF, 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf']

/** JSON or protobuf, whichever the client names first; 406 where it wants neither. */
function formOf(accept: string, protobufs: readonly string[]): 'json' | 'protobuf' {
  if (accept === '') return 'json'
  for (const clause of accept.split(',')) {
    const type = clause.split(';', 1)[0]!.trim()
    if (type === '*/*' || type === 'application/*' || type === 'application/json') return 'json'
    if (protobufs.includes(type)) return 'protobuf'
  }
  throw new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: 'the requested form of the document is not offered: ask for application/json',
  })
}
