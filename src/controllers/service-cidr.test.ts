import { describe, expect, it } from 'vitest'
import { IPAddress } from '#kinds/networking/v1/ip-address.ts'
import { ServiceCIDR } from '#kinds/networking/v1/service-cidr.ts'
import { testCluster } from './runtime/test-cluster.ts'
import { serviceCidrController } from './service-cidr.ts'

const range = (name: string, cidr: string) => ({ metadata: { name }, spec: { cidrs: [cidr] } })

describe('service-cidr-controller', () => {
  it('makes a range ready and keeps it as long as an address needs it', async () => {
    await using cluster = testCluster([serviceCidrController])
    const client = cluster.api.client()
    await client.create(ServiceCIDR, range('extra', '10.200.0.0/24'))
    await cluster.settle()
    const ready = () => cluster.api.find(ServiceCIDR, 'extra', '')?.status.conditions?.[0]
    expect(ready()).toMatchObject({ type: 'Ready', status: 'True' })
    cluster.api.put(IPAddress, { metadata: { name: '10.200.0.7' }, spec: {} })
    await cluster.settle()
    await client.delete(ServiceCIDR, { name: 'extra' })
    await cluster.settle()
    expect(ready()).toMatchObject({ status: 'False', reason: 'Terminating' })
    cluster.api.remove(IPAddress, '10.200.0.7', '')
    await cluster.settle()
    expect(cluster.api.find(ServiceCIDR, 'extra', '')).toBeUndefined()
  })

  it('lets a range go that another one covers', async () => {
    await using cluster = testCluster([serviceCidrController])
    const client = cluster.api.client()
    await client.create(ServiceCIDR, range('extra', '10.200.0.0/24'))
    await client.create(ServiceCIDR, range('wide', '10.200.0.0/16'))
    cluster.api.put(IPAddress, { metadata: { name: '10.200.0.7' }, spec: {} })
    await cluster.settle()
    await client.delete(ServiceCIDR, { name: 'extra' })
    await cluster.settle()
    expect(cluster.api.find(ServiceCIDR, 'extra', '')).toBeUndefined()
  })
})
