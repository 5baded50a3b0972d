import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { newAuthority } from '#base/pki/certificate-authority.ts'
import { realClock } from '#base/time/real-clock.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { type Answered, type Asked, type HttpsServer, httpsServer } from './https-server.fixture.ts'
import type { ServiceResolver } from './service-resolver.ts'
import { webhookClient } from './webhook-client.ts'

const closing: (AsyncDisposable | Disposable)[] = []
afterEach(async () => {
  for (const one of closing.splice(0)) {
    if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]()
    else one[Symbol.dispose]()
  }
})

const nobody: ServiceResolver = {
  resolve() {
    throw new Error('service "hook" not found')
  },
}

async function server(answer: (asked: Asked) => Answered | undefined | Promise<Answered | undefined>, names?: readonly string[]) {
  const one = await httpsServer(answer, names)
  closing.push(one)
  return one
}

function client(resolver = nobody, clock = realClock()) {
  const one = webhookClient({ resolver, clock })
  closing.push(one)
  return one
}

const echo = (asked: Asked): Answered => ({ body: { echo: asked.body } })
const REVIEW = { kind: 'AdmissionReview' }
const OPTIONS = { timeoutMs: 10_000 }

function failure(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'answered',
    (error: Error) => error.message,
  )
}

describe('a call to a webhook by URL', () => {
  it('posts the review as JSON, tells the time it has, and resolves to the answer', async () => {
    const hook = await server(echo)
    const answer = await client().post({ url: `${hook.url}/deep/path`, caBundle: hook.caBundle }, REVIEW, { timeoutMs: 2000 })
    expect(answer).toEqual({ echo: REVIEW })
    expect(hook.asked[0]).toMatchObject({ method: 'POST', path: '/deep/path?timeout=2s', body: REVIEW })
    expect(hook.asked[0]!.headers).toMatchObject({ host: `127.0.0.1:${hook.port}`, 'content-type': 'application/json' })
  })

  it('uses the connection of the call before', async () => {
    const hook = await server(echo)
    const calls = client()
    for (let call = 0; call < 3; call++) await calls.post(hook, REVIEW, OPTIONS)
    expect(new Set(hook.asked.map(({ from }) => from)).size).toBe(1)
  })

  it('finds out that a kept connection was closed, and makes another', async () => {
    const hook = await server(echo)
    const calls = client()
    await calls.post(hook, REVIEW, OPTIONS)
    hook.server.closeAllConnections()
    expect(await calls.post(hook, REVIEW, OPTIONS)).toEqual({ echo: REVIEW })
  })

  it('believes only who is signed by the bundle', async () => {
    const hook = await server(echo)
    const other = await newAuthority(realClock(), 'other-ca')
    const wrong = { url: hook.url, caBundle: btoa(other.certificate) }
    const why = 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
    expect(await failure(client().post(wrong, REVIEW, OPTIONS))).toBe(`Post "${hook.url}/?timeout=10s": ${why}`)
    expect(await failure(client().post({ url: hook.url }, REVIEW, OPTIONS))).toContain(why)
    expect(hook.asked).toEqual([])
  })

  it('fails when nobody listens, and when it takes too long', async () => {
    const refused = client().post({ url: 'https://127.0.0.1:1/x' }, REVIEW, { timeoutMs: 2000 })
    expect(await failure(refused)).toBe('Post "https://127.0.0.1:1/x?timeout=2s": dial tcp 127.0.0.1:1: connect: connection refused')
    const clock = virtualClock()
    let isAsked = () => {}
    const asked = new Promise<void>(resolve => {
      isAsked = resolve
    })
    const hook = await server(() => {
      isAsked()
      return new Promise(() => undefined)
    })
    const late = failure(client(nobody, clock).post(hook, REVIEW, { timeoutMs: 3000 }))
    await asked
    await clock.advance(3000)
    expect(await late).toBe(`Post "${hook.url}/?timeout=3s": context deadline exceeded`)
  })

  it('fails when the connection is cut, speaks no TLS, or says too much', async () => {
    const cut = await server(() => undefined)
    expect(await failure(client().post(cut, REVIEW, OPTIONS))).toBe(`Post "${cut.url}/?timeout=10s": EOF`)
    const plain = createServer((_, response) => response.end('hello'))
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as AddressInfo
    const why = 'http: server gave HTTP response to HTTPS client'
    expect(await failure(client().post({ url: `https://127.0.0.1:${port}` }, REVIEW, OPTIONS))).toContain(why)
    plain.close()
    const long = await server(() => ({ body: 'x'.repeat(5000) }))
    const limited = client().post(long, REVIEW, { ...OPTIONS, limitBytes: 1000 })
    expect(await failure(limited)).toContain('the answer is longer than 1000 bytes')
  })

  it('follows no redirect: whoever answers decides for nobody else', async () => {
    const inner = await server(echo)
    const hook = await server(() => ({ status: 307, headers: { location: inner.url } }))
    expect(await failure(client().post(hook, REVIEW, OPTIONS))).toBe(
      'the server responded with the status code 307 but did not return more information',
    )
    expect(inner.asked).toEqual([])
  })

  it('calls nothing but HTTPS', async () => {
    expect(await failure(client().post({ url: 'http://127.0.0.1/x' }, REVIEW, OPTIONS))).toContain('does not begin with https://')
  })

  it('tells what a failure of the webhook says', async () => {
    let said: Answered = { status: 500, body: 'boom', headers: { 'content-type': 'text/plain' } }
    const hook = await server(() => said)
    const call = () => failure(client().post(hook, REVIEW, OPTIONS))
    expect(await call()).toBe('an error on the server ("boom") has prevented the request from succeeding')
    said = { status: 404 }
    expect(await call()).toBe('the server could not find the requested resource')
    said = { status: 403, body: { kind: 'Status', apiVersion: 'v1', message: 'not you', code: 403 } }
    expect(await call()).toBe('not you')
  })

  it('reads an answer of whatever type as JSON, and refuses what is none', async () => {
    let text = '{"a":1}'
    const hook = await server(() => ({ body: text, headers: { 'content-type': 'text/plain' } }))
    expect(await client().post(hook, REVIEW, OPTIONS)).toEqual({ a: 1 })
    text = '<html>'
    expect(await failure(client().post(hook, REVIEW, OPTIONS))).toContain("invalid character '<'")
  })
})

