import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { SecureVersion } from 'node:tls'
import type { Logger } from '#base/log/logger.ts'
import { openPort } from '#base/net/open-port.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { DelegatedAccess } from '#client/delegation/delegated-access.ts'
import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import { readLog } from '../logs/log-reader.ts'
import type { NodePods } from '../pods/node-pods.ts'
import { containerLogFile } from '../pods/pod-directories.ts'
import { isRunning, readySandboxOf } from '../pods/pod-state.ts'
import type { PodWorker } from '../pods/pod-worker.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { StatsSummary } from './stats-summary.ts'
import { servePortForward, serveRemoteCommand } from './streaming.ts'

/** A page of its own: status, body, media type (plain text unless said otherwise). */
export type KubeletPage = (request: IncomingMessage) => readonly [status: number, body: string, type?: string]

/** Where the kubelet listens and whom it believes. */
export interface KubeletServerOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly cert: string
  readonly key: string
  /** The authority whose certificates are believed. */
  readonly clientCA: string
  /** Further pages by their first word: `configz`, `statusz`, `flagz`. */
  readonly pages?: Readonly<Record<string, KubeletPage>>
  /** The oldest TLS to accept; default 1.2. */
  readonly minVersion?: SecureVersion
  /** The ciphers to offer, as OpenSSL names them; default: Node's. */
  readonly ciphers?: string
}

export interface KubeletServerContext extends KubeletServerOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly runtime: Runtime
  readonly pods: NodePods
  readonly logsDirectory: string
  readonly nodeName: string
}

export interface KubeletServer {
  readonly port: number
  /** Proves itself by another certificate from now on; connections that stand are left alone. */
  useCertificate(cert: string, key: string): void
  stop(): Promise<void>
}

/** A refusal with its HTTP status. */
class HttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Serves the HTTPS API that the API server calls for logs, exec, attach, port-forward and statistics. */
export async function startKubeletServer(context: KubeletServerContext): Promise<KubeletServer> {
  const { cert, key, clientCA, minVersion = 'TLSv1.2', ciphers } = context
  const security = (cert: string, key: string) => ({ cert, key, ca: clientCA, minVersion, ...(ciphers === undefined ? {} : { ciphers }) })
  const handlers = new Handlers(context)
  const server = createServer({ ...security(cert, key), requestCert: true, rejectUnauthorized: false }, (request, response) => {
    void handlers.handle(request, response)
  })
  const upgraded = new Set<Duplex>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => upgraded.delete(socket))
    void handlers.upgrade(request, socket, head)
  })
  server.on('tlsClientError', () => {})
  const open = await openPort(server, context)
  return {
    port: open.port,
    useCertificate: (cert, key) => server.setSecureContext(security(cert, key)),
    async stop() {
      for (const socket of upgraded) socket.destroy()
      await open[Symbol.asyncDispose]()
    },
  }
}

/** How long answers of the API server about callers count. */
const ANSWERS_COUNT = { allowedMs: 300_000, refusedMs: 30_000, tokenMs: 120_000 }

class Handlers {
  readonly #context: KubeletServerContext
  readonly #access: DelegatedAccess
  readonly #stats: StatsSummary

