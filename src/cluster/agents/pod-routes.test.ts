import { describe, expect, it } from 'vitest'
import type { Node } from '#kinds/core/v1/node.ts'
import { planRoutes, wantedRoutes } from './pod-routes.ts'

const node = (name: string, address: string, ...podCIDRs: string[]) =>
  ({
    metadata: { name },
    spec: { podCIDR: podCIDRs[0], podCIDRs },
    status: { addresses: [{ type: 'Hostname', address: name }, ...(address ? [{ type: 'InternalIP', address }] : [])] },
  }) as unknown as Node

describe('routes to the pods of other nodes', () => {
  const nodes = [
    node('a', '10.0.0.1', '10.244.0.0/24'),
    node('b', '10.0.0.2', 'fd00::/64', '10.244.1.0/24'),
    node('c', '', '10.244.2.0/24'),
  ]

  it('lead to each node that has addresses, and not to oneself', () => {
    expect(wantedRoutes(nodes, 'a')).toEqual([{ to: '10.244.1.0/24', via: '10.0.0.2' }])
    expect(wantedRoutes([...nodes, node('d', '10.0.0.4')], 'b')).toEqual([{ to: '10.244.0.0/24', via: '10.0.0.1' }])
  })

  it('are changed only where they differ, and removed with their node', () => {
    const wanted = [
      { to: '10.244.1.0/24', via: '10.0.0.2' },
      { to: '10.244.2.0/24', via: '10.0.0.3' },
    ]
    const present = [
      { to: '10.244.1.0/24', via: '10.0.0.2' },
      { to: '10.244.2.0/24', via: '10.0.0.9' },
      { to: '10.244.7.0/24', via: '10.0.0.7' },
    ]
    expect(planRoutes(wanted, present)).toEqual(['route del 10.244.7.0/24 proto 84', 'route replace 10.244.2.0/24 via 10.0.0.3 proto 84'])
    expect(planRoutes(wanted, wanted)).toEqual([])
  })
})
