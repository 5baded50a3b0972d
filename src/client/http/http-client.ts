import type { Duplex } from 'node:stream'
import { type Clock, sleep } from '#base/time/clock.ts'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import type { AnyKind, ApiObject, ObjectOf } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import { genericFailure } from '#machinery/status/failures.ts'
import { type Status, StatusError } from '#machinery/status/status-error.ts'
import { answersTcp } from '../balancer/answers-tcp.ts'
import { BalancedLink } from '../balancer/balanced-link.ts'
import { checkHealth } from '../balancer/check-health.ts'
import type { ServerList } from '../balancer/server-list.ts'
import { type Client, type ListOf, nameOf, type Patch, type WatchEvent, type WatchOptions, type WatchSink } from '../client.ts'
import { Connection, type Link, type TlsOptions } from './connection.ts'
import { exchange, isRepeatable, open, unreachable, type WireAnswer, type WireRequest } from './exchange.ts'
import { LineSplitter } from './line-splitter.ts'
import { type RateLimit, rateLimiter } from './rate-limit.ts'
import { deleteBody, pathAt, pathOf, type QueryOptions, queryOf } from './request-path.ts'

/** How to reach an API server over the wire. */
export interface HttpClientOptions {
  /** `https://host:port`. */
  readonly server: string
  /** All servers of the cluster, in the place of `server`: the client changes over when one fails. */
  readonly servers?: ServerList | undefined
  readonly clock: Clock
  /** Trust and client certificate; asked for with each new connection. */
  readonly tls?: TlsOptions | (() => TlsOptions)
  /** The bearer token; asked for with each request. */
  readonly token?: string | (() => string | Promise<string>)
  readonly userAgent?: string
  /** Acts as somebody else, as far as the server allows. */
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[]; readonly uid?: string }
  /** How long an answer may take, watches aside. Default 60 s. */
  readonly timeoutMs?: number
  readonly limit?: RateLimit
  /** Makes the stream to the server instead of a TLS connection. */
  readonly dial?: (server: string) => Duplex
  /** Whether the machine of one of several servers can be reached. By default its port is tried; not where connections are dialled otherwise. */
  readonly reachable?: (server: string) => Promise<boolean>
  /** Called with the texts of `Warning` headers. */
  readonly warn?: (text: string) => void
  /** Called with each request, watches aside: `code` is `<error>` where there was no answer. Times in milliseconds. */
  readonly observe?: (request: ObservedRequest) => void
}

/** A request that is over. */
export interface ObservedRequest {
  readonly method: string
  /** `host:port`. */
  readonly host: string
  readonly code: string
  readonly durationMs: number
  /** How long it waited for its turn. */
  readonly heldMs: number
  /** Whether the server had asked to try again. */
  readonly isRetry: boolean
}

/** A {@link Client} of an API server over HTTP/2 and TLS. */
export interface HttpClient extends Client, Disposable {
  /** Makes new connections from now on, with what `tls` then says: for a renewed certificate. */
  reconnect(): void
  /** Any GET: discovery, health, version, what has no kind here. The body as text. */
  raw(path: string, options?: RawOptions): Promise<string>
  /** The same as it comes, for what is no text, too big to be held, or goes on: a watch in a form that has no kind here. */
  download(path: string, sink: (chunk: Buffer) => void, options?: RawOptions): Promise<void>
}

export interface RawOptions {
  /** What is wanted; JSON unless said otherwise. */
  readonly accept?: string
  readonly signal?: AbortSignal
}

/** Where there are other servers, a silent one is given up sooner. */
const BALANCED = { patienceMs: 5_000, pingEveryMs: 5_000 }

/** How often a request is tried again that the server asks to repeat. */
const RETRIES = 10

