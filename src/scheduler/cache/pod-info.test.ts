import { describe, expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { type Parts, pod, stored } from '../scheduler.fixture.ts'
import { podInfo } from './pod-info.ts'
import { CPU, MEMORY, PODS, resourceOf } from './resource-slots.ts'

const container = (name: string, requests: Parts, more: Parts = {}) => ({ name, image: 'i', resources: { requests }, ...more })
const infoOf = (spec: Parts, status: Parts = {}) => podInfo(stored<Pod>(Pod, { ...pod('p', spec), status }))
const amounts = (spec: Parts, status: Parts = {}) => {
  const { requests, requestedSlots } = infoOf(spec, status)
  return Object.fromEntries(requestedSlots.filter(slot => slot !== PODS).map(slot => [resourceOf(slot), requests[slot]]))
}

describe('what a pod requests of a node', () => {
  it.each<[string, Parts, Parts]>([
    [
      'the sum of its containers',
      { containers: [container('a', { cpu: '1' }), container('b', { cpu: '500m', memory: '1Ki' })] },
      { cpu: 1500, memory: 1024 },
    ],
    [
      'what a starting container needs, if that is more',
      { containers: [container('a', { cpu: '1' })], initContainers: [container('i', { cpu: '2' })] },
      { cpu: 2000 },
    ],
    [
      'sidecars beside all that follow',
      {
        containers: [container('a', { cpu: '1' })],
        initContainers: [container('s', { cpu: '1' }, { restartPolicy: 'Always' }), container('i', { cpu: '500m' })],
      },
      { cpu: 2000 },
    ],
    [
      'the amounts for the pod as a whole',
      { containers: [container('a', { cpu: '1' })], resources: { requests: { cpu: '3' } } },
      { cpu: 3000 },
    ],
    ['the overhead of its runtime', { containers: [container('a', { cpu: '1' })], overhead: { cpu: '250m' } }, { cpu: 1250 }],
    ['extended resources', { containers: [container('a', { 'example.com/gpu': '2' })] }, { 'example.com/gpu': 2 }],
  ])('is %s', (_what, spec, expected) => expect(amounts(spec)).toEqual(expected))

  it('is the larger of before and after while it is resized', () => {
    const spec = (cpu: string) => ({ nodeName: 'n1', containers: [container('a', { cpu })] })
    const holding = (cpu: string) => ({
      containerStatuses: [{ name: 'a', ready: true, restartCount: 0, image: 'i', imageID: '', allocatedResources: { cpu } }],
    })
    expect(amounts(spec('1'), holding('3'))).toEqual({ cpu: 3000 })
    expect(amounts(spec('4'), holding('3'))).toEqual({ cpu: 4000 })
  })

  it('counts in scores as a little, where a container says nothing', () => {
    const { scoredCpu, scoredMemory, requests } = infoOf({ containers: [container('a', {}), container('b', { cpu: '1', memory: '1Ki' })] })
    expect([scoredCpu, scoredMemory]).toEqual([1100, 1024 + 200 * 1024 * 1024])
    expect([requests[CPU], requests[MEMORY]]).toEqual([1000, 1024])
  })
})
