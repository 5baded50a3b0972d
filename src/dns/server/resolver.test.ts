import { decode as decodeBuffer, encode, type Packet, RECURSION_DESIRED } from 'dns-packet'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { clusterView } from '../cluster-view.ts'
import { handSource, serviceOf, sliceOf } from '../dns.fixture.ts'
import { type Exchange, Forwarder } from './forwarder.ts'
import { upstreamsOf } from './resolv-conf.ts'
import { Resolver, type ResolverMetrics } from './resolver.ts'

const decode = (bytes: Uint8Array) => decodeBuffer(Buffer.from(bytes))
const UPSTREAMS = ['192.0.2.1', '192.0.2.2'].map(address => ({ address, port: 53 }))
const endpoints = Array.from({ length: 100 }, (_, index) => ({ address: `10.244.1.${index + 1}` }))

let clock: VirtualClock
let ready: boolean
let asked: string[]
let upstream: (address: string, query: Required<Packet>) => Packet | undefined
let sources: string[]
let resolver: Resolver

const exchange: Exchange = async ({ address }, bytes, transport) => {
  const query = decode(bytes)
  asked.push(`${address} ${transport} ${query.questions[0]!.name}`)
  const answer = upstream(address, query)
  if (!answer) throw new Error('no answer in time')
  return encode({ id: query.id, type: 'response', questions: query.questions, ...answer })
}
const metrics: ResolverMetrics = { answered: (_type, _transport, source) => void sources.push(source) }

function resolverWith(upstreams = UPSTREAMS): Resolver {
  const random = seededRandom(1)
  const view = clusterView({
    namespaces: handSource({ metadata: { name: 'default' } }),
    services: handSource(
      serviceOf('web', { clusterIP: '10.96.0.1' }),
      serviceOf('many', { clusterIP: 'None' }),
      serviceOf('out', { type: 'ExternalName', externalName: 'www.example.com' }),
      serviceOf('inner', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local' }),
      serviceOf('circle', { type: 'ExternalName', externalName: 'circle.default.svc.cluster.local' }),
    ),
    endpointSlices: handSource(sliceOf('many', { endpoints })),
  })
  const forwarder = new Forwarder({ upstreams, exchange, clock, random, log: silentLogger })
  return new Resolver({ zone: { domain: 'cluster.local', ttlSeconds: 30 }, view, ready: () => ready, forwarder, clock, random, metrics })
}

async function ask(
  name: string,
  type = 'A',
  more: { tcp?: boolean; edns?: number; class?: string } = {},
): Promise<Required<Packet> & { size: number }> {
  const query = encode({
    id: 99,
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: more.class ?? 'IN' }],
    ...(more.edns !== undefined && { additionals: [{ name: '.', type: 'OPT', udpPayloadSize: more.edns }] }),
  })
  const bytes = (await resolver.handle(query, more.tcp ? 'tcp' : 'udp'))!
  return { ...decode(bytes), size: bytes.length }
}
const dataOf = (packet: Packet) => packet.answers!.map(answer => answer.data)
const www = (ttl = 60): Packet => ({ answers: [{ name: 'www.example.com', type: 'A', ttl, data: '198.51.100.1' }] })

beforeEach(() => {
  clock = virtualClock()
  ready = true
  asked = []
  sources = []
  upstream = () => www()
  resolver = resolverWith()
})

describe('a name of the cluster', () => {
  it('is answered with authority and without asking anyone', async () => {
    expect(await ask('web.default.svc.cluster.local')).toMatchObject({ id: 99, rcode: 'NOERROR', flag_aa: true, flag_ra: true })
    expect(asked).toEqual([])
  })

  it('that is not there is denied for as long as the zone says', async () => {
    const denied = await ask('nothing.default.svc.cluster.local')
    expect(denied).toMatchObject({ rcode: 'NXDOMAIN', answers: [] })
    expect(denied.authorities[0]).toMatchObject({ name: 'cluster.local', type: 'SOA', ttl: 30, data: { minimum: 30 } })
  })

  it('cannot be told before the cluster is known', async () => {
    ready = false
    expect(await ask('web.default.svc.cluster.local')).toMatchObject({ rcode: 'SERVFAIL' })
    expect(await ask('www.example.com')).toMatchObject({ rcode: 'NOERROR' })
  })

  it('with many addresses is cut for UDP, as long as the client takes, and whole over TCP', async () => {
    const plain = await ask('many.default.svc.cluster.local')
    expect([plain.flag_tc, plain.size <= 512, plain.answers.length]).toEqual([true, true, 29])
    const extended = await ask('many.default.svc.cluster.local', 'A', { edns: 4_096 })
    expect([extended.flag_tc, extended.size <= 1_232, extended.answers.length]).toEqual([true, true, 73])
    const whole = await ask('many.default.svc.cluster.local', 'A', { tcp: true })
    expect([whole.flag_tc, whole.answers.length]).toEqual([false, 100])
  })

  it('with several addresses starts with another one each time', async () => {
    const firsts = new Set<unknown>()
    for (let time = 0; time < 20; time++) firsts.add(dataOf(await ask('many.default.svc.cluster.local'))[0])
    expect(firsts.size).toBeGreaterThan(5)
  })
})

