import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { begin } from './peer.ts'

it('a kubelet that takes the connection and says nothing is given up after the time that was set', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const clock = virtualClock()
  const peer = { scheme: 'https', host: '127.0.0.1', port, takesWebSockets: false, dialMs: 5_000, tls: {} } as const
  const call = begin(peer, { method: 'GET', path: '/', headers: {} }, clock)
  const failure = new Promise<Error>(resolve => call.once('error', resolve))
  await clock.advance(4_999)
  expect(call.destroyed).toBe(false)
  await clock.advance(1)
  expect((await failure).message).toBe(`dial tcp 127.0.0.1:${port}: i/o timeout`)
  silent.close()
})
