import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base/random/random.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import { nodePorts } from './node-ports.ts'
import { addressAt, addressRange, candidates, contains } from './service-addresses.ts'

describe('a range of Service addresses', () => {
  it('begins after the address of the network and leaves out the broadcast address', () => {
    const range = addressRange('10.96.0.0/30')
    expect([...candidates(range, seededRandom(1))].sort()).toEqual(['10.96.0.1', '10.96.0.2'])
    expect(contains(range, '10.96.0.0')).toBe(false)
    expect(contains(range, '10.96.0.3')).toBe(false)
  })

  it('leaves its lower part for addresses that people choose, until the upper is full', () => {
    const given = [...candidates(addressRange('10.96.0.0/24'), seededRandom(7))]
    expect(new Set(given).size).toBe(254)
    const last = (address: string) => Number(address.split('.')[3])
    expect(Math.min(...given.slice(0, 238).map(last))).toBe(17)
    expect(Math.max(...given.slice(238).map(last))).toBe(16)
  })

  it('writes IPv6 addresses in their short form', () => {
    const range = addressRange('fd00:10:96::/112')
    expect(addressAt(range, 0n)).toBe('fd00:10:96::1')
    expect(addressAt(range, 0xfffen)).toBe('fd00:10:96::ffff')
    expect(contains(range, 'fd00:10:96:0:0:0:0:5')).toBe(true)
    expect(contains(range, '10.96.0.1')).toBe(false)
  })

  it.each(['10.96.0.0', '10.96.0.0/33', '300.1.1.1/8', 'fd00::/129', '1::2::3/64'])('refuses %s', cidr => {
    expect(() => addressRange(cidr)).toThrow('is no range of addresses')
  })
})

describe('node ports', () => {
  const service = (nodePort: number, protocol: 'TCP' | 'UDP') =>
    ({ spec: { ports: [{ port: 80, nodePort, protocol }] } }) as unknown as Service

  it('gives each port once for a protocol', () => {
    const ports = nodePorts('30000-30002', () => [service(30001, 'TCP')], seededRandom(1))
    expect([ports.take(['TCP']), ports.take(['TCP'])].sort()).toEqual([30000, 30002])
    expect(ports.take(['TCP'])).toBeUndefined()
    expect(ports.isFree(30001, 'UDP')).toBe(true)
  })

  it('has a port again once it was given back', () => {
    const ports = nodePorts('30000-30000', () => [], seededRandom(1))
    expect(ports.take(['TCP', 'UDP'])).toBe(30000)
    expect(ports.take(['UDP'])).toBeUndefined()
    ports.release(30000, 'UDP')
    expect(ports.take(['UDP'])).toBe(30000)
  })
})
