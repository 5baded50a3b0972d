import { describe, expect, it } from 'vitest'
import type { Node } from '#kinds/core/v1/node.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import type { Route } from '../../provider.ts'
import { AddressPool } from './address-pool.ts'
import type { LocalNetwork } from './local-network.ts'
import { type LocalMachine, localProvider } from './local-provider.ts'

/** A network in memory, which may fail after each change. */
class FakeNetwork implements LocalNetwork {
  readonly own: string[]
  readonly held = new Set<string>()
  table: Route[] = []

  constructor(...own: string[]) {
    this.own = own
  }

  addresses = async () => this.own
  routes = async () => this.table
  ownAddresses = async () => [...this.held]
  async setRoute(route: Route) {
    this.table = [...this.table.filter(({ cidr }) => cidr !== route.cidr), route]
  }
  async removeRoute({ cidr }: Route) {
    this.table = this.table.filter(one => one.cidr !== cidr)
  }
  async addAddress(address: string) {
    this.held.add(address)
  }
  async removeAddress(address: string) {
    this.held.delete(address)
  }
  readonly announced: string[] = []
  async announce(address: string) {
    this.announced.push(address)
  }
}

const service = (name: string, spec: object = {}, ips: readonly string[] = []) =>
  ({
    metadata: { name, namespace: 'default', uid: name },
    spec: { type: 'LoadBalancer', ipFamilies: ['IPv4'], ...spec },
    status: { loadBalancer: ips.length > 0 ? { ingress: ips.map(ip => ({ ip })) } : {} },
  }) as unknown as Service
const node = (name: string, providerID = '') => ({ metadata: { name }, spec: { providerID }, status: { addresses: [] } }) as unknown as Node

function place(machines?: readonly LocalMachine[]) {
  const services: Service[] = []
  const networks = [new FakeNetwork('192.0.2.254'), new FakeNetwork('192.0.2.1'), new FakeNetwork('192.0.2.2')]
  const pool = ['192.0.2.200-192.0.2.201', '2001:db8::10/126']
  const start = () =>
    localProvider({
      place: () => ({ machines, pool, link: 'br' }),
      idPrefix: 'local://site',
      networks,
      services: () => services,
      announces: true,
    })
  return { services, networks, machine: networks[0]!, start, ...start() }
}

describe('a pool of addresses', () => {
  it('reads ranges, networks and single addresses, and refuses what is none', () => {
    const pool = new AddressPool(['192.0.2.9', '192.0.2.4-192.0.2.5', '2001:db8::/127'])
    expect([pool.includes('192.0.2.5'), pool.includes('192.0.2.6'), pool.includes('2001:db8::1')]).toEqual([true, false, true])
    expect(pool.free('IPv4', new Set(['192.0.2.9']))).toBe('192.0.2.4')
    expect(pool.free('IPv6', new Set(['2001:db8::']))).toBe('2001:db8::1')
    for (const wrong of ['192.0.2', '192.0.2.5-192.0.2.4', '192.0.2.1-2001:db8::1', '192.0.2.0/40'])
      expect(() => new AddressPool([wrong])).toThrow()
  })
})

