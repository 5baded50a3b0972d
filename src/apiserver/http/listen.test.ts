import { connect as connectHttp2 } from 'node:http2'
import { connect, type TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { certificatesOf } from '#base/pki/client-certificate.ts'
import { realClock } from '#base/time/real-clock.ts'
import { listen } from './listen.ts'

it('a port proves itself by another certificate from one connection to the next, and cuts nobody off', async () => {
  const clock = realClock()
  const credential = await newAuthority(clock, 'ca')
  const authority = certificateAuthority(clock, credential)
  const issue = () => authority.issue({ commonName: 'server', ipAddresses: ['127.0.0.1'], usages: ['server'], validSeconds: 3600 })
  const [first, second] = [await issue(), await issue()]
  const tls = { certificate: first.certificate, key: first.privateKey, clientCa: credential.certificate }
  const options = { clock, log: silentLogger, serve: async () => undefined, upgrade: () => undefined }
  const port = await listen({ address: '127.0.0.1', port: 0, tls, ...options })
  const open = () =>
    new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: port.port, ca: credential.certificate, ALPNProtocols: ['h2'] }, () =>
        resolve(socket),
      )
      socket.once('error', reject)
    })
  const serialOf = (socket: TLSSocket) => socket.getPeerX509Certificate()!.serialNumber
  const before = await open()
  port.useCertificate(second.certificate, second.privateKey)
  const after = await open()
  expect(serialOf(after)).not.toBe(serialOf(before))
  expect(before.destroyed).toBe(false)
  before.destroy()
  after.destroy()
  await port.close()
})

async function authorityAndOptions() {
  const clock = realClock()
  const credential = await newAuthority(clock, 'ca')
  const authority = certificateAuthority(clock, credential)
  const issue = async (commonName: string, dnsNames: string[] = []) => {
    const made = await authority.issue({ commonName, dnsNames, ipAddresses: ['127.0.0.1'], usages: ['server'], validSeconds: 3600 })
    return { certificate: made.certificate, key: made.privateKey }
  }
  const options = { clock, log: silentLogger, upgrade: () => undefined, address: '127.0.0.1', port: 0 }
  return { ca: credential.certificate, issue, options }
}

it('a port shows those who ask for a name the certificate for it', async () => {
  const { ca, issue, options } = await authorityAndOptions()
  const serialOf = (pem: string) => certificatesOf(pem)[0]!.serialNumber
  const [own, exact, wild] = [await issue('server'), await issue('exact', ['api.example.com']), await issue('wild', ['*.example.com'])]
  const named = [
    { names: ['api.example.com'], ...exact },
    { names: ['*.example.com'], ...wild },
  ]
  const port = await listen({ ...options, tls: { ...own, named }, serve: async () => undefined })
  const shown = (servername?: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: port.port, ca, ...(servername ? { servername } : {}) }, () => {
        resolve(socket.getPeerX509Certificate()!.serialNumber)
        socket.destroy()
      })
      socket.once('error', reject)
    })
  expect(await shown()).toBe(serialOf(own.certificate))
  expect(await shown('api.example.com')).toBe(serialOf(exact.certificate))
  expect(await shown('other.example.com')).toBe(serialOf(wild.certificate))
  await port.close()
})

it('a client of HTTP/2 that is sent away gets its answer, and connects anew', async () => {
  const { ca, issue, options } = await authorityAndOptions()
  let sendsAway = false
  const port = await listen({
    ...options,
    tls: await issue('server'),
    serve: async exchange => exchange.answer(200, {}, [new TextEncoder().encode('ok')]),
    sendsAway: () => sendsAway,
  })
  const session = connectHttp2(`https://127.0.0.1:${port.port}`, { ca })
  const goneAway = new Promise<void>(resolve => session.once('goaway', () => resolve()))
  const ended = new Promise<void>(resolve => session.once('close', () => resolve()))
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      let text = ''
      const stream = session.request({ ':path': '/' }).setEncoding('utf8')
      stream.on('data', (chunk: string) => {
        text += chunk
      })
      stream.once('end', () => resolve(text)).once('error', reject)
      stream.end()
    })
  expect(await ask()).toBe('ok')
  expect(session.closed).toBe(false)
  sendsAway = true
  expect(await ask()).toBe('ok')
  await goneAway
  await ended
  await port.close()
})
