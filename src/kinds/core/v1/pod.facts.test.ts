import { describe, expect, it } from 'vitest'
import { stored } from '../../stored.fixture.ts'
import * as facts from './pod.facts.ts'
import { Pod } from './pod.ts'

const podOf = (spec: object, status: object = {}) =>
  stored(Pod, { metadata: { name: 'p' }, spec: spec as Pod['spec'], status: status as Pod['status'] })

const container = (requests?: object, limits?: object, more: object = {}) => ({
  name: 'c',
  image: 'i',
  resources: { ...(requests && { requests }), ...(limits && { limits }) },
  ...more,
})

describe('what a pod asks for', () => {
  it('is the sum of its containers, cpu in thousandths', () => {
    const pod = podOf({ containers: [container({ cpu: '100m', memory: '1Ki' }), container({ cpu: '1' })] })
    expect(facts.requestsOf(pod)).toEqual({ cpu: 1100, memory: 1024 })
  })

  it('is what the greediest init container needs, if that is more', () => {
    const pod = podOf({
      containers: [container({ cpu: '1', memory: '1' })],
      initContainers: [container({ cpu: '3' }), container({ cpu: '2' })],
    })
    expect(facts.requestsOf(pod)).toEqual({ cpu: 3000, memory: 1 })
  })

  it('counts sidecars with the containers and with the init containers that follow them', () => {
    const initContainers = [
      container({ cpu: '4' }),
      container({ cpu: '1' }, undefined, { restartPolicy: 'Always' }),
      container({ cpu: '5' }),
    ]
    expect(facts.requestsOf(podOf({ containers: [container({ cpu: '2' })], initContainers }))).toEqual({ cpu: 6000 })
  })

  it('adds the overhead, and prefers what is said of the pod as a whole', () => {
    const pod = podOf({
      containers: [container({ cpu: '1', memory: '10' })],
      resources: { requests: { cpu: '500m' } },
      overhead: { cpu: '50m' },
    })
    expect(facts.requestsOf(pod)).toEqual({ cpu: 550, memory: 10 })
  })
})

describe('the QoS class', () => {
  const cases: [string, object[], string][] = [
    ['nothing is asked for', [container()], 'BestEffort'],
    ['only zero is asked for', [container({ cpu: '0' })], 'BestEffort'],
    ['every container has limits for cpu and memory', [container(undefined, { cpu: '1', memory: '1Gi' })], 'Guaranteed'],
    ['one container has no limit', [container(undefined, { cpu: '1', memory: '1Gi' }), container()], 'Burstable'],
    ['less is requested than the limit', [container({ cpu: '1', memory: '1' }, { cpu: '2', memory: '1' })], 'Burstable'],
    ['equal amounts are written differently', [container({ cpu: '1000m', memory: '1024' }, { cpu: '1', memory: '1Ki' })], 'Guaranteed'],
  ]
  for (const [when, containers, expected] of cases) {
    it(`is ${expected} when ${when}`, () => expect(facts.qosClassOf(podOf({ containers }))).toBe(expected))
  }
})

describe('readiness', () => {
  it('is available once it has been ready for long enough', () => {
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }]
    const pod = podOf({ containers: [] }, { conditions })
    expect(facts.isAvailable(pod, 10, Date.parse('2026-01-01T00:00:09Z'))).toBe(false)
    expect(facts.isAvailable(pod, 10, Date.parse('2026-01-01T00:00:10Z'))).toBe(true)
    expect(facts.isAvailable(pod, 0, 0)).toBe(true)
  })
})
