import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { Duplex } from 'node:stream'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { internalError, notFound } from '#machinery/status/failures.ts'
import { statusErrorOf } from '#machinery/status/status-error.ts'
import type { Client, Patch } from '../client.ts'

/** A request as a {@link FakeServer} has received it. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** The wire protocol of an API server over a client of a fake one; connections are pipes within the process. */
export class FakeServer implements Disposable {
  readonly requests: ReceivedRequest[] = []
  /** Answers instead of the server, if it returns something; `'nothing'` leaves the request unanswered. */
  intercept: (request: ReceivedRequest) => { status: number; headers?: Record<string, string>; body?: string } | 'nothing' | undefined =
    () => undefined
  /** Nothing reaches it any more and nothing leaves it, while its connections stand: as when the network drops every packet. */
  isSilent = false
  readonly #server = createServer()
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #client: Client
  readonly #kinds: KindRegistry

  constructor(client: Client, kinds: KindRegistry) {
    this.#client = client
    this.#kinds = kinds
    this.#server.on('session', session => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => undefined)
    })
    this.#server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = []
      stream.on('error', () => undefined)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => void this.#serve(stream, headers, Buffer.concat(chunks).toString()))
    })
  }

  /** A new connection to it. */
  dial(): Duplex {
    const [near, far] = pipe(() => this.isSilent)
    this.#server.emit('connection', far)
    return near
  }

  /** Breaks every connection. */
  cut(): void {
    for (const session of this.#sessions) session.destroy()
  }

  [Symbol.dispose](): void {
    this.cut()
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, text: string): Promise<void> {
    const url = new URL(String(headers[':path']), 'http://fake')
    const request = { method: String(headers[':method']), url, headers, body: text === '' ? undefined : JSON.parse(text) }
    this.requests.push(request)
    const own = this.intercept(request)
    if (own === 'nothing' || stream.destroyed) return
    if (own) {
      stream.respond({ ':status': own.status, ...own.headers })
      stream.end(own.body ?? '')
      return
    }
    try {
      if (url.searchParams.get('watch') === 'true') return this.#watch(stream, url)
      const answer = await this.#answer(request)
      stream.respond({ ':status': request.method === 'POST' ? 201 : 200, 'content-type': 'application/json' })
      stream.end(encodeJson(answer))
    } catch (error) {
      const failure = statusErrorOf(error) ?? internalError(error)
      stream.respond({ ':status': failure.code, 'content-type': 'application/json' })
      stream.end(encodeJson(failure.toStatus()))
    }
  }

  #watch(stream: ServerHttp2Stream, url: URL): void {
    const { kind, namespace } = this.#target(url)
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    // Cut in the middle, as networks do.
    const send = (event: object) => {
      const line = Buffer.from(`${encodeJson(event)}\n`)
      stream.write(line.subarray(0, 7))
      stream.write(line.subarray(7))
    }
    const watch = this.#client.watch(
      kind,
      { ...parameters(url), namespace },
      {
        event: send,
        closed(error) {
          const failure = statusErrorOf(error)
          if (failure) send({ type: 'ERROR', object: failure.toStatus() })
          stream.end()
        },
      },
    )
    stream.on('close', () => watch[Symbol.dispose]())
  }

  async #answer({ method, url, headers, body }: ReceivedRequest): Promise<unknown> {
    const { kind, namespace, name, subresource } = this.#target(url)
    const options = parameters(url)
    const at = { namespace, name }
    switch (method) {
      case 'GET': {
        if (name !== '') return this.#client.get(kind, at, options)
        return { apiVersion: kind.apiVersion, kind: kind.listKind, ...(await this.#client.list(kind, { ...options, namespace })) }
      }
      case 'POST':
        if (name !== '') return this.#client.subresource(kind, at, { subresource, verb: 'create', body })
        return this.#client.create(kind, body as object, options)
      case 'PUT':
        if (subresource === 'status') return this.#client.updateStatus(kind, body as object, options)
        if (subresource !== '') return this.#client.subresource(kind, at, { subresource, verb: 'update', body })
        return this.#client.update(kind, body as object, options)
      case 'PATCH': {
        const type = String(headers['content-type']).match(/(json|merge|strategic|apply)-/)![1]
        return this.#client.patch(kind, at, { type, body } as Patch, { ...options, subresource })
      }
      default: {
        if (name === '')
          return this.#client
            .deleteCollection(kind, { ...options, ...(body as object), namespace })
            .then(() => ({ kind: 'Status', apiVersion: 'v1' }))
        return this.#client.delete(kind, at, (body as object) ?? {})
      }
    }
  }

  #target(url: URL): { kind: AnyKind; namespace: string; name: string; subresource: string } {
    const parts = url.pathname.split('/').slice(1)
    const isCore = parts.shift() === 'api'
    const group = isCore ? '' : parts.shift()!
    const version = parts.shift()!
    const isWithin = parts[0] === 'namespaces' && parts.length > 2 && this.#kinds.byResource(group, version, parts[2]!) !== undefined
    const namespace = isWithin ? parts.splice(0, 2)[1]! : ''
    const [plural = '', name = '', subresource = ''] = parts
    const kind = this.#kinds.byResource(group, version, plural)
    if (!kind) throw notFound({ group, resource: plural }, name)
    return { kind, namespace, name, subresource }
  }
}

function parameters(url: URL): Record<string, string> {
  return Object.fromEntries(url.searchParams)
}

/** Two ends of a pipe: what is written to one is read from the other, unless it is lost. */
function pipe(isLost: () => boolean): [Duplex, Duplex] {
  const end = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        setImmediate(() => {
          if (!other().destroyed && !isLost()) other().push(chunk)
          done()
        })
      },
      final(done) {
        if (!other().destroyed) other().push(null)
        done()
      },
      destroy(error, done) {
        setImmediate(() => other().destroy())
        done(error)
      },
    })
  const near: Duplex = end(() => far)
  const far: Duplex = end(() => near)
  return [near, far]
}
