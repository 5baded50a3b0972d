import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import { decode, encode, RECURSION_DESIRED } from 'dns-packet'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { handSource, portOf, serviceOf, sliceOf } from '#dns/dns.fixture.ts'
import { type DnsServer, type DnsServerOptions, startDnsServer } from '#dns/dns-server.ts'

let servers: DnsServer[]

const start = async (more: Partial<DnsServerOptions> = {}) => {
  const server = await startDnsServer({
    listen: [{ address: '127.0.0.1', port: 0 }],
    services: handSource(
      serviceOf('web', { clusterIP: '10.96.0.1', ports: [portOf('http', 80)] }),
      serviceOf('many', { clusterIP: 'None' }),
      serviceOf('out', { type: 'ExternalName', externalName: 'web.default.svc.other.test' }),
    ),
    endpointSlices: handSource(
      sliceOf('many', { endpoints: Array.from({ length: 200 }, (_, index) => ({ address: `10.244.1.${index + 1}` })) }),
    ),
    namespaces: handSource({ metadata: { name: 'default' } }),
    upstreams: [],
    clock: realClock(),
    random: systemRandom(),
    log: silentLogger,
    ...more,
  })
  servers.push(server)
  return server
}
const portOfServer = (server: DnsServer) => server.listening[0]!.port
const clientOf = (server: DnsServer) => {
  const client = new Resolver({ timeout: 10_000, tries: 1 })
  client.setServers([`127.0.0.1:${portOfServer(server)}`])
  return client
}

beforeEach(() => {
  servers = []
})

afterEach(async () => {
  await Promise.all(servers.map(server => server.stop()))
})

describe('the cluster DNS on a socket', () => {
  it('answers an ordinary resolver', async () => {
    const client = clientOf(await start())
    expect(await client.resolve4('web.default.svc.cluster.local')).toEqual(['10.96.0.1'])
    expect(await client.resolveSrv('_http._tcp.web.default.svc.cluster.local')).toMatchObject([
      { name: 'web.default.svc.cluster.local', port: 80 },
    ])
    expect(await client.reverse('10.96.0.1')).toEqual(['web.default.svc.cluster.local'])
    expect(await client.resolveTxt('dns-version.cluster.local')).toEqual([['1.1.0']])
    await expect(client.resolve4('absent.default.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(client.resolve6('web.default.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' })
  })

  it('sends a client whose answer does not fit to TCP, where it is whole', async () => {
    const client = clientOf(await start())
    expect(await client.resolve4('many.default.svc.cluster.local')).toHaveLength(200)
  })

  it('forwards to another server, over UDP and over TCP', async () => {
    const other = await start({ domain: 'other.test' })
    const client = clientOf(await start({ upstreams: [{ address: '127.0.0.1', port: portOfServer(other) }] }))
    expect(await client.resolve4('web.default.svc.other.test')).toEqual(['10.96.0.1'])
    expect(await client.resolve4('many.default.svc.other.test')).toHaveLength(200)
    expect(await client.resolve4('out.default.svc.cluster.local')).toEqual(['10.96.0.1'])
  })

  it('asks other resolvers when it is told of them', async () => {
    const other = await start({ domain: 'other.test' })
    const server = await start()
    await expect(clientOf(server).resolve4('web.default.svc.other.test')).rejects.toMatchObject({ code: 'EREFUSED' })
    server.useUpstreams([{ address: '127.0.0.1', port: portOfServer(other) }])
    expect(await clientOf(server).resolve4('web.default.svc.other.test')).toEqual(['10.96.0.1'])
  })

  it('leaves a resolver alone that would ask it again', async () => {
    const [first, second] = [await start(), await start({ domain: 'other.test' })]
    second.useUpstreams([{ address: '127.0.0.1', port: portOfServer(first) }])
    first.useUpstreams([{ address: '127.0.0.1', port: portOfServer(second) }])
    await vi.waitFor(() => expect(clientOf(first).resolve4('www.example.test')).rejects.toMatchObject({ code: 'EREFUSED' }), {
      timeout: 40_000,
    })
  })

  it('answers in time when the first resolver is silent', async () => {
    const silent = createSocket('udp4')
    await new Promise<void>(resolve => silent.bind(0, '127.0.0.1', resolve))
    const other = await start({ domain: 'other.test' })
    const upstreams = [silent.address().port, portOfServer(other)].map(port => ({ address: '127.0.0.1', port }))
    const server = await start({ upstreams })
    const client = new Resolver({ timeout: 4_000, tries: 1 })
    client.setServers([`127.0.0.1:${portOfServer(server)}`])
    expect(await client.resolve4('web.default.svc.other.test')).toEqual(['10.96.0.1'])
    silent.close()
  })

  it('survives whatever arrives, on both transports', async () => {
    const server = await start()
    const socket = createSocket('udp4')
    for (let size = 0; size < 300; size++) {
      const bytes = Uint8Array.from({ length: size }, () => Math.floor(Math.random() * 256))
      await new Promise(resolve => socket.send(bytes, portOfServer(server), '127.0.0.1', resolve))
    }
    socket.close()
    const stream = connect(portOfServer(server), '127.0.0.1')
    stream.on('error', () => {})
    stream.write(Uint8Array.from([0, 3, 1, 2, 3, 0, 0, 255, 255, 1]))
    expect(await clientOf(server).resolve4('web.default.svc.cluster.local')).toEqual(['10.96.0.1'])
    stream.destroy()
  })

  it('answers several queries on one connection, though they come in pieces', async () => {
    const stream = connect(portOfServer(await start()), '127.0.0.1')
    const query = (id: number) => {
      const bytes = encode({ id, flags: RECURSION_DESIRED, questions: [{ name: 'web.default.svc.cluster.local', type: 'A' }] })
      return Buffer.concat([Buffer.from([0, bytes.length]), bytes])
    }
    const both = Buffer.concat([query(1), query(2)])
    const ids: number[] = []
    const done = new Promise<void>(resolve => {
      let rest = Buffer.alloc(0)
      stream.on('data', chunk => {
        rest = Buffer.concat([rest, chunk])
        while (rest.length > 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
          ids.push(decode(rest.subarray(2)).id)
          rest = rest.subarray(2 + rest.readUInt16BE(0))
        }
        if (ids.length === 2) resolve()
      })
    })
    stream.setNoDelay(true)
    for (const byte of both) await new Promise(resolve => stream.write(Uint8Array.of(byte), resolve))
    await done
    expect(ids).toEqual([1, 2])
    stream.destroy()
  })

  it('says which address it cannot have, and leaves nothing open', async () => {
    const server = await start()
    const taken = { address: '127.0.0.1', port: portOfServer(server) }
    await expect(start({ listen: [{ address: '127.0.0.1', port: 0 }, taken] })).rejects.toThrow(
      `cannot listen on 127.0.0.1 port ${taken.port}`,
    )
  })
})