export function httpClient(options: HttpClientOptions): HttpClient {
  const { clock, server, servers, tls = {}, timeoutMs = 60_000, limit } = options
  const connections = { clock, dial: options.dial, tls: typeof tls === 'function' ? tls : () => tls }
  // Watches have a connection of their own, so that a slow reader of events does not hold up answers.
  const reachable = options.reachable ?? (options.dial ? undefined : (server: string) => answersTcp(server, clock))
  const link = () =>
    servers ? new BalancedLink(servers, { ...connections, ...BALANCED, reachable }) : new Connection({ ...connections, server })
  const requests: Link = link()
  const watches: Link = link()
  const admit = limit ? rateLimiter(clock, limit) : undefined

  const headers = async (more: Record<string, string> = {}): Promise<Record<string, string>> => {
    const token = typeof options.token === 'function' ? await options.token() : options.token
    const { user, groups = [], uid } = options.impersonate ?? {}
    return {
      accept: 'application/json',
      'user-agent': options.userAgent ?? 'typernetes',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(user ? { 'impersonate-user': user } : {}),
      ...(uid ? { 'impersonate-uid': uid } : {}),
      ...(groups.length > 0 ? { 'impersonate-group': groups as unknown as string } : {}),
      ...more,
    }
  }

  /** The answer of the server in use; of another one if that cannot be reached and the request may be repeated. */
  const answerOf = async (request: WireRequest, signal: AbortSignal | undefined): Promise<WireAnswer> => {
    for (let others = (servers?.servers.length ?? 1) - 1; ; others--) {
      const used = servers?.current ?? server
      try {
        return await exchange(requests, request, { clock, timeoutMs, signal })
      } catch (error) {
        if (others <= 0 || !isRepeatable(error)) throw error
        if (servers?.current === used) servers.failed(used, (error as Error).message)
      }
    }
  }

  const send = async (
    method: WireRequest['method'],
    path: string,
    body?: unknown,
    type = 'application/json',
    signal?: AbortSignal,
    accept?: string,
  ) => {
    signal?.throwIfAborted()
    const heldSince = clock.monotonic()
    await admit?.(signal)
    const heldMs = clock.monotonic() - heldSince
    const content = { ...(body === undefined ? {} : { 'content-type': type }), ...(accept ? { accept } : {}) }
    for (let attempt = 0; ; attempt++) {
      const request = { method, path, headers: await headers(content), body: body === undefined ? undefined : encodeJson(body) }
      const since = clock.monotonic()
      const told = (code: string) =>
        options.observe?.({
          method,
          host: hostOf(servers?.current ?? server),
          code,
          durationMs: clock.monotonic() - since,
          heldMs,
          isRetry: attempt > 0,
        })
      const answer = await answerOf(request, signal).catch((error: unknown) => {
        told('<error>')
        throw error
      })
      told(String(answer.status))
      for (const text of warningsOf(answer)) options.warn?.(text)
      if (answer.status >= 200 && answer.status < 300) return answer.body
      const waitSeconds = retryAfterOf(answer)
      if (waitSeconds === undefined || attempt >= RETRIES) throw failureOf(request, answer)
      await sleep(clock, waitSeconds * 1000, signal)
    }
  }

  const health = servers && checkHealth(servers, requests, clock, headers)

  const object = async <K extends AnyKind>(kind: K, sent: Promise<Buffer>): Promise<ObjectOf<K>> => decoded(kind, parseJson(await sent))

  return {
    get: (kind, name, { signal, resourceVersion, resourceVersionMatch } = {}) => {
      const { namespace, name: text } = nameOf(name)
      const path = pathOf(kind, namespace, text)
      const sent = resourceVersionMatch ? pathAt(resourceVersion ?? 'newest', path) : path + queryOf({ resourceVersion })
      return object(kind, send('GET', sent, undefined, undefined, signal))
    },
    list: async (kind, { namespace = '', signal, ...query } = {}) => {
      const body = await send('GET', pathOf(kind, namespace, '') + queryOf(query), undefined, undefined, signal)
      const { metadata, items } = parseJson(body) as { metadata?: object; items?: readonly unknown[] | null }
      return { metadata: metadata ?? {}, items: (items ?? []).map(item => decoded(kind, item)) } as ListOf<typeof kind>
    },
    watch: (kind, watch, sink) => follow(kind, watch, sink as unknown as WatchSink<ApiObject>, headers, watches),
    create: (kind, draft, { signal, ...query } = {}) => {
      const { namespace } = nameOf({ metadata: (draft as Partial<ApiObject>).metadata ?? {} })
      return object(kind, send('POST', pathOf(kind, namespace, '') + queryOf(query), typed(kind, draft), undefined, signal))
    },
    update: (kind, draft, { signal, ...query } = {}) =>
      object(kind, send('PUT', own(kind, draft) + queryOf(query), typed(kind, draft), undefined, signal)),
    updateStatus: (kind, draft, { signal, ...query } = {}) =>
      object(kind, send('PUT', own(kind, draft, 'status') + queryOf(query), typed(kind, draft), undefined, signal)),
    patch: (kind, name, patch, { signal, subresource = '', ...query } = {}) => {
      const at = nameOf(name)
      const force = patch.type === 'apply' ? patch.force : undefined
      const path = pathOf(kind, at.namespace, at.name, subresource) + queryOf({ ...query, force })
      return object(kind, send('PATCH', path, patch.body, PATCH_TYPES[patch.type], signal))
    },
    delete: async (kind, name, options = {}) => {
      const at = nameOf(name)
      const body = await send('DELETE', pathOf(kind, at.namespace, at.name), deleteBody(options), undefined, options.signal)
      const answer = parseJson(body) as { kind?: string; apiVersion?: string }
      return answer.kind === 'Status' && answer.apiVersion === 'v1' ? undefined : decoded(kind, answer)
    },
    deleteCollection: async (kind, options = {}) => {
      const { namespace = '', labelSelector, fieldSelector, resourceVersion, resourceVersionMatch, limit } = options
      const query = queryOf({ labelSelector, fieldSelector, resourceVersion, resourceVersionMatch, limit, continue: options.continue })
      await send('DELETE', pathOf(kind, namespace, '') + query, deleteBody(options), undefined, options.signal)
    },
    subresource: async (kind, name, { subresource, verb, body, options: more, signal }) => {
      const at = nameOf(name)
      const path = pathOf(kind, at.namespace, at.name, subresource) + queryOf({ more })
      const answer = parseJson(await send(METHODS[verb], path, body, verb === 'patch' ? PATCH_TYPES.merge : undefined, signal))
      const isOwn = (answer as { kind?: string }).kind === kind.kind
      return isOwn ? decoded(kind, answer) : answer
    },
    raw: async (path, { accept, signal } = {}) => (await send('GET', path, undefined, undefined, signal, accept)).toString(),
    download: async (path, sink, { accept, signal } = {}) =>
      download(requests, { method: 'GET', path, headers: await headers(accept ? { accept } : {}) }, sink, signal),
    reconnect() {
      requests.retire()
      watches.retire()
    },
    [Symbol.dispose]() {
      health?.[Symbol.dispose]()
      requests.close()
      watches.close()
    },
  }
}

