import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { RequestContext } from '#apiserver/http/request-context.ts'
import { silentLogger } from '#base/log/logger.ts'
import { type Credential, certificateAuthority, newAuthority, newCertificateRequest } from '#base/pki/certificate-authority.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { newAgentRequests } from '../agents/agent-certificates.ts'
import type { AgentAnswer, AgentRequest, ServerAnswer } from './join-messages.ts'
import { joinRoute } from './join-route.ts'
import { authorityHashOf, type JoinRole, joinTokenText, parseJoinToken } from './join-token.ts'
import { createToken, deleteToken, listTokens } from './token-secrets.ts'

const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const HOUR_MS = 3_600_000
const password = 'a password that nobody else knows'
const clock = virtualClock(Date.now())
let authority: Credential
let kubelets: Credential

beforeAll(async () => {
  authority = await newAuthority(clock, 'kubernetes-ca')
  kubelets = await newAuthority(clock, 'kubelet-ca')
})

/** A server that others may join, without its network. */
function start() {
  const api = new FakeApi(clock)
  const client = api.client()
  const route = joinRoute({
    client,
    clock,
    log: silentLogger,
    authority,
    nodeAuthorities: { clients: certificateAuthority(clock, authority), kubelets: certificateAuthority(clock, kubelets) },
    facts: { name: 'test', podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', nodePortRange: '30000-32767', dnsAddress: '10.96.0.10' },
    servers: async () => ['https://10.0.0.1:6443'],
    etcd: async () => ['https://10.0.0.1:2379'],
    secrets: () => ({ 'ca.key': authority.privateKey }),
  })
  const post = async (path: string, body: unknown, user = ANONYMOUS) => {
    let answered: { status: number; body: string } | undefined
    const context = {
      user,
      exchange: { method: 'POST', connection: { remoteAddress: '10.0.0.9' }, body: async () => Buffer.from(JSON.stringify(body)) },
      send: (status: number, { bytes }: { bytes: Uint8Array }) => {
        answered = { status, body: Buffer.from(bytes).toString() }
      },
    } as unknown as RequestContext
    expect(await route.serve(context, path)).toBe(true)
    return JSON.parse(answered!.body) as unknown
  }
  const invite = (role: JoinRole, ttlMs = HOUR_MS) => createToken(client, clock, authority, { role, ttlMs })
  const joinAgent = async (
    nodeName: string,
    token: { id: string; secret: string } | undefined,
    more: Partial<AgentRequest> = {},
    user = ANONYMOUS,
  ) => {
    const { requests } = await newAgentRequests(nodeName, '10.0.0.9')
    return (await post('/join/agent', { token, nodeName, nodePassword: password, requests, ...more }, user)) as AgentAnswer
  }
  return { api, client, post, invite, joinAgent }
}

describe('a join token', () => {
  it('names the authority and carries a bootstrap token', () => {
    const token = { authorityHash: authorityHashOf(authority.certificate), id: 'abcdef', secret: '0123456789abcdef' }
    const text = joinTokenText(token)
    expect(text).toMatch(/^sha256:[0-9a-f]{64}::abcdef\.0123456789abcdef$/)
    expect(parseJoinToken(` ${text}\n`)).toEqual(token)
  })

  it('that is none is refused without being repeated', () => {
    expect(() => parseJoinToken('abcdef.0123456789abcdef')).toThrow(/^This is no join token: copy the whole line/)
  })

  it('is kept as a Secret that the token cleaner knows, and of a server only a digest', async () => {
    const { client, invite } = start()
    const agent = await invite('agent')
    const server = await invite('server')
    const dataOf = async (id: string) => {
      const { type, data } = await client.get(Secret, { namespace: 'kube-system', name: `bootstrap-token-${id}` })
      expect(type).toBe('bootstrap.kubernetes.io/token')
      return Object.fromEntries(Object.entries(data!).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
    }
    expect(await dataOf(agent.id)).toMatchObject({ 'token-id': agent.id, 'token-secret': agent.secret })
    expect(JSON.stringify(await dataOf(server.id))).not.toContain(server.secret)
    for (const id of [agent.id, server.id]) expect(await dataOf(id)).not.toHaveProperty('usage-bootstrap-authentication')
    expect((await listTokens(client)).map(({ role }) => role).sort()).toEqual(['agent', 'server'])
    expect(await deleteToken(client, agent.id)).toBe(true)
    expect(await deleteToken(client, agent.id)).toBe(false)
  })
})

describe('a machine that joins as a node', () => {
  it('gets certificates for being that node and a proxy, and no key of the cluster', async () => {
    const { invite, joinAgent } = start()
    const answer = await joinAgent('n1', await invite('agent'))
    const [kubelet, serving, proxy] = [answer.certificates.kubelet, answer.certificates.serving, answer.certificates.proxy].map(
      pem => new X509Certificate(pem),
    )
    expect(kubelet!.subject.split('\n')).toEqual(['CN=system:node:n1', 'O=system:nodes'])
    expect(proxy!.subject).toBe('CN=system:kube-proxy')
    expect(serving!.subjectAltName).toBe('DNS:n1, IP Address:10.0.0.9')
    const clients = new X509Certificate(authority.certificate).publicKey
    expect([kubelet!.verify(clients), proxy!.verify(clients)]).toEqual([true, true])
    expect(serving!.verify(clients), 'a node could pass for an API server').toBe(false)
    expect(JSON.stringify(answer)).not.toContain('PRIVATE KEY')
    expect(answer).toMatchObject({ servers: ['https://10.0.0.1:6443'], cluster: { name: 'test' } })
  })

  it.each([
    ['without a token', async () => undefined],
    ['with a wrong secret', async (token: { id: string }) => ({ id: token.id, secret: '0000000000000000' })],
    ['with an unknown id', async (token: { secret: string }) => ({ id: 'zzzzzz', secret: token.secret })],
    ['with a name that is no id', async (token: { secret: string }) => ({ id: '../../', secret: token.secret })],
  ])('is refused %s', async (_, proof) => {
    const { invite, joinAgent } = start()
    await expect(joinAgent('n1', await proof(await invite('agent')))).rejects.toMatchObject({ code: 401 })
  })

  it('is refused once the token has expired or was deleted', async () => {
    const { client, invite, joinAgent } = start()
    const [short, deleted] = [await invite('agent', 60_000), await invite('agent')]
    await joinAgent('n1', short)
    await clock.advance(60_000)
    await expect(joinAgent('n2', short)).rejects.toMatchObject({ code: 401 })
    await deleteToken(client, deleted.id)
    await expect(joinAgent('n2', deleted)).rejects.toMatchObject({ code: 401 })
  })

  it('is refused when its requests ask for more than a node may have', async () => {
    const { invite, joinAgent } = start()
    const token = await invite('agent')
    const { requests } = await newAgentRequests('n1', '10.0.0.9')
    const bad = async (name: keyof typeof requests, subject: Parameters<typeof newCertificateRequest>[0]) =>
      joinAgent('n1', token, { requests: { ...requests, [name]: (await newCertificateRequest(subject)).request } })
    const refused = { code: 400, message: expect.stringContaining('asks for more than a node may have') }
    await expect(bad('kubelet', { commonName: 'system:node:n1', organizations: ['system:masters'] })).rejects.toMatchObject(refused)
    await expect(bad('kubelet', { commonName: 'system:node:n2', organizations: ['system:nodes'] })).rejects.toMatchObject(refused)
    await expect(bad('proxy', { commonName: 'kubernetes-admin' })).rejects.toMatchObject(refused)
    const names = { organizations: ['system:nodes'], dnsNames: ['kubernetes.default.svc'] }
    await expect(bad('serving', { commonName: 'system:node:n1', ...names })).rejects.toMatchObject(refused)
  })

  it("does not get another machine's name, until that node is deleted", async () => {
    const { client, invite, joinAgent } = start()
    const token = await invite('agent')
    await joinAgent('n1', token)
    await client.create(Node, { metadata: { name: 'n1' } })
    await joinAgent('n1', token) // the same machine, again
    const other = { nodePassword: 'the password of another machine' }
    await expect(joinAgent('n1', token, other)).rejects.toMatchObject({ code: 403, message: expect.stringContaining('another machine') })
    await client.delete(Node, { name: 'n1' })
    await joinAgent('n1', token, other)
  })

  it('does not get the name of a node that came without joining', async () => {
    const { client, invite, joinAgent } = start()
    await client.create(Node, { metadata: { name: 'old' } })
    await expect(joinAgent('old', await invite('agent'))).rejects.toMatchObject({ code: 403 })
  })

  it('renews its certificates by those it has, and nobody else’s', async () => {
    const { invite, joinAgent } = start()
    await joinAgent('n1', await invite('agent'))
    const asNode = (name: string) => ({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] })
    await joinAgent('n1', undefined, {}, asNode('n1'))
    await expect(joinAgent('n1', undefined, {}, asNode('n2'))).rejects.toMatchObject({ code: 401 })
  })
})

describe('a machine that joins as a server', () => {
  it('gets the keys of the cluster for a token of a server, and for no other', async () => {
    const { invite, post } = start()
    const [server, agent] = [await invite('server'), await invite('agent')]
    const answer = (await post('/join/server', { token: server, serverName: 's2' })) as ServerAnswer
    expect(answer).toMatchObject({ secrets: { 'ca.key': authority.privateKey }, etcd: ['https://10.0.0.1:2379'] })
    await expect(post('/join/server', { token: agent, serverName: 's3' })).rejects.toMatchObject({ code: 401 })
    await expect(post('/join/agent', { token: server, nodeName: 'n1', nodePassword: password, requests: {} })).rejects.toMatchObject({
      code: 400,
    })
  })

  it('is refused for a token that was put together by somebody who can write Secrets', async () => {
    const { client, invite, post } = start()
    const mine = await createToken(client, clock, await newAuthority(clock, 'mine'), { role: 'server', ttlMs: HOUR_MS })
    await expect(post('/join/server', { token: mine, serverName: 's2' })).rejects.toMatchObject({ code: 401 })
    const good = await invite('server', 60_000)
    const kept = await client.get(Secret, { namespace: 'kube-system', name: `bootstrap-token-${good.id}` })
    const later = Buffer.from('2099-01-01T00:00:00Z').toString('base64')
    await client.update(Secret, { ...kept, data: { ...kept.data, expiration: later } })
    await expect(post('/join/server', { token: good, serverName: 's2' })).rejects.toMatchObject({ code: 401 })
  })

  it('is told what is wrong with its words', async () => {
    const { post } = start()
    await expect(post('/join/server', [])).rejects.toMatchObject({ code: 400 })
    await expect(post('/join/server', { serverName: '../x' })).rejects.toMatchObject({ code: 400 })
  })
})
