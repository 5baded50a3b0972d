import { describe, expect, it } from 'vitest'
import type { Node } from '#kinds/core/v1/node.ts'
import { equal } from '#machinery/kind/draft.ts'
import { pressuresOf } from '../eviction/eviction.plan.ts'
import { isNews, type NodeFacts, planNodeStatus } from './node-status.plan.ts'

const facts: NodeFacts = {
  nodeName: 'n1',
  nodeIPs: ['172.30.0.1'],
  machine: {
    cpus: 2,
    memoryBytes: 4 * 1024 * 1024,
    ephemeralStorageBytes: 8 * 1024 * 1024,
    machineID: 'm',
    systemUUID: 's',
    bootID: 'b',
    kernelVersion: '6.1',
    osImage: 'Debian',
    architecture: 'amd64',
  },
  maxPods: 110,
  reserved: { cpu: '500m', memory: '1Mi' },
  capacity: {},
  kubeletVersion: 'v1.36.2',
  serverPort: 10250,
  runtimeVersion: { runtimeName: 'containerd', runtimeVersion: '1.6' },
  runtimeConditions: ['RuntimeReady', 'NetworkReady'].map(type => ({ type, status: true, reason: '', message: '' })),
  runtimeError: undefined,
  images: [],
  pressures: { memory: false, disk: false, pids: false },
  now: Date.UTC(2026, 0, 1),
}
const nodeWith = (status: Node['status']): Node => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: {}, status })
const ready = (more: Partial<NodeFacts>) =>
  planNodeStatus({ ...facts, ...more }, undefined).conditions?.find(({ type }) => type === 'Ready')

describe('the status of a node', () => {
  it('keeps back what is reserved', () => {
    const { capacity, allocatable } = planNodeStatus(facts, undefined)
    expect(capacity).toMatchObject({ cpu: '2', memory: '4096Ki', pods: '110' })
    expect(allocatable).toMatchObject({ cpu: '1500m', memory: '3Mi', pods: '110' })
  })

  it('is Ready when the runtime and its network are', () => {
    expect(ready({})).toMatchObject({ status: 'True', reason: 'KubeletReady' })
    const down = { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: 'cni plugin not initialized' }
    expect(ready({ runtimeConditions: [facts.runtimeConditions[0]!, down] })?.message).toBe(
      'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized',
    )
    expect(ready({ runtimeError: 'gone' })).toMatchObject({ status: 'False', message: 'container runtime is down: gone' })
  })

  it('keeps the time of a condition that has not changed, and conditions of others', () => {
    const first = planNodeStatus(facts, undefined)
    const foreign = { type: 'NetworkUnavailable', status: 'False' as const, lastHeartbeatTime: null, lastTransitionTime: null }
    const old = nodeWith({ ...first, conditions: [foreign, ...first.conditions!] })
    const later = planNodeStatus({ ...facts, now: facts.now + 60_000, pressures: { ...facts.pressures, disk: true } }, old)
    expect(later.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ['NetworkUnavailable', null],
      ['MemoryPressure', '2026-01-01T00:00:00Z'],
      ['DiskPressure', '2026-01-01T00:01:00Z'],
      ['PIDPressure', '2026-01-01T00:00:00Z'],
      ['Ready', '2026-01-01T00:00:00Z'],
    ])
  })

  it('tells of the features that others have to know of', () => {
    const first = planNodeStatus(facts, undefined)
    const declaring = planNodeStatus({ ...facts, declaredFeatures: ['B', 'A'] }, undefined)
    expect([first.declaredFeatures, declaring.declaredFeatures, isNews(declaring, first, equal)]).toEqual([undefined, ['A', 'B'], true])
  })

  it('is no news when only time has passed', () => {
    const first = planNodeStatus(facts, undefined)
    expect(isNews(planNodeStatus({ ...facts, now: facts.now + 1000 }, nodeWith(first)), first, equal)).toBe(false)
    expect(isNews(planNodeStatus({ ...facts, maxPods: 5 }, nodeWith(first)), first, equal)).toBe(true)
  })
})

it('a node is short of what falls below its threshold', () => {
  const usage = { memoryAvailableBytes: 50, diskAvailableBytes: 5, inodesFree: 9999, processes: 10, processLimit: 1000 }
  const thresholds = { memoryAvailableBytes: 100, diskAvailableShare: 0.1, inodesFree: 1000, pidsFree: 100 }
  expect(pressuresOf(usage, 100, thresholds)).toEqual({ memory: true, disk: true, pids: false })
})
