import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { podInfo } from '../cache/pod-info.ts'
import type { ClusterEvent, Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import { EXTENSION_POINTS, type PluginNames, profileOf } from '../framework/profile.ts'
import { prioritySort } from '../plugins/priority-sort.ts'
import { schedulingGates } from '../plugins/scheduling-gates.ts'
import { type Parts, pod, stored } from '../scheduler.fixture.ts'
import { schedulingQueue } from './scheduling-queue.ts'

const picky: SchedulerPlugin = {
  name: 'Picky',
  wakesOn: ['node added', { event: 'pod removed', helps: (_pod, { pod: gone }) => gone?.metadata.name === 'large' }],
  filter: () => undefined,
}
const refused: Refusal = { plugin: 'Picky', code: 'unschedulable', reasons: ['no'] }
const of = (name: string, spec: Parts = {}) => stored<Pod>(Pod, pod(name, spec))

function queueOf() {
  const clock = virtualClock()
  const held = new Set<string>()
  const holding: SchedulerPlugin = {
    name: 'Holding',
    preEnqueue: ({ metadata }) =>
      held.has(metadata.name ?? '') ? { plugin: 'Holding', code: 'unresolvable', reasons: ['held'] } : undefined,
  }
  const plugins = new Map([picky, holding, prioritySort(), schedulingGates()].map(plugin => [plugin.name, plugin]))
  const names = Object.fromEntries(EXTENSION_POINTS.map(point => [point, [...plugins.keys()]])) as unknown as PluginNames
  const profile = profileOf({ schedulerName: 's', weights: {}, percentageOfNodesToScore: 0 }, plugins, names)
  const queue = schedulingQueue({ clock, profiles: [profile], profileOf: () => profile, ready() {} })
  const pop = () => queue.pop()?.pod.metadata.name
  const refuse = (name: string) => queue.refused(podInfo(of(name)), [refused])
  const happened = (event: ClusterEvent, about?: string) => queue.happened({ event, ...(about ? { pod: of(about) } : {}) })
  return { clock, queue, pop, refuse, happened, held }
}

describe('the queue', () => {
  it('gives the most important pod first, and among equals the one that waits longest', async () => {
    const { clock, queue, pop } = queueOf()
    for (const [name, priority] of [
      ['a', 1],
      ['b', 5],
      ['c', 5],
    ] as const) {
      queue.put(of(name, { priority }))
      await clock.advance(1)
    }
    expect([pop(), pop(), pop(), pop()]).toEqual(['b', 'c', 'a', undefined])
    queue[Symbol.dispose]()
  })

  it('brings a refused pod back after an event that may help, and after no other', async () => {
    const { clock, queue, pop, refuse, happened } = queueOf()
    queue.put(of('p'))
    pop()
    refuse('p')
    happened('node removed')
    happened('pod removed', 'small')
    await clock.advance(5_000)
    expect([pop(), queue.sizes().unschedulable]).toEqual([undefined, 1])
    happened('pod removed', 'large')
    expect(pop()).toBe('p')
    queue[Symbol.dispose]()
  })

  it('lets a pod that was tried lately wait, unless no other is to be tried (KEP-5142)', async () => {
    const { clock, queue, pop, refuse, happened } = queueOf()
    for (const [name, priority] of [
      ['p', 1],
      ['q', 5],
    ] as const) {
      queue.put(of(name, { priority }))
      pop()
      refuse(name)
    }
    happened('node added')
    queue.put(of('new'))
    expect(queue.sizes()).toMatchObject({ active: 1, backoff: 2 })
    expect([pop(), pop(), pop(), pop()]).toEqual(['new', 'q', 'p', undefined])
    refuse('p')
    happened('node added')
    queue.put(of('late'))
    await clock.advance(2_000)
    expect(queue.sizes()).toMatchObject({ active: 2, backoff: 0 })
    expect([pop(), pop()]).toEqual(['p', 'late'])
    queue[Symbol.dispose]()
  })

  it('tries a pod at once that somebody activates', () => {
    const { queue, pop, refuse } = queueOf()
    queue.put(of('p'))
    pop()
    refuse('p')
    queue.activate('uid-p')
    queue.activate('uid-p')
    expect([queue.sizes().active, pop(), pop()]).toEqual([1, 'p', undefined])
    queue.activate('uid-p')
    refuse('p')
    expect(queue.sizes().backoff).toBe(1)
    queue[Symbol.dispose]()
  })

  it('keeps a pod out that was refused and that a plugin holds, until the plugin lets it go', () => {
    const { queue, pop, refuse, happened, held } = queueOf()
    queue.put(of('p'))
    pop()
    held.add('p')
    refuse('p')
    happened('node added')
    expect([pop(), queue.sizes().unschedulable]).toEqual([undefined, 1])
    held.clear()
    happened('node added')
    expect(pop()).toBe('p')
    queue[Symbol.dispose]()
  })

  it('loses no event that comes while a pod is being tried', async () => {
    const { clock, queue, pop, refuse, happened } = queueOf()
    queue.put(of('p'))
    pop()
    happened('node added')
    refuse('p')
    await clock.advance(1_000)
    expect(pop()).toBe('p')
    queue[Symbol.dispose]()
  })

  it('tries a pod regardless after five minutes', async () => {
    const { clock, queue, pop, refuse } = queueOf()
    queue.put(of('p'))
    pop()
    refuse('p')
    await clock.advance(5 * 60_000 - 1)
    expect(pop()).toBeUndefined()
    await clock.advance(1)
    expect(pop()).toBe('p')
    queue[Symbol.dispose]()
  })

  it('doubles the backoff up to ten seconds', async () => {
    const { clock, queue, pop } = queueOf()
    queue.put(of('p'))
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      expect(pop()).toBe('p')
      queue.failed(podInfo(of('p')))
      await clock.advance(seconds * 1000 - 1)
      expect(pop()).toBeUndefined()
      await clock.advance(1)
    }
    queue[Symbol.dispose]()
  })

  it('keeps gated pods out until their gates are gone, and forgets pods that are', () => {
    const { queue, pop, clock } = queueOf()
    queue.put(of('p', { schedulingGates: [{ name: 'g' }] }))
    expect([pop(), queue.sizes().gated]).toEqual([undefined, 1])
    queue.put(of('p'))
    queue.put(of('q'))
    queue.remove('uid-q')
    expect([pop(), pop()]).toEqual(['p', undefined])
    queue[Symbol.dispose]()
    expect(clock.pending()).toBe(0)
  })
})
