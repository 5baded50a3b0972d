import { describe, expect, it } from 'vitest'
import { allocate, type Occupied } from './allocation.ts'

const nothing: Occupied = { networks: [], blocks: [], ids: [], apiPorts: [] }

describe('allocate', () => {
  it('gives a first cluster one node and the addresses people know', () => {
    expect(allocate({ name: 'default' }, undefined, nothing)).toMatchObject({
      id: 'default',
      bridge: 't8s-default',
      apiPort: 6443,
      podCidr: '10.244.0.0/16',
      serviceCidr: '10.96.0.0/16',
      dnsAddress: '10.96.0.10',
      hostAddress: '172.30.0.254',
      nodePortRange: '30000-32767',
      nodes: [{ number: 1, name: 'node-1', address: '172.30.0.1', podCidr: '10.244.1.0/24' }],
    })
  })

  it('keeps everything when asked again', () => {
    const first = allocate({ name: 'default', nodes: 3, simulatedNodes: 5 }, undefined, nothing)
    const busy: Occupied = { networks: ['172.30.0.0/24'], blocks: [0], ids: ['default'], apiPorts: [6443] }
    expect(allocate({ name: 'default' }, first, busy)).toEqual(first)
  })

  it('keeps how long history is until asked for another', () => {
    const hour = allocate({ name: 'default', historyMs: 3_600_000 }, undefined, nothing)
    expect(allocate({ name: 'default' }, hour, nothing).historyMs).toBe(3_600_000)
    expect(allocate({ name: 'default', historyMs: 60_000 }, hour, nothing).historyMs).toBe(60_000)
    expect(allocate({ name: 'default' }, undefined, nothing)).not.toHaveProperty('historyMs')
  })

  it('keeps the flags of the API server until asked for others', () => {
    const flagged = allocate({ name: 'default', apiServerFlags: ['audit-log-path=/a'] }, undefined, nothing)
    expect(allocate({ name: 'default' }, flagged, nothing).apiServerFlags).toEqual(['audit-log-path=/a'])
    expect(allocate({ name: 'default', apiServerFlags: [] }, flagged, nothing).apiServerFlags).toEqual([])
    expect(allocate({ name: 'default' }, undefined, nothing)).not.toHaveProperty('apiServerFlags')
  })

  it('keeps the nodes there are when nodes are added', () => {
    const one = allocate({ name: 'default' }, undefined, nothing)
    const three = allocate({ name: 'default', nodes: 3 }, one, nothing)
    expect(three.nodes.map(node => node.address)).toEqual(['172.30.0.1', '172.30.0.2', '172.30.0.3'])
    expect(three.nodes[0]).toEqual(one.nodes[0])
  })

  it('makes no real node when only simulated ones are asked for', () => {
    expect(allocate({ name: 'big', simulatedNodes: 1000 }, undefined, nothing)).toMatchObject({ nodes: [], simulatedNodes: 1000 })
  })

  it('gives a second cluster its own block, port and names', () => {
    const second = allocate({ name: 'dev' }, undefined, { networks: [], blocks: [0], ids: ['default'], apiPorts: [6443] })
    expect(second).toMatchObject({ block: 1, apiPort: 6444, podCidr: '10.245.0.0/16', nodePortRange: '27000-29767', bridge: 't8s-dev' })
  })

  it('steps around networks the machine already has routes to', () => {
    expect(allocate({ name: 'default' }, undefined, { ...nothing, networks: ['10.96.7.0/24', '0.0.0.0/0'] }).block).toBe(1)
  })

  it('says what to do when every block is in use', () => {
    expect(() => allocate({ name: 'default' }, undefined, { ...nothing, networks: ['10.0.0.0/8'] })).toThrow(
      /No block of addresses.*: .*t8s down/,
    )
  })

  it('keeps link names within 15 characters for any cluster name', () => {
    const long = allocate({ name: 'a-rather-long-name-of-a-cluster', nodes: 250 }, undefined, nothing)
    expect(long.id).toHaveLength(7)
    expect(`t8s-${long.id}-250`.length).toBeLessThanOrEqual(15)
    const twin = allocate({ name: 'a-rather-long-name-of-a-cluster' }, undefined, { ...nothing, ids: [long.id] })
    expect(twin.id).not.toBe(long.id)
  })

  it('names no cluster like a node of another', () => {
    expect(allocate({ name: 'dev-1' }, undefined, nothing).id).toMatch(/^dev[0-9a-f]{4}$/)
  })

  it.each(['Big', '-a', 'a/b', '../x', ''])('refuses the name "%s"', name => {
    expect(() => allocate({ name }, undefined, nothing)).toThrow(/cannot be the name/)
  })
})