describe('an ExternalName Service', () => {
  it('is answered with the address of its target elsewhere', async () => {
    expect(dataOf(await ask('out.default.svc.cluster.local'))).toEqual(['www.example.com', '198.51.100.1'])
  })

  it('is answered with the address of its target in the cluster', async () => {
    expect(dataOf(await ask('inner.default.svc.cluster.local'))).toEqual(['web.default.svc.cluster.local', '10.96.0.1'])
  })

  it('is answered with the name alone when no one knows more', async () => {
    upstream = () => undefined
    expect(dataOf(await ask('out.default.svc.cluster.local'))).toEqual(['www.example.com'])
    expect(await ask('out.default.svc.cluster.local', 'CNAME')).toMatchObject({ rcode: 'NOERROR' })
  })

  it('that leads to itself ends', async () => {
    expect((await ask('circle.default.svc.cluster.local')).answers.length).toBeLessThan(12)
  })
})

describe('another name', () => {
  it('is asked of the first resolver, and the answer kept while its records live', async () => {
    expect(dataOf(await ask('www.example.com'))).toEqual(['198.51.100.1'])
    await clock.advance(10_500)
    const again = await ask('WWW.example.com')
    expect(again).toMatchObject({ id: 99, answers: [{ ttl: 50 }], questions: [{ name: 'WWW.example.com' }] })
    expect([asked, sources]).toEqual([['192.0.2.1 udp www.example.com'], ['upstream', 'cache']])
    await clock.advance(20_000)
    await ask('www.example.com')
    expect(asked).toHaveLength(2)
  })

  it('that several ask for at once is asked for once', async () => {
    await Promise.all([ask('www.example.com'), ask('www.example.com'), ask('www.example.com')])
    expect(asked).toHaveLength(1)
  })

  it('is asked of the next resolver when one does not answer, which then comes last for a while', async () => {
    upstream = address => (address === '192.0.2.1' ? undefined : www(0))
    expect(dataOf(await ask('www.example.com'))).toEqual(['198.51.100.1'])
    await ask('www.example.com')
    await clock.advance(10_000)
    await ask('www.example.com')
    expect(asked.map(line => line.split(' ')[0])).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.2', '192.0.2.1', '192.0.2.2'])
  })

  it('is asked of the next resolver when one cannot tell, and the failure passed on when none can', async () => {
    upstream = address => (address === '192.0.2.1' ? { flags: 2 } : www())
    expect(await ask('www.example.com')).toMatchObject({ rcode: 'NOERROR' })
    upstream = () => ({ flags: 2 })
    expect(await ask('other.example.com')).toMatchObject({ rcode: 'SERVFAIL' })
    upstream = () => undefined
    expect(await ask('third.example.com')).toMatchObject({ rcode: 'SERVFAIL' })
  })

  it('that is denied is kept for as long as its zone says', async () => {
    const soa = { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 5 }
    upstream = () => ({ flags: 3, authorities: [{ name: 'example.com', type: 'SOA', ttl: 60, data: soa }] })
    await ask('absent.example.com')
    await clock.advance(4_000)
    expect(await ask('absent.example.com')).toMatchObject({ rcode: 'NXDOMAIN' })
    expect(asked).toHaveLength(1)
    await clock.advance(2_000)
    await ask('absent.example.com')
    expect(asked).toHaveLength(2)
  })

  it('goes over TCP if the client came over TCP', async () => {
    await ask('www.example.com', 'A', { tcp: true })
    expect(asked).toEqual(['192.0.2.1 tcp www.example.com'])
  })

  it('is refused when there is no one to ask', async () => {
    resolver = resolverWith([])
    expect(await ask('www.example.com')).toMatchObject({ rcode: 'REFUSED', flag_ra: false })
  })

  it('is not asked of a resolver that asks us', async () => {
    upstream = (address, query) => {
      if (address === '192.0.2.1') void resolver.handle(encode(query), 'udp')
      return www()
    }
    await resolver.checkForLoops()
    asked = []
    await ask('www.example.com')
    expect(asked).toEqual(['192.0.2.2 udp www.example.com'])
  })
})

describe('what no one may ask', () => {
  it.each([
    ['another class', 'A', 'CH'],
    ['a zone transfer', 'AXFR', 'IN'],
  ])('%s is refused', async (_, type, qclass) => {
    expect(await ask('cluster.local', type, { class: qclass })).toMatchObject({ rcode: 'REFUSED' })
  })

  it('gets no answer if it is no query', () => {
    expect(resolver.handle(Uint8Array.from([1, 2, 3]), 'udp')).toBeUndefined()
  })
})

it('resolvers are read from a resolv.conf, without ourselves', () => {
  const text =
    '# made by hand\nnameserver 192.0.2.1\n nameserver  fe80::1%eth0\nnameserver 10.0.0.53\nnameserver 192.0.2.1\nsearch a b\nnameserver nonsense\n'
  expect(upstreamsOf(text, [{ address: '10.0.0.53', port: 53 }]).map(({ address }) => address)).toEqual(['192.0.2.1', 'fe80::1%eth0'])
})
