import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { SpdyStream } from '#base/net/spdy/spdy-connection.ts'
import { acceptSpdy, asksForSpdy } from '#base/net/spdy/upgrade.ts'
import { realClock } from '#base/time/real-clock.ts'
import { upgradeExchange } from '../http/upgrade-exchange.ts'
import type { Peer } from './peer.ts'
import { translateCommand, translationFor } from './translation.ts'

const ending: (() => void)[] = []
afterEach(() => {
  for (const end of ending.splice(0).reverse()) end()
})

const connection = { remoteAddress: '', certificate: undefined, memory: new Map(), trust() {} }

async function listening(upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): Promise<number> {
  const server = createServer((_request, response) => void response.writeHead(400).end('this is no upgrade'))
  server.on('upgrade', upgrade)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ending.push(
    () => server.close(),
    () => server.closeAllConnections(),
  )
  return (server.address() as AddressInfo).port
}

/** A kubelet that speaks SPDY alone; its command answers with what it was given in capitals. */
function oldKubelet(): Promise<number> {
  return listening((request, socket, head) => {
    ending.push(() => socket.destroy())
    if (!asksForSpdy(request)) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    if (request.url?.startsWith('/refused')) {
      return void socket.end('HTTP/1.1 500 Refused\r\nContent-Length: 20\r\nConnection: close\r\n\r\ncontainer not found\n')
    }
    const streams = new Map<string, SpdyStream>()
    acceptSpdy(socket, head, 'v4.channel.k8s.io', stream => {
      streams.set(stream.headers['streamtype']!, stream)
      if (streams.size < 4) return
      streams.get('stdin')!.on('data', part => streams.get('stdout')!.write(String(part).toUpperCase()))
      streams.get('stdin')!.on('end', () => {
        streams.get('stdout')!.end()
        streams.get('stderr')!.end()
        streams.get('error')!.end('{"metadata":{},"status":"Success"}')
      })
    })
  })
}

async function apiServer(kubelet: number): Promise<number> {
  const peer: Peer = { scheme: 'http', host: '127.0.0.1', port: kubelet, takesWebSockets: false, tls: {} }
  return listening((request, socket, head) => {
    ending.push(() => socket.destroy())
    const { upgrade } = upgradeExchange(request, socket, head, connection)
    expect(translationFor(upgrade!, peer)).toBe('command')
    void translateCommand(upgrade!, peer, `${request.url}?input=1&output=1&error=1`, realClock())
  })
}

function call(port: number, path: string, protocols: string[]) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols)
  const heard: string[] = []
  socket.on('message', (data: Buffer) => heard.push(`${data[0]} ${data.toString('utf8', 1)}`))
  const closed = new Promise<number>(resolve => socket.on('close', resolve))
  return { socket, heard, closed }
}

describe('a WebSocket client of a kubelet that speaks SPDY alone', () => {
  it('runs a command, though it speaks before the kubelet is there', async () => {
    const { socket, heard, closed } = call(await apiServer(await oldKubelet()), '/exec', ['v4.channel.k8s.io', 'v5.channel.k8s.io'])
    socket.on('open', () => {
      socket.send(Buffer.from('\0hello'))
      socket.send(Buffer.from([255, 0]))
    })
    expect(await closed).toBe(1000)
    expect(socket.protocol).toBe('v5.channel.k8s.io')
    expect(heard).toEqual(['1 HELLO', '3 {"metadata":{},"status":"Success"}'])
  })

  it('is told on its error channel what the kubelet refuses', async () => {
    const { socket, heard, closed } = call(await apiServer(await oldKubelet()), '/refused', ['v4.channel.k8s.io'])
    expect(await closed).toBe(1000)
    expect(socket.protocol).toBe('v4.channel.k8s.io')
    expect(JSON.parse(heard[0]!.slice(2)).message).toBe('Internal error occurred: unable to upgrade connection: container not found')
  })
})
