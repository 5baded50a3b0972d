import { byteLengthOf } from '#base/net/pieces.ts'
import type { Caller, UserInfo } from '#client/direct/api-handler.ts'
import { internalError } from '#machinery/status/failures.ts'
import { StatusError, statusErrorOf } from '#machinery/status/status-error.ts'
import type { AuditRecord } from '../audit/audit-record.ts'
import type { Exchange, ResponseHeaders } from './exchange.ts'
import { headerOf } from './exchange.ts'
import type { Negotiated } from './negotiation.ts'
import { type ProtobufWriter, type Rendered, renderObject } from './render.ts'
import type { RequestInfo } from './request-info.ts'

const NO_HEADERS: ResponseHeaders = {}
const MAX_WARNING_BYTES = 4096

/** A request on its way through the server: who sends it, what is to be answered beside the body. */
export class RequestContext {
  exchange: Exchange
  readonly auditId: string
  user: UserInfo
  readonly #warnings: string[] = []
  readonly protobuf: ProtobufWriter
  #isAnswered = false
  /** What flow control says of the request, for the answer. */
  flow: ResponseHeaders = NO_HEADERS
  /** What is recorded of the request; undefined: nothing. */
  audit: AuditRecord | undefined
  /** What the path asks for, once that is known. */
  info: RequestInfo | undefined
  /** Whether there is such a resource. */
  isServed = false
  /** The revision of the past that is asked for, if it is not the present. */
  asOf: number | undefined
  /** The code of the answer. */
  status = 200
  /** How long the answer is, where it was given as a whole. */
  answerBytes = 0
  /** In which form errors are told; set once the Accept header has been understood. */
  form: Negotiated = { encoding: 'json', as: '', asVersion: '', isPretty: false }

  constructor(exchange: Exchange, auditId: string, user: UserInfo, protobuf: ProtobufWriter) {
    this.exchange = exchange
    this.auditId = auditId
    this.user = user
    this.protobuf = protobuf
  }

  get isAnswered(): boolean {
    return this.#isAnswered
  }

  /** The answer has begun: nothing more can be said of failures. */
  markAnswered(): void {
    this.#isAnswered = true
  }

  /** Who asks, for the handler; what it warns of becomes headers. */
  caller(): Caller {
    const userAgent = headerOf(this.exchange, 'user-agent')
    const { audit } = this
    return {
      user: this.user,
      ...(audit ? { annotate: (key, value) => audit.annotate(key, value) } : {}),
      ...(userAgent === undefined ? {} : { userAgent }),
      warn: text => this.warn(text),
    }
  }

  /** Adds a `Warning` header to the answer. */
  warn(text: string): void {
    if (!this.#warnings.includes(text)) this.#warnings.push(text)
  }

  /** Answers with bytes. */
  send(status: number, { bytes, contentType }: Rendered, more: ResponseHeaders = NO_HEADERS): void {
    this.#isAnswered = true
    this.status = status
    const body = bytes instanceof Uint8Array ? [bytes] : bytes
    this.answerBytes += byteLengthOf(body)
    const headers = this.headers(contentType)
    this.exchange.answer(status, more === NO_HEADERS ? headers : { ...headers, ...more }, body)
  }

  /** Answers with an object that is of no kind of the API: Status, documents. */
  sendObject(status: number, object: object, form = this.form, more: ResponseHeaders = NO_HEADERS): void {
    this.audit?.responded(object)
    this.send(status, renderObject(undefined, object, form, this.protobuf), more)
  }

  sendText(status: number, text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.send(status, { bytes, contentType: 'text/plain; charset=utf-8' }, { 'x-content-type-options': 'nosniff' })
  }

  /** Answers with the Status of a failure. */
  fail(error: unknown): void {
    if (this.#isAnswered) return
    const failure = statusErrorOf(error) ?? internalError(error)
    const seconds = failure.details?.retryAfterSeconds
    const more = seconds && (failure.code === 429 || failure.code >= 500) ? { 'retry-after': String(seconds) } : NO_HEADERS
    this.sendObject(failure.code, failure.toStatus(), { ...this.form, as: '' }, more)
  }

  /** The headers of every answer. */
  headers(contentType: string): Record<string, string | readonly string[]> {
    const headers: Record<string, string | readonly string[]> = {
      'audit-id': this.auditId,
      'cache-control': 'no-cache, private',
      'content-type': contentType,
      ...this.flow,
    }
    if (this.#warnings.length > 0) headers['warning'] = warningHeaders(this.#warnings)
    return headers
  }
}

/** `299 - "text"`, one per warning; when they are too long together, each is cut. */
function warningHeaders(texts: readonly string[]): string[] {
  const whole = texts.reduce((sum, text) => sum + text.length, 0)
  const limit = whole > MAX_WARNING_BYTES ? 256 : Number.POSITIVE_INFINITY
  return texts.map(text => `299 - "${escaped(text.length > limit ? text.slice(0, limit) : text)}"`)
}

function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: headers cannot carry them
  return text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, char => `\\${char}`)
}

/** The 404 of a path or resource that nobody serves. */
export function noSuchResource(): StatusError {
  return new StatusError({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} })
}

/** The 405 of a method that a resource does not know. */
export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource'
  return new StatusError({ code: 405, reason: 'MethodNotAllowed', message, details: {} })
}
