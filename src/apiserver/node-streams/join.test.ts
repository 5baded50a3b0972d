import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { duplexPair } from './duplex-pair.fixture.ts'
import { join } from './join.ts'

function joined() {
  const clock = virtualClock()
  const [client, left] = duplexPair()
  const [right, server] = duplexPair()
  return { clock, client, server, over: join(left, right, clock) }
}

/** Everything that is read to the end; the other direction stays open. */
function text(stream: Duplex): Promise<string> {
  let read = ''
  stream.on('data', part => {
    read += String(part)
  })
  return new Promise(resolve => stream.on('end', () => resolve(read)))
}

describe('two joined connections', () => {
  it('carry both ways, and end together', async () => {
    const { client, server, over } = joined()
    client.end('question')
    expect(await text(server)).toBe('question')
    server.end('answer')
    expect(await text(client)).toBe('answer')
    await over
  })

  it('end both when one is cut', async () => {
    const { client, server, over } = joined()
    client.resume()
    const gone = new Promise(resolve => server.resume().on('close', resolve))
    client.destroy()
    server.end()
    await Promise.all([gone, over])
  })

  it('hold the sender up while the receiver does not read', async () => {
    const { client, server } = joined()
    let sent = 0
    const chunk = Buffer.alloc(64 * 1024)
    while (sent < 100 && client.write(chunk)) {
      sent++
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(sent).toBeLessThan(10)
    server.resume()
    await new Promise(resolve => client.once('drain', resolve))
  })

  it('cut off who does not take what is left when the other has gone', async () => {
    const { clock, client, server, over } = joined()
    server.pause()
    client.write(Buffer.alloc(1_000_000))
    await new Promise(resolve => setImmediate(resolve))
    client.destroy()
    await new Promise(resolve => setImmediate(resolve))
    const gone = new Promise(resolve => server.on('close', resolve))
    await clock.advance(10_000)
    await Promise.all([gone, over])
  })
})
