import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { FakeApi } from '../fake/fake-api.ts'
import { FakeServer } from '../fake/fake-server.ts'
import { httpClient } from '../http/http-client.ts'
import { informers } from '../informers/informers.ts'
import { followKubernetesServers } from './kubernetes-servers.ts'
import { ServerList } from './server-list.ts'

const NAMES = ['http://a', 'http://b', 'http://c'] as const

function listOf(clock: VirtualClock, seeds: readonly string[] = NAMES, seed = 1): ServerList {
  return new ServerList({ seeds, clock, random: seededRandom(seed), log: silentLogger })
}

/** Three servers of one cluster and a client that knows them all. */
function start() {
  const clock = virtualClock()
  const api = new FakeApi(clock)
  const list = listOf(clock)
  const servers = new Map(NAMES.map(name => [name as string, new FakeServer(api.client(), kindRegistry(builtInKinds))]))
  const down = new Set<string>()
  const dial = (name: string) => {
    if (down.has(name)) throw new Error('connection refused')
    return servers.get(name)!.dial()
  }
  const reachable = async (name: string) => !servers.get(name)!.isSilent
  const client = httpClient({ server: '', servers: list, dial, reachable, clock })
  return {
    clock,
    api,
    list,
    client,
    /** The server in use. */
    current: () => servers.get(list.current)!,
    /** Ends the server in use as a crash does. */
    crash() {
      const name = list.current
      down.add(name)
      servers.get(name)!.cut()
      return name
    },
    requestsOf: (name: string) => servers.get(name)!.requests.length,
    settle: async () => {
      for (let turn = 0; turn < 40; turn++) await clock.advance(0)
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      for (const server of servers.values()) server[Symbol.dispose]()
      await clock.advance(0)
      expect(clock.pending()).toBe(0)
    },
  }
}

describe('a list of servers', () => {
  it('has clients spread over all of them, and each stay with one', () => {
    const clock = virtualClock()
    const lists = Array.from({ length: 60 }, (_, seed) => listOf(clock, NAMES, seed))
    for (const name of NAMES) expect(lists.filter(list => list.current === name).length).toBeGreaterThan(8)
    expect(lists[0]!.current).toBe(lists[0]!.current)
  })

  it('passes over a server that failed, until all have', async () => {
    const clock = virtualClock()
    const list = listOf(clock)
    const first = list.current
    list.failed(first, 'it broke')
    const second = list.current
    list.failed(second, 'it broke')
    const third = list.current
    expect(new Set([first, second, third]).size).toBe(3)
    await clock.advance(1_000)
    list.failed(third, 'it broke')
    expect([first, second]).toContain(list.current)
  })

  it('leaves a server that the cluster no longer has, and comes back to those named at the start only in need', () => {
    const clock = virtualClock()
    const list = listOf(clock, ['http://balancer'])
    list.set(['http://a', 'http://b'])
    expect(['http://a', 'http://b']).toContain(list.current)
    list.set(['http://c'])
    expect(list.current).toBe('http://c')
    list.failed('http://c', 'it broke')
    expect(list.current).toBe('http://balancer')
  })
})

