import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { type CertificateAuthority, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { realClock } from '#base/time/real-clock.ts'

/** What the server was asked. */
export interface Asked {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: unknown
  /** The port of the client: the same for calls on one connection. */
  readonly from: number
}

export interface Answered {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON; text and bytes as they are. */
  readonly body?: unknown
}

/** A small HTTPS server of a test's own on 127.0.0.1: a webhook or an aggregated API. */
export interface HttpsServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** PEM in base64, as `caBundle` fields have it. */
  readonly caBundle: string
  readonly asked: Asked[]
  readonly server: Server
}

let authority: CertificateAuthority | undefined

/** The authority that signs the servers' certificates. */
export async function testAuthority(): Promise<CertificateAuthority> {
  const clock = realClock()
  authority ??= certificateAuthority(clock, await newAuthority(clock, 'test-ca'))
  return authority
}

/** Starts one whose certificate names 127.0.0.1 and `names`. Undefined as an answer: the connection is cut. */
export async function httpsServer(
  answer: (asked: Asked) => Answered | undefined | Promise<Answered | undefined>,
  names: readonly string[] = ['localhost'],
): Promise<HttpsServer> {
  const ca = await testAuthority()
  const own = await ca.issue({
    commonName: 'test',
    dnsNames: names,
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
    validSeconds: 3600,
  })
  const asked: Asked[] = []
  const server = createServer({ cert: own.certificate, key: own.privateKey, requestCert: true, rejectUnauthorized: false })
  server.on('request', (request, response) => {
    void (async () => {
      const { method = '', url = '', headers } = request
      const bytes = await buffer(request)
      const text = bytes.toString('utf8')
      const one = { method, path: url, headers, body: parsed(text), from: (request.socket as TLSSocket).remotePort ?? 0 }
      asked.push(one)
      const said = await answer(one)
      if (!said) return void request.socket.destroy()
      const { status = 200, body = '' } = said
      const isPlain = typeof body === 'string' || body instanceof Uint8Array
      response.writeHead(status, { ...(isPlain ? {} : { 'content-type': 'application/json' }), ...said.headers })
      response.end(isPlain ? body : JSON.stringify(body))
    })()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    caBundle: btoa(ca.certificate),
    asked,
    server,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
