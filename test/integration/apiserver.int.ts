import { type ClientHttp2Session, connect } from 'node:http2'
import { request } from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { type ApiServer, createApiServer } from '#apiserver/api-server.ts'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import { alwaysAllow } from '#apiserver/authorization/always.ts'
import { silentLogger } from '#base/log/logger.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'

const clock = realClock()
const TOKEN = 'secret'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const byToken: Authenticator = {
  name: 'test',
  async authenticate({ bearerToken }) {
    if (bearerToken === undefined) return undefined
    if (bearerToken !== TOKEN) throw new Error('another token')
    return { user: { name: 'admin', groups: ['system:masters'] } }
  },
}

let server: ApiServer
let store: MemoryStore
let port: number
let authority: string
let session: ClientHttp2Session

beforeAll(async () => {
  store = new MemoryStore({ clock })
  server = createApiServer({ store, kinds: builtInKinds, clock, random: systemRandom(), log: silentLogger, authorizer: alwaysAllow })
  await server.ready()
  const credential = await newAuthority(clock, 'test')
  authority = credential.certificate
  const issued = await certificateAuthority(clock, credential).issue({
    commonName: 'localhost',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
    validSeconds: 3600,
  })
  const tls = { certificate: issued.certificate, key: issued.privateKey }
  const listening = await server.listen({ address: '127.0.0.1', port: 0, tls, authenticator: byToken, anonymous: false })
  port = listening.port
  session = connect(`https://127.0.0.1:${port}`, { ca: authority })
})

afterAll(async () => {
  session.close()
  await server.stop()
  await store.close()
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': method,
      ':path': path,
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      ...headers,
    })
    let status = 0
    let text = ''
    let answered: Record<string, unknown> = {}
    stream.on('response', head => {
      status = head[':status'] ?? 0
      answered = head
    })
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('end', () => resolve({ status, headers: answered, body: text }))
    stream.on('error', reject)
    stream.end(body)
  })
}

const configMap = (name: string) => JSON.stringify({ metadata: { name }, data: { k: 'v' } })

describe('an API server with a port', () => {
  it('creates, shows, lists and deletes over HTTP/2', async () => {
    expect((await call('POST', CONFIG_MAPS, configMap('a'))).status).toBe(201)
    expect(JSON.parse((await call('GET', `${CONFIG_MAPS}/a`)).body)).toMatchObject({ kind: 'ConfigMap', data: { k: 'v' } })
    expect(JSON.parse((await call('GET', CONFIG_MAPS)).body).items).toHaveLength(1)
    expect((await call('DELETE', `${CONFIG_MAPS}/a`)).status).toBe(200)
    expect((await call('GET', `${CONFIG_MAPS}/a`)).status).toBe(404)
  })

  it('speaks YAML and protobuf, and refuses what it does not speak', async () => {
    await call('POST', CONFIG_MAPS, configMap('y'))
    expect((await call('GET', `${CONFIG_MAPS}/y`, undefined, { accept: 'application/yaml' })).body).toContain('kind: ConfigMap\n')
    const binary = await call('GET', `${CONFIG_MAPS}/y`, undefined, { accept: 'application/vnd.kubernetes.protobuf' })
    expect(binary.body.startsWith('k8s\0')).toBe(true)
    expect((await call('GET', `${CONFIG_MAPS}/y`, undefined, { accept: 'text/html' })).status).toBe(406)
    expect((await call('POST', CONFIG_MAPS, 'x', { 'content-type': 'text/plain' })).status).toBe(415)
  })

  it('refuses bodies that are too large, and goes on', async () => {
    expect((await call('POST', CONFIG_MAPS, `{"data":{"k":"${'x'.repeat(4_000_000)}"}}`)).status).toBe(413)
    expect((await call('GET', '/readyz')).body).toBe('ok')
  })

  it('knows nobody without a token, and nobody with a wrong one', async () => {
    expect((await call('GET', CONFIG_MAPS, undefined, { authorization: '' })).status).toBe(401)
    expect((await call('GET', CONFIG_MAPS, undefined, { authorization: 'Bearer other' })).status).toBe(401)
  })

  it('streams a watch in chunks over HTTP/1.1', async () => {
    const { metadata } = JSON.parse((await call('GET', CONFIG_MAPS)).body) as { metadata: { resourceVersion: string } }
    const from = `resourceVersion=${metadata.resourceVersion}`
    const lines = new Promise<string[]>((resolve, reject) => {
      const path = `${CONFIG_MAPS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=w1&${from}`
      const options = {
        port,
        host: '127.0.0.1',
        ca: authority,
        path,
        headers: { authorization: `Bearer ${TOKEN}` },
        ALPNProtocols: ['http/1.1'],
      }
      const message = request(options, response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => resolve(text.trim().split('\n')))
      })
      message.on('error', reject)
      message.end()
    })
    await call('POST', CONFIG_MAPS, configMap('w1'))
    await call('DELETE', `${CONFIG_MAPS}/w1`)
    const types = (await lines).map(line => (JSON.parse(line) as { type: string }).type)
    expect(types).toEqual(['ADDED', 'DELETED'])
  })

  it('sends every event of a watch as a message of a WebSocket', async () => {
    await call('POST', CONFIG_MAPS, configMap('w2'))
    const url = `wss://127.0.0.1:${port}${CONFIG_MAPS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name=w2`
    const socket = new WebSocket(url, { ca: authority, headers: { authorization: `Bearer ${TOKEN}` } })
    const messages: string[] = []
    socket.on('message', data => messages.push(String(data)))
    await new Promise(resolve => socket.on('close', resolve))
    expect(messages.map(message => (JSON.parse(message) as { type: string }).type)).toEqual(['ADDED'])
  })
})