describe('a call to a webhook by Service', () => {
  const to = ({ port }: HttpsServer): ServiceResolver => ({ resolve: () => ({ host: '127.0.0.1', port }) })
  const service = { namespace: 'apps', name: 'hook', path: '/validate' }

  it('goes to who is behind the Service, whose certificate names the Service', async () => {
    const hook = await server(echo, ['hook.apps.svc'])
    expect(await client(to(hook)).post({ service, caBundle: hook.caBundle }, REVIEW, OPTIONS)).toEqual({ echo: REVIEW })
    expect(hook.asked[0]!.headers['host']).toBe('hook.apps.svc:443')
  })

  it('fails when the certificate names somebody else', async () => {
    const hook = await server(echo, ['other.apps.svc'])
    expect(await failure(client(to(hook)).post({ service, caBundle: hook.caBundle }, REVIEW, OPTIONS))).toBe(
      'Post "https://hook.apps.svc:443/validate?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for other.apps.svc, not hook.apps.svc',
    )
  })

  it('fails in the words of the resolver when there is nobody', async () => {
    expect(await failure(client().post({ service: { namespace: 'apps', name: 'hook' } }, REVIEW, OPTIONS))).toBe(
      'Post "https://hook.apps.svc:443/?timeout=10s": service "hook" not found',
    )
  })
})

it('a connection that never becomes TLS is given up in time', async () => {
  const clock = virtualClock()
  let isConnected = () => {}
  const connected = new Promise<void>(resolve => {
    isConnected = resolve
  })
  const silent = createTcpServer(socket => {
    socket.on('error', () => undefined)
    isConnected()
  })
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const call = failure(client(nobody, clock).post({ url: `https://127.0.0.1:${port}` }, REVIEW, { timeoutMs: 1000 }))
  await connected
  await clock.advance(1000)
  expect(await call).toContain('context deadline exceeded')
  silent.close()
})