describe('the local provider', () => {
  it('gives Services addresses that this machine then has, one of each family', async () => {
    const { loadBalancers, machine } = place()
    expect(await loadBalancers!.ensure(service('a'), [])).toEqual({ ingress: [{ ip: '192.0.2.200', ipMode: 'VIP' }] })
    const both = await loadBalancers!.ensure(service('b', { ipFamilies: ['IPv6', 'IPv4'] }), [])
    expect(both.ingress!.map(({ ip }) => ip)).toEqual(['2001:db8::10', '192.0.2.201'])
    expect([...machine.held]).toEqual(['192.0.2.200', '2001:db8::10', '192.0.2.201'])
  })

  it('gives the same again when asked again, before and after the status says so, and by another process', async () => {
    const { loadBalancers, services, start } = place()
    await loadBalancers!.ensure(service('a'), [])
    expect((await loadBalancers!.ensure(service('a'), [])).ingress![0]!.ip).toBe('192.0.2.200')
    services.push(service('a', {}, ['192.0.2.200']))
    const other = start().loadBalancers!
    expect((await other.ensure(service('a', {}, ['192.0.2.200']), [])).ingress![0]!.ip).toBe('192.0.2.200')
    expect((await other.ensure(service('b'), [])).ingress![0]!.ip).toBe('192.0.2.201')
  })

  it('gives no address twice, and says when there is none left', async () => {
    const { loadBalancers } = place()
    await loadBalancers!.ensure(service('a'), [])
    await loadBalancers!.ensure(service('b'), [])
    await expect(loadBalancers!.ensure(service('c'), [])).rejects.toThrow('no IPv4 address is free in the pool')
    await loadBalancers!.delete(service('a'))
    expect((await loadBalancers!.ensure(service('c'), [])).ingress![0]!.ip).toBe('192.0.2.200')
  })

  it('gives the address that is asked for, or says why not', async () => {
    const { loadBalancers } = place()
    expect((await loadBalancers!.ensure(service('a', { loadBalancerIP: '192.0.2.201' }), [])).ingress![0]!.ip).toBe('192.0.2.201')
    await expect(loadBalancers!.ensure(service('b', { loadBalancerIP: '192.0.2.201' }), [])).rejects.toThrow("is another Service's")
    await expect(loadBalancers!.ensure(service('b', { loadBalancerIP: '192.0.2.9' }), [])).rejects.toThrow('is not of the pool')
  })

  it('tells the other machines of an address once, and again when another process has taken over', async () => {
    const { loadBalancers, machine, start } = place()
    for (let times = 0; times < 3; times++) await loadBalancers!.ensure(service('a'), [])
    expect(machine.announced).toEqual(['192.0.2.200'])
    await start().loadBalancers!.ensure(service('a', {}, ['192.0.2.200']), [])
    expect(machine.announced).toEqual(['192.0.2.200', '192.0.2.200'])
  })

  it('lets go of all its addresses, and of no others, when another machine leads', async () => {
    const { loadBalancers, machine, start } = place()
    machine.held.add('192.0.2.9')
    await loadBalancers!.ensure(service('a'), [])
    await start().standBy!()
    expect([...machine.held]).toEqual(['192.0.2.9'])
  })

  it('gives up addresses that were left by who ended between two steps, and touches no others', async () => {
    const { loadBalancers, machine } = place()
    for (const address of ['192.0.2.201', '192.0.2.9']) machine.held.add(address)
    await loadBalancers!.ensure(service('a'), [])
    expect([...machine.held].sort()).toEqual(['192.0.2.200', '192.0.2.9'])
  })

  it('knows machines by a list, and misses none without one', async () => {
    const { instances, zones } = place([{ name: 'n1', addresses: ['192.0.2.1'], zone: 'rack', region: 'home' }])
    expect(await instances!.exists(node('n1'))).toBe(true)
    expect(await instances!.exists(node('n2', 'local://site/n2'))).toBe(false)
    expect(await instances!.exists(node('n2'))).toBe(true)
    expect(await instances!.exists(node('n2', 'other://n2'))).toBe(true)
    expect(await instances!.describe(node('n1'))).toMatchObject({
      providerID: 'local://site/n1',
      addresses: [
        { type: 'InternalIP', address: '192.0.2.1' },
        { type: 'Hostname', address: 'n1' },
      ],
    })
    expect(await zones!.of(node('n1'))).toEqual({ zone: 'rack', region: 'home' })
    expect(await place().instances!.exists(node('any'))).toBe(true)
  })

  it('sets routes on every machine but the one whose pods they lead to, and sees where one is missing', async () => {
    const { routes, networks } = place()
    const route = { cidr: '10.244.1.0/24', address: '192.0.2.1' }
    await routes!.create(route)
    expect(networks.map(({ table }) => table.length)).toEqual([1, 0, 1])
    expect(await routes!.list()).toEqual([route])
    networks[2]!.table = []
    expect(await routes!.list()).toEqual([{ ...route, isPartial: true }])
    await routes!.delete(route)
    expect(await routes!.list()).toEqual([])
  })
})
