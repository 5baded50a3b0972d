import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import { Service } from '#kinds/core/v1/service.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import type { WriteRequest } from '../registry/write-request.ts'
import { portReservations } from './port-reservations.ts'
import { serviceAllocation } from './service-allocation.ts'

/** Two servers on one store, neither of which has yet seen what the other one stored. */
function start(nodePortRange = '30000-30009') {
  const clock = virtualClock()
  const api = new FakeApi(clock)
  const store = new MemoryStore({ clock })
  const server = (seed: number) => {
    const behaviour = serviceAllocation({
      serviceCIDRs: ['10.96.0.0/16'],
      nodePortRange,
      random: seededRandom(seed),
      client: () => api.client(),
      services: () => [],
      reservations: portReservations(store),
    })
    /** Begins to write a Service; what comes out has its ports. */
    return async (name: string, nodePort?: number) => {
      const object = {
        metadata: { namespace: 'default', name },
        spec: { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP', ...(nodePort ? { nodePort } : {}) }] },
      } as unknown as Mutable<ApiObject>
      const allocation = await behaviour.begin!(object, undefined, { dryRun: false } as WriteRequest)
      return { service: object as unknown as Service, ...allocation }
    }
  }
  const keys = async () => (await store.range({ key: '/registry/nodeportreservations/', end: '/registry/nodeportreservations0' })).count
  return { clock, api, keys, first: server(1), second: server(2) }
}

describe('node ports that several servers give out', () => {
  it('are never given twice, asked for by number', async () => {
    const { first, second, api, keys } = start()
    const one = await first('one', 30_001)
    await expect(second('two', 30_001)).rejects.toMatchObject({ message: expect.stringContaining('provided port is already allocated') })
    await api.client().create(Service, one.service)
    await one.commit!(one.service)
    expect(await keys()).toBe(0)
    await expect(second('two', 30_001), 'the other one has not seen the Service').rejects.toMatchObject({ code: 422 })
  })

  it('are never given twice, chosen by the servers', async () => {
    const { first, second, api } = start()
    const given = new Set<number>()
    for (let index = 0; index < 10; index++) {
      const { service, commit } = await (index % 2 === 0 ? first : second)(`service-${index}`)
      given.add(service.spec.ports![0]!.nodePort!)
      await api.client().create(Service, service)
      await commit!(service)
    }
    expect(given.size).toBe(10)
    await expect(first('more')).rejects.toThrow('range is full')
  })

  it('are free again when the write came to nothing', async () => {
    const { first, second, keys } = start()
    const one = await first('one', 30_001)
    await one.release!()
    expect(await keys()).toBe(0)
    expect((await second('two', 30_001)).service.spec.ports![0]!.nodePort).toBe(30_001)
  })

  it('are free again when the server ended in between', async () => {
    const { first, second, clock } = start()
    await first('one', 30_001)
    await clock.advance(61_000)
    expect((await second('two', 30_001)).service.spec.ports![0]!.nodePort).toBe(30_001)
  })
})
