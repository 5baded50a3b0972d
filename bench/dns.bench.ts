// Queries per second of the cluster DNS: answering in memory, and over a loopback socket from one client with 64 queries open.
import { createSocket } from 'node:dgram'
import { silentLogger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { clusterView } from '#dns/cluster-view.ts'
import { handSource, serviceOf } from '#dns/dns.fixture.ts'
import { startDnsServer } from '#dns/dns-server.ts'
import { Forwarder } from '#dns/server/forwarder.ts'
import { Resolver } from '#dns/server/resolver.ts'
import { encodeQuery } from '#dns/wire/query.ts'
import { TYPE_CODES } from '#dns/wire/record.ts'

const QUERIES = 100_000
const OPEN = 64

const clock = realClock()
const random = systemRandom()
const log = silentLogger
const sources = {
  services: handSource(
    ...Array.from({ length: 1_000 }, (_, index) => serviceOf(`web-${index}`, { clusterIP: `10.96.${index >> 8}.${index & 255}` })),
  ),
  endpointSlices: { ...handSource<never>(), byIndex: () => [] },
  namespaces: handSource({ metadata: { name: 'default' } }),
}
const query = encodeQuery(1, 'web-7.default.svc.cluster.local', TYPE_CODES.A)

const forwarder = new Forwarder({ upstreams: [], exchange: () => Promise.reject(new Error('no one to ask')), clock, random, log })
const zone = { domain: 'cluster.local', ttlSeconds: 30 }
const resolver = new Resolver({ zone, view: clusterView(sources), ready: () => true, forwarder, clock, random })
report('in memory', () => {
  for (let count = 0; count < QUERIES; count++) void resolver.handle(query, 'udp')
})

const server = await startDnsServer({ ...sources, listen: [{ address: '127.0.0.1', port: 0 }], upstreams: [], clock, random, log })
const client = createSocket('udp4')
const { port } = server.listening[0]!
await new Promise<void>(resolve => client.connect(port, '127.0.0.1', resolve))
await reportAsync('over UDP, client included', QUERIES / 5, done => {
  let sent = 0
  let received = 0
  const send = () => {
    if (sent++ < QUERIES / 5) client.send(query)
  }
  client.on('message', () => (++received === QUERIES / 5 ? done() : send()))
  for (let count = 0; count < OPEN; count++) send()
})
client.close()
await server.stop()

function report(name: string, work: () => void): void {
  work()
  const start = performance.now()
  work()
  print(name, QUERIES, performance.now() - start)
}

async function reportAsync(name: string, count: number, work: (done: () => void) => void): Promise<void> {
  const start = performance.now()
  await new Promise<void>(resolve => work(resolve))
  print(name, count, performance.now() - start)
}

function print(name: string, count: number, milliseconds: number): void {
  console.log(`${name}: ${Math.round(count / (milliseconds / 1_000)).toLocaleString('en')} queries/s`)
}
