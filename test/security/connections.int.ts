import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { type ApiServerProcess, ask } from '../support/api-server-process.ts'
import { attack } from './attack.ts'

/* Attacks on the server's time and memory by connections that prove nothing. */

attack({
  does: 'holds connections open in silence, or sends the head of a request byte by byte',
  without: [{ file: 'apiserver/http/listen.ts', guard: 'const PATIENCE_MS = 10_000', instead: 'const PATIENCE_MS = 10_000_000' }],
  attempt: server =>
    outlast(server, [
      { protocol: 'http/1.1', behave: () => undefined },
      { protocol: 'h2', behave: socket => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1') },
      {
        protocol: 'http/1.1',
        behave(socket) {
          socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n')
          const drip = setInterval(() => socket.write('X-A: b\r\n'), 500)
          socket.on('close', () => clearInterval(drip))
        },
      },
    ]),
})

attack({
  does: 'opens streams of HTTP/2 and resets them at once, over and over',
  without: [
    {
      file: 'base/net/http2/patience.ts',
      guard: "if (this.#left < 1) throw new Http2Error('enhanceYourCalm', 'too many frames that bring nothing')",
      instead: 'void Http2Error',
    },
  ],
  async attempt(server) {
    const session = connectHttp2(server.url, { ca: server.authority })
    session.on('error', () => undefined)
    await once(session, 'connect')
    let sent = 0
    for (let round = 0; round < 100 && !session.destroyed && !session.closed; round++) {
      for (let n = 0; n < 100 && !session.destroyed && !session.closed; n++, sent++) {
        const stream = session.request({ ':path': '/api/v1/namespaces' })
        stream.on('error', () => undefined)
        stream.close(8)
      }
      await delay(5)
    }
    const isCut = session.destroyed || session.closed
    session.destroy()
    if ((await ask(server, 'GET', '/readyz')).status !== 200) return true
    return !isCut && sent >= 10_000
  },
})

attack({
  does: 'says the length of a body in two ways, so that a proxy in front would end it elsewhere',
  without: [
    {
      file: 'apiserver/http/listen.ts',
      guard: 'maxHeaderSize: MAX_HEADER_BYTES,\n  })',
      instead: 'maxHeaderSize: MAX_HEADER_BYTES,\n    insecureHTTPParser: true,\n  })',
    },
  ],
  async attempt(server) {
    const { port } = new URL(server.url)
    const socket = connect({ port: Number(port), host: '127.0.0.1', ca: server.authority, ALPNProtocols: ['http/1.1'] })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    const head = 'Host: localhost\r\nAuthorization: Bearer admin\r\nContent-Type: application/json\r\n'
    const hidden = `GET /version HTTP/1.1\r\n${head}\r\n`
    socket.write(
      `POST /api/v1/namespaces HTTP/1.1\r\n${head}Content-Length: ${5 + hidden.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    )
    let answer = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
    await Promise.race([once(socket, 'close'), delay(3000)])
    socket.destroy()
    return answer.includes('gitVersion')
  },
})

interface Manner {
  readonly protocol: string
  behave(socket: TLSSocket): unknown
}

/** Whether connections that behave so are still there after fifteen seconds. */
async function outlast(server: ApiServerProcess, manners: readonly Manner[]): Promise<boolean> {
  const { port } = new URL(server.url)
  const sockets = await Promise.all(
    Array.from({ length: 60 }, async (_, index) => {
      const { protocol, behave } = manners[index % manners.length]!
      const socket = connect({ port: Number(port), host: '127.0.0.1', ca: server.authority, ALPNProtocols: [protocol] })
      socket.on('error', () => undefined)
      await once(socket, 'secureConnect')
      socket.resume()
      behave(socket)
      return socket
    }),
  )
  await delay(15_000)
  const open = sockets.filter(socket => !socket.destroyed && !socket.closed)
  for (const socket of sockets) socket.destroy()
  return open.length > 0
}
