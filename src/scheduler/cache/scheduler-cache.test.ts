import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { node, pod, stored } from '../scheduler.fixture.ts'
import { podInfo } from './pod-info.ts'
import { CPU } from './resource-slots.ts'
import { schedulerCache } from './scheduler-cache.ts'

const apps = ['web', 'db']
const zones = ['z1', 'z2', undefined]
const term = (app: string) => ({ labelSelector: { matchLabels: { app } }, topologyKey: 'zone' })
const podOf = (name: string, app: string, nodeName: string) =>
  stored<Pod>(
    Pod,
    pod(name, { nodeName, affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(app)] } } }, { app }),
  )
const nodeOf = (name: string, zone: string | undefined) => stored<Node>(Node, node(name, { labels: zone ? { zone } : {} }))

const step = fc.oneof(
  fc.record({ do: fc.constant('node' as const), name: fc.constantFrom('n1', 'n2', 'n3'), zone: fc.constantFrom(...zones) }),
  fc.record({ do: fc.constant('no node' as const), name: fc.constantFrom('n1', 'n2', 'n3') }),
  fc.record({
    do: fc.constant('pod' as const),
    name: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5'),
    app: fc.constantFrom(...apps),
    node: fc.constantFrom('n1', 'n2', 'n3'),
  }),
  fc.record({ do: fc.constant('no pod' as const), name: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5') }),
  fc.record({ do: fc.constant('ask' as const), app: fc.constantFrom(...apps) }),
)

describe('tallies', () => {
  it('say at any time what counting all pods anew would say', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const cache = schedulerCache()
        const pods = new Map<string, Pod>()
        const nodes = new Map<string, string | undefined>()
        const check = (app: string) => {
          const selector = LabelSelector.ofLabels({ app })
          const expected = new Map<string, number>()
          for (const { metadata, spec } of pods.values()) {
            const zone = nodes.get(spec.nodeName!)
            if (metadata.labels?.['app'] === app && zone !== undefined) expected.set(zone, (expected.get(zone) ?? 0) + 1)
          }
          const domains = cache.tallies.selected('a', selector).domains('zone')
          expect(domains.counts).toEqual(expected)
          expect(domains.lowest()).toBe(expected.size > 0 ? Math.min(...expected.values()) : undefined)
          const ofNodes = cache.topology.numbered('zone').ofNodes(cache.nodes)
          for (const { labels, place } of cache.nodes)
            expect(domains.byNumber[ofNodes[place]!] ?? 0).toBe(expected.get(labels['zone'] ?? 'none') ?? 0)
          const asker = podInfo(stored<Pod>(Pod, pod('asker', {}, { app })))
          const around = cache.tallies.about(asker, 'antiAffinity').map(({ tally }) => tally.domains('zone').counts)
          const hasAny = [...pods.values()].some(one => one.metadata.labels?.['app'] === app)
          expect(around).toEqual(hasAny ? [expected] : [])
        }
        for (const one of steps) {
          if (one.do === 'node') {
            cache.setNode(nodeOf(one.name, one.zone))
            nodes.set(one.name, one.zone)
          } else if (one.do === 'no node') {
            cache.removeNode(one.name)
            nodes.delete(one.name)
          } else if (one.do === 'pod') {
            const bound = podOf(one.name, one.app, one.node)
            cache.setPod(bound)
            pods.set(one.name, bound)
          } else if (one.do === 'no pod') {
            const known = pods.get(one.name)
            if (known) cache.removePod(known)
            pods.delete(one.name)
          } else check(one.app)
        }
        for (const app of apps) check(app)
      }),
    )
  })

  it('go round the zones', () => {
    const cache = schedulerCache()
    const zone = 'topology.kubernetes.io/zone'
    for (const [name, value] of [
      ['n1', 'a'],
      ['n2', 'a'],
      ['n3', 'a'],
      ['n4', 'b'],
      ['n5', 'c'],
    ] as const) {
      cache.setNode(stored(Node, node(name, { labels: { [zone]: value } })))
    }
    expect(cache.nodes.map(({ name }) => name)).toEqual(['n1', 'n4', 'n5', 'n2', 'n3'])
  })
})

describe('a pod of the cache', () => {
  const container = (cpu: string) => ({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] })
  const holding = (cpu: string) => ({
    containerStatuses: [
      { name: 'c', ready: true, restartCount: 0, image: 'i', imageID: '', allocatedResources: { cpu }, resources: { requests: { cpu } } },
    ],
  })
  const bound = (cpu: string, status: object) => stored<Pod>(Pod, { ...pod('p', { nodeName: 'n1', ...container(cpu) }), status })

  it('is counted again only if what it holds is another amount', () => {
    const cache = schedulerCache()
    const n1 = cache.setNode(nodeOf('n1', undefined))
    cache.setPod(bound('1', {}))
    const { version } = n1
    cache.setPod(bound('1', holding('1')))
    expect(n1.version).toBe(version)
    const held = (requested: string, now: string) => {
      cache.setPod(bound(requested, holding(now)))
      return n1.requested[CPU]
    }
    expect([held('1', '3'), held('1', '1'), held('2', '1'), held('2', '2')]).toEqual([3000, 1000, 2000, 2000])
  })
})
