import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type CertificateAuthority, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { realClock } from '#base/time/real-clock.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { AgentRequest } from '../join/join-messages.ts'
import { type AgentCertificates, newAgentRequests, readAgentCertificates, writeAgentCertificates } from './agent-certificates.ts'
import { renewAgentCertificates } from './renew-agent-certificates.ts'

const YEAR_SECONDS = 365 * 86_400
const now = realClock()
let directory: string
let server: Server
let url: string
let authority: CertificateAuthority
let present: AgentCertificates
let asked: { readonly by: string; readonly message: AgentRequest }[]

/** What a server signs for a node. */
async function sign({ kubelet, serving, proxy }: AgentRequest['requests'], by: CertificateAuthority) {
  const [client, host] = [
    { usages: ['client'], validSeconds: YEAR_SECONDS } as const,
    { usages: ['server'], validSeconds: YEAR_SECONDS } as const,
  ]
  return { kubelet: await by.sign(kubelet, client), serving: await by.sign(serving, host), proxy: await by.sign(proxy, client) }
}

/** A node that joined so many days ago, and a server of its cluster. */
async function joined(daysAgo: number): Promise<void> {
  const then = virtualClock(now.now() - daysAgo * 86_400_000)
  const credential = await newAuthority(then, 'kubernetes-ca')
  const { requests, keys } = await newAgentRequests('n1', '10.0.0.9')
  writeAgentCertificates(directory, credential.certificate, keys, await sign(requests, certificateAuthority(then, credential)))
  present = readAgentCertificates(directory)!
  authority = certificateAuthority(now, credential)
  const own = await authority.issue({ commonName: 'server', ipAddresses: ['127.0.0.1'], usages: ['server'], validSeconds: 3600 })
  const tls = { cert: own.certificate, key: own.privateKey, ca: credential.certificate, requestCert: true, rejectUnauthorized: false }
  const answer = async (request: IncomingMessage) => {
    const message = (await json(request)) as AgentRequest
    const socket = request.socket as TLSSocket
    asked.push({ by: socket.authorized ? String(socket.getPeerCertificate().subject.CN) : 'nobody', message })
    return JSON.stringify({ cluster: {}, servers: [], certificates: await sign(message.requests, authority) })
  }
  server = createServer(tls, (request, response) => void answer(request).then(text => response.end(text))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 't8s-agent-'))
  asked = []
})
afterEach(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

const renew = () => {
  writeFileSync(join(directory, 'servers.json'), JSON.stringify(['https://127.0.0.1:1']))
  const places = { certificatesDir: directory, serversFile: join(directory, 'servers.json'), server: url }
  return renewAgentCertificates({ nodeName: 'n1', nodePassword: 'known to n1', address: '10.0.0.9', ...places }, present, now)
}

it('a node leaves certificates alone that are good for long', async () => {
  await joined(300)
  expect(await renew()).toBe(present)
  expect(asked).toEqual([])
})

it('a node whose certificates end soon asks any server for new ones, as the node it is, with new keys', async () => {
  await joined(340)
  const renewed = await renew()
  expect(asked.map(({ by, message: { token, nodePassword } }) => [by, token, nodePassword])).toEqual([
    ['system:node:n1', undefined, 'known to n1'],
  ])
  for (const name of ['kubelet', 'serving', 'proxy'] as const) {
    expect(renewed[name].privateKey).not.toBe(present[name].privateKey)
    expect(Date.parse(new X509Certificate(renewed[name].certificate).validTo) - now.now()).toBeGreaterThan(360 * 86_400_000)
  }
  expect(readAgentCertificates(directory)).toEqual(renewed)
})

it('a node that no server answers keeps what it has', async () => {
  await joined(340)
  server.close()
  await expect(renew()).rejects.toThrow('cannot be reached')
  expect(readAgentCertificates(directory)).toEqual(present)
})
