import { createServer as createPlain, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSecure } from 'node:https'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { TLSSocket } from 'node:tls'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { TokenReview } from '#kinds/authentication/v1/token-review.ts'
import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import { SetupError } from '../setup-error.ts'
import { readNamedFile } from './run-program.ts'

/** The HTTPS of a component beside its work. */
export interface ComponentServerOptions {
  readonly address: string
  /** 0: none. */
  readonly port: number
  readonly certFile: string
  readonly keyFile: string
  readonly clientCaFile: string
  /** Paths that anyone may read. */
  readonly openPaths: readonly string[]
  /** Who knows tokens and permissions. */
  readonly client: Client
  readonly clock: Clock
  /** The name of the component's own certificate, when none is given. */
  readonly name: string
  /** Whether it works; a text says why not. */
  health(): true | string
  /** What /metrics shows besides what the process itself needs. */
  readonly metrics?: Registry
  /** Further pages, by path. */
  readonly pages?: Readonly<Record<string, () => string | Promise<string>>>
}

const HEALTH = ['/healthz', '/livez', '/readyz']

/** Serves /healthz, /livez, /readyz and /metrics over HTTPS; what is not open to all asks the API server who may. */
export async function serveComponent(options: ComponentServerOptions): Promise<AsyncDisposable> {
  if (options.port === 0) return { async [Symbol.asyncDispose]() {} }
  const { cert, key } = await credentialOf(options)
  const ca = options.clientCaFile === '' ? undefined : readNamedFile('client-ca-file', options.clientCaFile)
  const metrics = options.metrics ?? new Registry()
  collectDefaultMetrics({ register: metrics })
  const pages: Readonly<Record<string, () => string | Promise<string>>> = { '/metrics': () => metrics.metrics(), ...options.pages }
  const answer = async (request: IncomingMessage): Promise<[status: number, body: string]> => {
    const path = new URL(request.url ?? '/', 'https://localhost').pathname
    if (!options.openPaths.includes(path)) {
      const refusal = await refusalOf(request, path, options.client)
      if (refusal) return refusal
    }
    if (HEALTH.includes(path)) {
      const health = options.health()
      return health === true ? [200, 'ok'] : [500, health]
    }
    const page = pages[path]
    return page ? [200, await page()] : [404, `404 page not found\n`]
  }
  const server = createSecure({ cert, key, ...(ca ? { ca } : {}), requestCert: true, rejectUnauthorized: false }, listenerOf(answer))
  return listening(server, options)
}

/** Answers /healthz and the like over plain HTTP, as kube-proxy and kubelet do on loopback. */
export async function servePlain(
  at: { readonly address: string; readonly port: number },
  pages: Readonly<Record<string, () => Promise<[status: number, body: string]>>>,
): Promise<AsyncDisposable> {
  if (at.port === 0) return { async [Symbol.asyncDispose]() {} }
  const answer = async (request: IncomingMessage): Promise<[number, string]> => {
    const page = pages[new URL(request.url ?? '/', 'http://localhost').pathname]
    return page ? page() : [404, '404 page not found\n']
  }
  return listening(createPlain(listenerOf(answer)), at)
}

/** The metrics of this process, as a page. */
export function processMetrics(): () => Promise<[status: number, body: string]> {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return async () => [200, await metrics.metrics()]
}

function listenerOf(answer: (request: IncomingMessage) => Promise<[number, string]>): RequestListener {
  const respond = (response: ServerResponse, status: number, body: string) => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
    response.end(body)
  }
  return (request, response) => {
    answer(request).then(
      ([status, body]) => respond(response, status, body),
      error => respond(response, 500, `${(error as Error).message}\n`),
    )
  }
}

async function listening(
  server: ReturnType<typeof createPlain> | ReturnType<typeof createSecure>,
  at: { readonly address: string; readonly port: number },
): Promise<AsyncDisposable & { readonly port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', error =>
      reject(
        new SetupError(
          `Port ${at.port} of ${at.address} cannot be served (${(error as NodeJS.ErrnoException).code})`,
          'choose another port or end who uses it',
        ),
      ),
    )
    server.listen(at.port, at.address, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

async function credentialOf({
  certFile,
  keyFile,
  name,
  clock,
}: ComponentServerOptions): Promise<{ cert: string | Buffer; key: string | Buffer }> {
  if (certFile !== '' || keyFile !== '') {
    return { cert: readNamedFile('tls-cert-file', certFile), key: readNamedFile('tls-private-key-file', keyFile) }
  }
  return selfSigned(name, clock)
}

/** A certificate of one's own, good for as long as the process runs; upstream's components do the same. */
export async function selfSigned(name: string, clock: Clock, ipAddresses: readonly string[] = []): Promise<{ cert: string; key: string }> {
  const authority = await newAuthority(clock, `${name}-ca`)
  const { certificate, privateKey } = await certificateAuthority(clock, authority).issue({
    commonName: `${name}@${hostname()}`,
    dnsNames: ['localhost', hostname()],
    ipAddresses: ['127.0.0.1', ...ipAddresses],
    usages: ['server'],
    validSeconds: 365 * 86_400,
  })
  return { cert: certificate, key: privateKey }
}

/** Why the caller may not read `path`; undefined if it may. */
async function refusalOf(request: IncomingMessage, path: string, client: Client): Promise<[number, string] | undefined> {
  const user = await userOf(request, client)
  if (!user) return [401, 'Unauthorized\n']
  const review = await client.create(SubjectAccessReview, {
    spec: { user: user.name, groups: user.groups, nonResourceAttributes: { path, verb: (request.method ?? 'GET').toLowerCase() } },
  })
  return review.status?.allowed
    ? undefined
    : [403, `Forbidden: user ${JSON.stringify(user.name)} cannot get path ${JSON.stringify(path)}\n`]
}

async function userOf(request: IncomingMessage, client: Client): Promise<{ name: string; groups: string[] } | undefined> {
  const socket = request.socket as TLSSocket
  if (socket.authorized) {
    const subject = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] }
    if (subject.CN) return { name: subject.CN, groups: [subject.O ?? [], 'system:authenticated'].flat() }
  }
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return undefined
  const { status } = await client.create(TokenReview, { spec: { token } })
  if (!status?.authenticated) return undefined
  return { name: status.user?.username ?? '', groups: [...(status.user?.groups ?? [])] }
}
