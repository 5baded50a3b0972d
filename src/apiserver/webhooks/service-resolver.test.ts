import { describe, expect, it } from 'vitest'
import { seededRandom } from '#base/random/random.ts'
import type { Informers } from '#client/informers/informer.ts'
import { serviceResolver } from './service-resolver.ts'

type Some = Readonly<Record<string, unknown>>

const slice = (ports: readonly Some[], endpoints: readonly Some[], addressType = 'IPv4') => ({ addressType, ports, endpoints })
const ready = (...addresses: string[]) => ({ addresses, conditions: {} })

/** A resolver that knows one Service `shop/hook` and the slices behind it. */
function resolver(spec: Some | undefined, slices: readonly object[]) {
  const service = spec && { metadata: { name: 'hook', namespace: 'shop' }, spec }
  const cache = {
    get: (namespace: string, name: string) => (namespace === 'shop' && name === 'hook' ? service : undefined),
    addIndex() {},
    byIndex: (_: string, key: string) => (key === 'shop/hook' ? slices : []),
  }
  return serviceResolver(() => ({ of: () => cache }) as unknown as Informers, seededRandom(1))
}

const SERVICE = { type: 'ClusterIP', ports: [{ name: 'https', port: 443, targetPort: 8443 }] }

describe('a Service is resolved', () => {
  it('to the addresses and target ports of those behind it that are ready', () => {
    const slices = [
      slice(
        [{ name: 'https', port: 8443 }],
        [ready('10.1.0.1'), ready('10.1.0.2'), { addresses: ['10.1.0.3'], conditions: { ready: false } }],
      ),
      slice([{ name: 'metrics', port: 9090 }], [ready('10.1.0.4')]),
    ]
    const found = resolver(SERVICE, slices)
    const hosts = new Set(Array.from({ length: 50 }, () => found.resolve('shop', 'hook', 443)).map(({ host, port }) => `${host}:${port}`))
    expect([...hosts].sort()).toEqual(['10.1.0.1:8443', '10.1.0.2:8443'])
  })

  it('to its own name elsewhere, if it is but a name', () => {
    const found = resolver({ type: 'ExternalName', externalName: 'hooks.example.com' }, [])
    expect(found.resolve('shop', 'hook', 8443)).toEqual({ host: 'hooks.example.com', port: 8443 })
  })

  it('to nobody while nobody is ready, the port is another, or it is not there', () => {
    const found = resolver(SERVICE, [slice([{ name: 'https', port: 8443 }], [{ addresses: ['10.1.0.3'], conditions: { ready: false } }])])
    expect(() => found.resolve('shop', 'hook', 443)).toThrow('no endpoints available for service "hook"')
    expect(() => found.resolve('shop', 'hook', 80)).toThrow('no service port 80 found for service "hook"')
    expect(() => found.resolve('shop', 'other', 443)).toThrow('service "other" not found')
  })
})