const PATCH_TYPES: Readonly<Record<Patch['type'], string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

const METHODS = { get: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH' } as const

/** Hands on the body of an answer as it comes. */
function download(connection: Link, request: WireRequest, sink: (chunk: Buffer) => void, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0
    const refusal: Buffer[] = []
    const stream = open(connection, request, {
      head: head => {
        status = head.status
      },
      data: chunk => (status === 200 ? sink(chunk) : void refusal.push(chunk)),
      end: error => {
        signal?.removeEventListener('abort', abort)
        if (signal?.aborted) reject(signal.reason)
        else if (error) reject(unreachable(request, error))
        else if (status !== 200) reject(failureOf(request, { status, headers: {}, body: Buffer.concat(refusal) }))
        else resolve()
      },
    })
    const abort = () => stream.close()
    signal?.addEventListener('abort', abort, { once: true })
  })
}

const hostOf = (server: string) => server.replace(/^[a-z]+:\/\//, '')

/** Feeds a sink from the lines of a watch. */
function follow(
  kind: AnyKind,
  { namespace = '', ...options }: WatchOptions,
  sink: WatchSink<ApiObject>,
  headers: () => Promise<Record<string, string>>,
  connection: Link,
): Disposable {
  const query: QueryOptions = { ...options, watch: true }
  let ended = false
  let stream: { close(): void } | undefined
  const close = (error: Error | undefined) => {
    if (ended) return
    ended = true
    sink.closed(error)
    stream?.close()
  }
  const start = async () => {
    const request: WireRequest = { method: 'GET', path: pathOf(kind, namespace, '') + queryOf(query), headers: await headers() }
    if (ended) return
    let status = 0
    const refusal: Buffer[] = []
    const lines = new LineSplitter(line => {
      if (ended) return
      try {
        const { type, object } = parseJson(line) as { type: string; object: unknown }
        if (type === 'ERROR') close(StatusError.from(object as Status))
        else sink.event({ type, object: type === 'BOOKMARK' ? (object as ApiObject) : decoded(kind, object) } as WatchEvent<ApiObject>)
      } catch (error) {
        close(error as Error)
      }
    })
    stream = open(connection, request, {
      head: head => {
        status = head.status
      },
      data: chunk => {
        if (ended) return
        if (status === 200) lines.push(chunk)
        else refusal.push(chunk)
      },
      end: error => {
        if (status !== 0 && status !== 200) return close(failureOf(request, { status, headers: {}, body: Buffer.concat(refusal) }))
        if (status === 200) lines.end()
        // A watch that was cut off goes on where it was: only one that never began is a failure.
        close(status === 200 ? undefined : unreachable(request, error))
      },
    })
  }
  start().catch(close)
  return {
    [Symbol.dispose]() {
      ended = true
      stream?.close()
    },
  }
}

function own(kind: AnyKind, draft: unknown, subresource = ''): string {
  const { namespace, name } = nameOf({ metadata: (draft as Partial<ApiObject>).metadata ?? {} })
  return pathOf(kind, namespace, name, subresource)
}

const typed = (kind: AnyKind, draft: unknown) => ({ ...(draft as object), apiVersion: kind.apiVersion, kind: kind.kind })

/** Objects have the same form as in the server's own process: defaults present, unset fields absent. */
function decoded<K extends AnyKind>(kind: K, value: unknown): ObjectOf<K> {
  const object = { ...(value as object), apiVersion: kind.apiVersion, kind: kind.kind }
  return decode(kind.schema, object, { defaults: true, unknown: [] }) as unknown as ObjectOf<K>
}

/** The server's own words if it sent a Status, else what its code says. */
function failureOf({ method }: WireRequest, { status, body, headers }: WireAnswer): StatusError {
  try {
    const answer = parseJson(body) as Partial<Status>
    if (answer.kind === 'Status') return StatusError.from({ code: status, ...answer })
  } catch {
    // Not every answer comes from an API server: proxies and load balancers speak plain text.
  }
  const seconds = Number(headers['retry-after'] ?? 0)
  return genericFailure({
    code: status,
    verb: method,
    serverMessage: body.toString('utf8', 0, 2048),
    retryAfterSeconds: seconds,
    isUnexpected: true,
  })
}

function retryAfterOf({ status, headers }: WireAnswer): number | undefined {
  const seconds = Number(headers['retry-after'])
  return (status === 429 || status >= 500) && seconds > 0 ? seconds : undefined
}

/** The texts of `299 - "text"`. */
function warningsOf({ headers }: WireAnswer): string[] {
  const found = headers['warning']
  const all = found === undefined ? [] : ([found].flat() as string[])
  return all.flatMap(header => [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(match => match[1]!.replace(/\\(.)/g, '$1')))
}