  constructor(context: KubeletServerContext) {
    this.#context = context
    this.#access = new DelegatedAccess({ client: context.client, clock: context.clock, ...ANSWERS_COUNT })
    this.#stats = new StatsSummary(context.runtime, context.nodeName)
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet')
      await this.#admit(request, url)
      await this.#serve(request, response, url)
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500
      if (response.headersSent) response.destroy()
      else response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${(error as Error).message}\n`)
    }
  }

  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const url = new URL(request.url ?? '/', 'https://kubelet')
      await this.#admit(request, url)
      const [verb = '', namespace = '', name = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent)
      const isForward = verb === 'portForward'
      const uid = isForward ? rest[0] : rest.length === 2 ? rest[0] : undefined
      const worker = this.#find(namespace, name, uid)
      const upgrade = { request, socket, head, clock: this.#context.clock }
      if (isForward) return await servePortForward(upgrade, this.#forward(worker))
      if (verb !== 'exec' && verb !== 'attach') throw new HttpError(404, '404 page not found')
      const containerId = this.#running(worker, rest.at(-1) ?? '')
      const { runtime } = this.#context
      const command = url.searchParams.getAll('command')
      const wanted = wantedStreams(url.searchParams)
      await serveRemoteCommand(upgrade, wanted, streams =>
        verb === 'exec' ? runtime.exec(containerId, command, streams) : runtime.attach(containerId, streams),
      )
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500
      const { message } = error as Error
      if (socket.writable) {
        const body = `${message}\n`
        socket.end(
          `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        )
      }
    }
  }

  async #admit(request: IncomingMessage, url: URL): Promise<void> {
    const user = await this.#access.callerOf(request)
    if (!user) throw new HttpError(401, 'Unauthorized')
    const [, first = ''] = url.pathname.split('/')
    const subresource = SUBRESOURCES[first] ?? 'proxy'
    const verb = VERBS[request.method ?? 'GET'] ?? 'get'
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: this.#context.nodeName }
    if (await this.#access.allows(user, { resourceAttributes })) return
    throw new HttpError(403, `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresource}])`)
  }

  async #serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const [first = '', ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent)
    if (first === 'healthz') return void response.writeHead(200, { 'Content-Type': 'text/plain' }).end('ok')
    if (first === 'pods' || first === 'runningpods') return json(response, this.#podList())
    if (first === 'stats') return json(response, await this.#stats.read())
    if (first === 'metrics') return void response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' }).end(this.#metrics())
    const page = this.#context.pages?.[first]
    if (page) {
      const [status, body, type = 'text/plain; charset=utf-8'] = page(request)
      return void response.writeHead(status, { 'Content-Type': type }).end(body)
    }
    if (first === 'containerLogs') return this.#logs(request, response, url.searchParams, rest)
    if (first === 'exec' || first === 'attach' || first === 'portForward')
      throw new HttpError(400, 'unable to upgrade: this endpoint needs an upgraded connection')
    throw new HttpError(404, '404 page not found')
  }

  async #logs(
    request: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
    [namespace = '', name = '', container = '']: string[],
  ): Promise<void> {
    const worker = this.#find(namespace, name)
    const { clock, logsDirectory } = this.#context
    const { attempt, id } = this.#logged(worker, container, query.get('previous') === 'true')
    const abort = new AbortController()
    response.on('close', () => abort.abort(new Error('the client has gone')))
    const sinceSeconds = numberOf(query, 'sinceSeconds')
    const sinceTime = query.get('sinceTime')
    const stream = { Stdout: 'stdout', Stderr: 'stderr' }[query.get('stream') ?? ''] as 'stdout' | 'stderr' | undefined
    const path = containerLogFile(logsDirectory, worker.pod, container, attempt)
    const pieces = readLog(
      path,
      {
        tailLines: numberOf(query, 'tailLines'),
        sinceMs: sinceSeconds === undefined ? (sinceTime ? Date.parse(sinceTime) : undefined) : clock.now() - sinceSeconds * 1000,
        timestamps: query.get('timestamps') === 'true',
        limitBytes: numberOf(query, 'limitBytes'),
        follow: query.get('follow') === 'true',
        stream,
      },
      {
        clock,
        signal: abort.signal,
        isRunning: () => worker.state.containers.some(one => one.id === id && isRunning(one)) && !this.#isGone(worker),
      },
    )
    request.resume()
    response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' })
    response.flushHeaders()
    try {
      for await (const piece of pieces) {
        if (!response.write(piece)) await new Promise<void>(resolve => response.once('drain', resolve).once('close', () => resolve()))
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      response.write(`failed to try resolving symlinks in path "${path}": lstat ${path}: no such file or directory`)
    }
    response.end()
  }

  #isGone(worker: PodWorker): boolean {
    return this.#context.pods.workers().get(worker.pod.metadata.uid ?? '') !== worker
  }

  #logged(worker: PodWorker, container: string, previous: boolean): { attempt: number; id: string } {
    const name = worker.pod.metadata.name ?? ''
    this.#checkContainer(worker, container)
    const all = worker.state.containers.filter(one => one.name === container)
    if (previous) {
      const before = all[0]?.state === 'exited' && this.#isWaiting(worker, container) ? all[0] : all[1]
      if (!before) throw new HttpError(400, `previous terminated container "${container}" in pod "${name}" not found`)
      return before
    }
    const latest = all.find(one => one.state !== 'created') ?? all[0]
    if (latest && latest.state !== 'created') return latest
    const statuses = [...(worker.status?.initContainerStatuses ?? []), ...(worker.status?.containerStatuses ?? [])]
    const reason = statuses.find(status => status.name === container)?.state.waiting?.reason ?? 'ContainerCreating'
    throw new HttpError(400, `container "${container}" in pod "${name}" is waiting to start: ${reason}`)
  }

  #isWaiting(worker: PodWorker, container: string): boolean {
    return worker.status?.containerStatuses?.find(status => status.name === container)?.state.waiting !== undefined
  }

  #find(namespace: string, name: string, uid?: string): PodWorker {
    const worker = this.#context.pods.find(namespace, name, uid)
    if (!worker) throw new HttpError(404, 'pod does not exist')
    return worker
  }

  #checkContainer(worker: PodWorker, container: string): void {
    for (const one of allContainers(worker.pod.spec)) if (one.name === container) return
    throw new HttpError(404, `container "${container}" not found in pod "${worker.pod.metadata.name}"`)
  }

  #running(worker: PodWorker, container: string): string {
    this.#checkContainer(worker, container)
    const found = worker.state.containers.find(one => one.name === container && isRunning(one))
    if (!found) throw new HttpError(500, `unable to upgrade connection: container not found ("${container}")`)
    return found.id
  }

  #forward(worker: PodWorker) {
    const sandbox = readySandboxOf(worker.state)
    if (!sandbox) throw new HttpError(500, `unable to upgrade connection: pod "${worker.pod.metadata.name}" has no sandbox`)
    return (port: number, stream: Duplex) => this.#context.runtime.portForward(sandbox.id, port, stream)
  }

  #podList(): object {
    const items = [...this.#context.pods.workers().values()].map(({ pod, status }) => ({ ...pod, status: { ...pod.status, ...status } }))
    return { apiVersion: 'v1', kind: 'PodList', metadata: {}, items }
  }

  #metrics(): string {
    const workers = [...this.#context.pods.workers().values()]
    const containers = workers.flatMap(({ state }) => state.containers)
    const count = (state: string) => containers.filter(container => container.state === state).length
    return [
      '# HELP kubelet_running_pods Number of pods that have a running pod sandbox',
      '# TYPE kubelet_running_pods gauge',
      `kubelet_running_pods ${workers.filter(({ state }) => readySandboxOf(state)).length}`,
      '# HELP kubelet_running_containers Number of containers currently running',
      '# TYPE kubelet_running_containers gauge',
      ...['created', 'exited', 'running', 'unknown'].map(state => `kubelet_running_containers{container_state="${state}"} ${count(state)}`),
      '',
    ].join('\n')
  }
}

const SUBRESOURCES: Readonly<Record<string, string>> = {
  stats: 'stats',
  metrics: 'metrics',
  logs: 'log',
  spec: 'spec',
  configz: 'configz',
  statusz: 'statusz',
  flagz: 'flagz',
}
const VERBS: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** kubectl's names and those upstream's API server turns them into. */
function wantedStreams(query: URLSearchParams) {
  const has = (...names: string[]) => names.some(name => ['1', 'true'].includes(query.get(name) ?? ''))
  return { stdin: has('input', 'stdin'), stdout: has('output', 'stdout'), stderr: has('error', 'stderr'), tty: has('tty') }
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new HttpError(400, `invalid value of ${name}: "${text}" is no whole number`)
  return value
}

function json(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}