describe('a client of several servers', () => {
  const settings = { metadata: { name: 'settings', namespace: 'default' } }

  it('reads on from another server when the one in use has crashed', async () => {
    await using test = start()
    await test.client.create(ConfigMap, settings)
    const crashed = test.crash()
    expect((await test.client.get(ConfigMap, settings)).metadata.name).toBe('settings')
    expect(test.list.current).not.toBe(crashed)
  })

  it('sends a write elsewhere if it was never sent, and reports it if that is unknown', async () => {
    await using test = start()
    test.crash() // before there is a connection
    await test.client.create(ConfigMap, settings)
    test.current().intercept = () => {
      test.crash()
      return 'nothing'
    }
    const before = test.list.current
    await expect(test.client.update(ConfigMap, { ...settings, data: { a: '1' } })).rejects.toMatchObject({ code: 503 })
    expect(NAMES.filter(name => name !== before).every(name => test.requestsOf(name) === 0)).toBe(true)
  })

  it('resumes watches on another server without losing an event', async () => {
    await using test = start()
    await using shared = informers({ client: test.client, clock: test.clock, log: silentLogger })
    const seen: string[] = []
    shared.of(ConfigMap).onChange(object => void (object && seen.push(object.metadata.name!)))
    await test.settle()
    test.crash()
    await test.api.client().create(ConfigMap, { metadata: { name: 'meanwhile', namespace: 'default' } })
    for (let second = 0; second < 10 && seen.length === 0; second++) {
      await test.clock.advance(1_000)
      await test.settle()
    }
    expect(seen).toEqual(['meanwhile'])
  })

  it('leaves a server that says it is not ready, or says nothing', async () => {
    for (const answer of [{ status: 500, body: 'etcd failed' }, 'nothing'] as const) {
      await using test = start()
      await test.client.list(ConfigMap)
      const sick = test.list.current
      test.current().intercept = () => answer
      await test.clock.advance(5_000)
      await test.settle()
      await test.clock.advance(4_000)
      await test.settle()
      expect(test.list.current).not.toBe(sick)
      await test.client.list(ConfigMap)
    }
  })

  it('leaves a server that has fallen silent soon when somebody waits for an answer, and its watches resume elsewhere', async () => {
    await using test = start()
    await using shared = informers({ client: test.client, clock: test.clock, log: silentLogger })
    const seen: string[] = []
    shared.of(ConfigMap).onChange(object => void (object && seen.push(object.metadata.name!)))
    await test.settle()
    const silent = test.list.current
    test.current().isSilent = true
    const listed = test.client.list(ConfigMap)
    await test.api.client().create(ConfigMap, { metadata: { name: 'meanwhile', namespace: 'default' } })
    for (let quarter = 0; quarter < 4; quarter++) {
      expect(test.list.current).toBe(silent)
      await test.clock.advance(250)
      await test.settle()
    }
    expect(test.list.current).not.toBe(silent)
    expect((await listed).items).toHaveLength(1)
    for (let second = 0; second < 5 && seen.length === 0; second++) {
      await test.clock.advance(1_000)
      await test.settle()
    }
    expect(seen).toEqual(['meanwhile'])
  })

  it('waits for a server that takes its time and says that it is there', async () => {
    await using test = start()
    await test.client.list(ConfigMap)
    const slow = test.list.current
    const { requests } = test.current()
    test.current().intercept = ({ url }) => (url.pathname === '/readyz' ? { status: 200 } : 'nothing')
    const aborting = new AbortController()
    const waiting = test.client.list(ConfigMap, { signal: aborting.signal }).catch(() => 'aborted')
    for (let second = 0; second < 20; second++) {
      await test.clock.advance(1_000)
      await test.settle()
    }
    expect(test.list.current).toBe(slow)
    expect(requests.filter(({ url }) => url.pathname !== '/readyz')).toHaveLength(2)
    aborting.abort()
    expect(await waiting).toBe('aborted')
  })

  it('asks nothing of the network while nothing is unanswered', async () => {
    await using test = start()
    await using shared = informers({ client: test.client, clock: test.clock, log: silentLogger })
    shared.of(ConfigMap).onChange(() => undefined)
    await test.settle()
    await test.client.list(ConfigMap)
    await test.clock.advance(600)
    await test.settle()
    const before = test.clock.pending()
    await test.client.list(ConfigMap)
    await test.clock.advance(600)
    await test.settle()
    expect(test.clock.pending()).toBe(before)
  })

  it('learns the servers from the endpoints of the Service kubernetes', async () => {
    const clock = virtualClock()
    const api = new FakeApi(clock)
    await using shared = informers({ client: api.client(), clock, log: silentLogger })
    const told: string[][] = []
    using _following = followKubernetesServers(shared.of(EndpointSlice), servers => told.push(servers))
    const slice = (addresses: string[]) => ({
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4' as const,
      endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
      ports: [{ name: 'https', port: 6443, protocol: 'TCP' as const }],
    })
    const created = await api.client().create(EndpointSlice, slice(['10.0.0.2', '10.0.0.1']))
    await clock.advance(0)
    await api.client().update(EndpointSlice, { ...created, ...slice([]), metadata: created.metadata })
    await clock.advance(0)
    expect(told).toEqual([['https://10.0.0.1:6443', 'https://10.0.0.2:6443']])
  })
})
