import { connect, type TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
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
