import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { allocate } from '../layout/allocation.ts'
import { layoutOf } from '../layout/layout.ts'
import { hostRules, planNetwork, type SeenNetwork } from './plan.ts'
import { raiseSysctls, restoreSysctls } from './sysctls.ts'

const nothing: SeenNetwork = { links: new Set(['lo', 'eth0']), netns: new Set() }
const layout = (nodes: number) => {
  const occupied = { networks: [], blocks: [], ids: [], apiPorts: [] }
  return layoutOf(allocate({ name: 'dev', nodes }, undefined, occupied), '/data')
}

describe('planNetwork', () => {
  it('makes a bridge, and a namespace with a link to it for every node', () => {
    const plan = planNetwork(layout(2), nothing)
    expect(plan.createNetns).toEqual(['t8s-dev-1', 't8s-dev-2'])
    expect(plan.machine).toContain('link add name t8s-dev address 02:74:38:73:00:00 type bridge')
    expect(plan.machine).toContain('link add t8s-dev-2 type veth peer name eth0 netns t8s-dev-2')
    expect(plan.nodes[0]?.commands).toContain('route replace 10.244.2.0/24 via 172.30.0.2')
    expect(plan.routes).toContain('route replace 10.244.1.0/24 via 172.30.0.1 dev t8s-dev')
  })

  it('makes nothing a second time', () => {
    const seen = { links: new Set(['t8s-dev', 't8s-dev-1', 't8s-dev-2']), netns: new Set(['t8s-dev-1', 't8s-dev-2']) }
    const plan = planNetwork(layout(2), seen)
    expect(plan.createNetns).toEqual([])
    expect(plan.removeLinks).toEqual([])
    expect(plan.machine.filter(command => command.startsWith('link add'))).toEqual([])
  })

  it('removes the nodes a cluster no longer has, and nothing of a cluster with a similar name', () => {
    const seen = {
      links: new Set(['t8s-dev', 't8s-dev-1', 't8s-dev-2', 't8s-dev2-1']),
      netns: new Set(['t8s-dev-1', 't8s-dev-2', 't8s-dev2-1', 'cni-1']),
    }
    const plan = planNetwork(layout(1), seen)
    expect(plan.removeNetns).toEqual(['t8s-dev-2'])
    expect(plan.removeLinks).toEqual(['t8s-dev-2'])
  })

  it('links a namespace anew when the old one is gone', () => {
    const plan = planNetwork(layout(1), { links: new Set(['t8s-dev', 't8s-dev-1']), netns: new Set() })
    expect(plan.removeLinks).toEqual(['t8s-dev-1'])
    expect(plan.machine.filter(command => /t8s-dev-1/.test(command))).toEqual([
      'link add t8s-dev-1 type veth peer name eth0 netns t8s-dev-1',
      'link set t8s-dev-1 master t8s-dev up',
    ])
  })
})

describe('hostRules', () => {
  it('hides only what leaves the cluster behind the machine', () => {
    expect(hostRules(layout(1), [])).toContain(
      'ip saddr { 172.30.0.0/24, 10.244.0.0/16 } ip daddr != { 172.30.0.0/24, 10.244.0.0/16, 10.96.0.0/16 } oifname != "t8s-dev" masquerade',
    )
  })
})

describe('hostRules for registries', () => {
  it('lead nodes, and no pods, to the loopback ports that were named', () => {
    expect(hostRules(layout(1), [5000])).toContain(
      'iifname "t8s-dev" ip saddr 172.30.0.0/24 ip daddr 172.30.0.254 tcp dport { 5000 } dnat to 127.0.0.1',
    )
    expect(hostRules(layout(1), [])).not.toContain('dnat')
  })
})

describe('sysctls', () => {
  const root = mkdtempSync(join(tmpdir(), 't8s-sysctls-'))
  afterAll(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'net'))
  const forward = join(root, 'net/forward')
  const needs = [{ name: 'net.forward', atLeast: 1 }]

  it('are raised where too low, remembered once, and put back', () => {
    writeFileSync(forward, '0\n')
    const first = raiseSysctls(needs, undefined, root)
    expect(readFileSync(forward, 'utf8')).toBe('1')
    const second = raiseSysctls(needs, first, root)
    expect(second.sysctls).toEqual({ 'net.forward': '0' })
    restoreSysctls(second, root)
    expect(readFileSync(forward, 'utf8')).toBe('0')
  })

  it('that are high enough, or that this kernel lacks, are left alone', () => {
    writeFileSync(forward, '2')
    expect(raiseSysctls([...needs, { name: 'net.absent', atLeast: 1 }], undefined, root).sysctls).toEqual({})
    expect(readFileSync(forward, 'utf8')).toBe('2')
  })

  it('remembered before a reboot count no more', () => {
    writeFileSync(forward, '1')
    restoreSysctls({ bootId: 'an earlier boot', sysctls: { 'net.forward': '0' }, mountedNetns: false }, root)
    expect(readFileSync(forward, 'utf8')).toBe('1')
  })
})
