import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import type { Store } from '#store/store.ts'
import { publishEndpoints } from './publish-endpoints.ts'

/** The store as several servers see it, over a network: `cut` makes it unreachable for one of them. */
function shared(store: Store): { store: Store; cut(): void } {
  let isCut = false
  const guarded =
    <Args extends unknown[], Result>(method: (...args: Args) => Promise<Result>) =>
    async (...args: Args) => {
      if (isCut) throw new Error('the store is out of reach')
      return method.apply(store, args)
    }
  return {
    store: {
      range: guarded(store.range),
      txn: guarded(store.txn),
      watch: (options, sink) => store.watch(options, sink),
      compact: guarded(store.compact),
      grantLease: guarded(store.grantLease),
      keepLeaseAlive: guarded(store.keepLeaseAlive),
      revokeLease: guarded(store.revokeLease),
      status: guarded(store.status),
      close: async () => undefined,
    },
    cut: () => {
      isCut = true
    },
  }
}

function start(clock: VirtualClock) {
  const store = new MemoryStore({ clock })
  const api = new FakeApi(clock)
  const publish = async (advertiseAddress: string) => {
    const view = shared(store)
    const published = await publishEndpoints({
      store: view.store,
      client: api.client(),
      clock,
      log: silentLogger,
      advertiseAddress,
      securePort: 6443,
    })
    return { ...published, cut: view.cut }
  }
  const addresses = () => {
    const slice = api.find(EndpointSlice, 'kubernetes', 'default')!.endpoints!.flatMap(endpoint => endpoint.addresses)
    const legacy = api.find(Endpoints, 'kubernetes', 'default')!.subsets!.flatMap(subset => (subset.addresses ?? []).map(({ ip }) => ip))
    expect(legacy).toEqual(slice)
    return slice
  }
  return { store, api, publish, addresses }
}

describe('the endpoints of the Service kubernetes', () => {
  it('are all API servers that are there', async () => {
    const clock = virtualClock()
    const { publish, addresses, api } = start(clock)
    const servers = [await publish('10.0.0.2'), await publish('10.0.0.1')]
    await clock.advance(0)
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(api.find(EndpointSlice, 'kubernetes', 'default')!.ports).toEqual([{ name: 'https', port: 6443, protocol: 'TCP' }])
    for (const server of servers) await server.stop()
  })

  it('lose a server at once when it stops, and never the last one', async () => {
    const clock = virtualClock()
    const { publish, addresses } = start(clock)
    const [first, second] = [await publish('10.0.0.1'), await publish('10.0.0.2')]
    await first.stop()
    await clock.advance(0)
    expect(addresses()).toEqual(['10.0.0.2'])
    await second.stop()
    await clock.advance(0)
    expect(addresses()).toEqual(['10.0.0.2'])
    expect(clock.pending()).toBe(0)
  })

  it('lose a server within 20 seconds after it was cut off, and get it back afterwards', async () => {
    const clock = virtualClock()
    const { publish, addresses } = start(clock)
    const [first, second] = [await publish('10.0.0.1'), await publish('10.0.0.2')]
    await clock.advance(60_000)
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2'])
    second.cut()
    await clock.advance(9_000)
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2'])
    await clock.advance(11_000)
    expect(addresses()).toEqual(['10.0.0.1'])
    const again = await publish('10.0.0.2')
    await clock.advance(0)
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2'])
    for (const server of [first, second, again]) await server.stop()
  })

  it('are mended when somebody else has changed them', async () => {
    const clock = virtualClock()
    const { publish, addresses, api } = start(clock)
    const server = await publish('10.0.0.1')
    const slice = api.find(EndpointSlice, 'kubernetes', 'default')!
    await api.client().update(EndpointSlice, { ...slice, endpoints: [{ addresses: ['192.0.2.1'] }] })
    await clock.advance(6_000)
    expect(addresses()).toEqual(['10.0.0.1'])
    await server.stop()
  })

  it('are written once where the store has no other server', async () => {
    const clock = virtualClock()
    const { api, addresses } = start(clock)
    const store = new MemoryStore({ clock })
    const options = { store, client: api.client(), clock, log: silentLogger, securePort: 6443 }
    await publishEndpoints({ ...options, advertiseAddress: '10.0.0.1' })
    await publishEndpoints({ ...options, advertiseAddress: '10.0.0.9' })
    expect(addresses()).toEqual(['10.0.0.9'])
    expect(clock.pending()).toBe(0)
  })
})
