import type { Clock } from '#base/time/clock.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Loop } from '../flow-control/turns.ts'
import type { Page } from '../registry/read.ts'
import { compressedList } from './compressed-list.ts'
import type { Gzip } from './compression.ts'
import { headerOf, type ResponseHeaders } from './exchange.ts'
import { MEDIA_TYPES, type Negotiated } from './negotiation.ts'
import type { Query } from './options.ts'
import { jsonBytes, type ProtobufWriter, type Rendered, renderList, renderObject } from './render.ts'
import type { RequestContext } from './request-context.ts'
import { type IncludeObject, partialOf, type TableOptions, tableOf } from './table.ts'
import { tableJson } from './table-json.ts'

export interface ObjectAnswersOptions {
  readonly clock: Clock
  readonly protobuf: ProtobufWriter
  readonly gzip: Gzip
  /** Where others are listened to while a long list is made. */
  readonly loop: Pick<Loop, 'afterOthers'>
}

/** How long objects are made into bytes before others are listened to, and after how many the clock is looked at. */
const SLICE_MS = 5
const SLICE_ITEMS = 64
/** Up to so many take no longer than a slice or two. */
const SHORT = 1000

/** Answers with objects and lists in the form that the client wants: themselves, their metadata, or rows of a table. */
export class ObjectAnswers {
  readonly #options: ObjectAnswersOptions

  constructor(options: ObjectAnswersOptions) {
    this.#options = options
  }

  /** How tables are to be made for a request. */
  tableOptions(form: Negotiated, query: Query): TableOptions {
    const includeObject = (query.get('includeObject') || 'Metadata') as IncludeObject
    return { includeObject, version: form.asVersion, now: this.#options.clock.now() }
  }

  /** Answers with one object. */
  async object(context: RequestContext, kind: AnyKind | undefined, object: ApiObject, query: Query, status = 200): Promise<void> {
    const { form } = context
    if (form.as === '' || !kind || (object as { kind?: string }).kind === 'Status') {
      context.audit?.responded(object)
      return this.#send(context, status, renderObject(kind, object, form, this.#options.protobuf))
    }
    if (form.as === 'PartialObjectMetadataList') {
      throw wrongTransform(
        `you requested PartialObjectMetadataList, but the requested object is not a list (*${goTypeOf(kind, kind.kind)})`,
      )
    }
    const { resourceVersion = '' } = object.metadata
    const shown =
      form.as === 'Table'
        ? tableOf(kind, [object], { resourceVersion }, this.tableOptions(form, query))
        : partialOf(kind, object, form.asVersion)
    context.audit?.responded(shown)
    return this.#send(context, status, renderObject(undefined, shown, form, this.#options.protobuf))
  }

  /** Answers with a list. */
  async list(context: RequestContext, kind: AnyKind, page: Page, query: Query): Promise<void> {
    const { form } = context
    await this.#makeBytes(kind, page, form)
    if (form.as === '') {
      context.audit?.responded({ kind: kind.listKind, apiVersion: kind.apiVersion, metadata: page.metadata, items: page.items })
      return this.#send(context, 200, renderList(kind, page, form, this.#options.protobuf))
    }
    if (form.as === 'PartialObjectMetadata') {
      throw wrongTransform(`you requested PartialObjectMetadata, but the requested object is a list (*${goTypeOf(kind, kind.listKind)})`)
    }
    if (form.as === 'Table' && form.encoding === 'json' && !form.isPretty && !context.audit) {
      const bytes = tableJson(kind, page, this.tableOptions(form, query))
      return this.#send(context, 200, { bytes, contentType: MEDIA_TYPES.json })
    }
    const apiVersion = `meta.k8s.io/${form.asVersion}`
    const shown =
      form.as === 'Table'
        ? tableOf(kind, page.items, page.metadata, this.tableOptions(form, query))
        : {
            kind: 'PartialObjectMetadataList',
            apiVersion,
            metadata: page.metadata,
            items: page.items.map(item => partialOf(kind, item, form.asVersion)),
          }
    context.audit?.responded(shown)
    return this.#send(context, 200, renderObject(undefined, shown, form, this.#options.protobuf))
  }

  /**
   * The bytes of the objects of a long list, made a slice at a time and kept beside them: 100,000 pods that nobody has asked for yet take
   * a second as JSON, and three as protobuf, in which everybody else would wait.
   */
  async #makeBytes(kind: AnyKind, { items }: Page, { as, encoding, isPretty }: Negotiated): Promise<void> {
    if (items.length <= SHORT || encoding === 'yaml' || isPretty || (as !== '' && as !== 'Table')) return
    const { protobuf, loop, clock } = this.#options
    const make = encoding === 'protobuf' && as === '' ? (item: ApiObject) => protobuf.item(kind, item) : jsonBytes
    let startMs = clock.monotonic()
    for (let index = 0; index < items.length; index++) {
      make(items[index]!)
      if (index % SLICE_ITEMS !== 0 || clock.monotonic() - startMs < SLICE_MS) continue
      await new Promise<void>(resolve => loop.afterOthers(resolve))
      startMs = clock.monotonic()
    }
  }

  /** Big answers to reads are compressed if the client can take it. */
  #send(context: RequestContext, status: number, rendered: Rendered): Promise<void> | void {
    const { gzip } = this.#options
    const { exchange } = context
    if (exchange.method !== 'GET' || !gzip.isWorthwhile(rendered.bytes, headerOf(exchange, 'accept-encoding'))) {
      return context.send(status, rendered)
    }
    const packed = rendered.list ? compressedList(rendered.list, gzip) : gzip.compress(rendered.bytes)
    return packed.then(bytes => context.send(status, { ...rendered, bytes }, GZIPPED))
  }
}

const GZIPPED: ResponseHeaders = { 'content-encoding': 'gzip', vary: 'Accept-Encoding' }

function wrongTransform(message: string): StatusError {
  return new StatusError({ code: 406, reason: 'NotAcceptable', message })
}

/** The Go type in upstream's internal packages: `core.ConfigMapList`. */
function goTypeOf(kind: AnyKind, name: string): string {
  const group = kind.group === '' ? 'core' : kind.group.split('.', 1)[0]!
  return `${group}.${name}`
}
