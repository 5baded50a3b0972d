import { describe, expect, it } from 'vitest'
import type { EndpointView } from './objects.ts'
import { type EndpointParts, type SpecParts, serviceOf, sliceOf } from './proxy.fixture.ts'
import { readyHere, rulesOf } from './rules.ts'

const here = { nodeName: 'n1', zone: 'a' }
const addresses = (backends: readonly { address: string; port: number }[]) => backends.map(({ address, port }) => `${address}:${port}`)
const onNode = (address: string, nodeName: string, conditions: EndpointView['conditions'] = {}): EndpointView => ({
  addresses: [address],
  nodeName,
  conditions,
})
const leaving = { ready: false, serving: true, terminating: true }

describe('which Services have rules', () => {
  it.each([
    ['a cluster IP has', serviceOf(), 1],
    ['a headless Service has none', serviceOf({ clusterIP: 'None' }), 0],
    ['an ExternalName has none', serviceOf({ type: 'ExternalName', clusterIP: '' }), 0],
    ['one that another proxy serves has none', serviceOf({}, { labels: { 'service.kubernetes.io/service-proxy-name': 'x' } }), 0],
    ['one without an address yet has none', serviceOf({ clusterIP: '' }), 0],
    ['both families have their own', serviceOf({ clusterIPs: ['10.96.0.1', 'fd00:96::1'] }), 2],
    [
      'every port has its own',
      serviceOf({
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 1, protocol: 'UDP' },
        ],
      }),
      2,
    ],
    ['a name that could be an nft command has none', serviceOf({}, { name: 'web; flush ruleset' }), 0],
  ])('%s', (_, service, count) => {
    expect(rulesOf(service, [], here)).toHaveLength(count)
  })
})

describe('backends', () => {
  const backendsOf = (...endpoints: EndpointParts[]) => addresses(rulesOf(serviceOf(), [sliceOf(endpoints)], here)[0]!.cluster)

  it('are the ready endpoints, each once and in order, of every slice', () => {
    const slices = [sliceOf(['10.0.0.2', '10.0.0.1']), sliceOf(['10.0.0.1', '10.0.0.3'], { name: 'web-2' })]
    expect(addresses(rulesOf(serviceOf(), slices, here)[0]!.cluster)).toEqual(['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080'])
  })

  it('without conditions count as ready', () => {
    expect(backendsOf({ addresses: ['10.0.0.1'] })).toEqual(['10.0.0.1:8080'])
  })

  it('that terminate but still serve are used only if no other is ready', () => {
    expect(backendsOf('10.0.0.1', onNode('10.0.0.2', 'n2', leaving))).toEqual(['10.0.0.1:8080'])
    expect(backendsOf(onNode('10.0.0.2', 'n2', leaving))).toEqual(['10.0.0.2:8080'])
    expect(backendsOf(onNode('10.0.0.2', 'n2', { ready: false, serving: false, terminating: true }))).toEqual([])
  })

  it('are found by the name and protocol of the port', () => {
    const service = serviceOf({ ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] })
    const ports = [
      { name: 'dns', protocol: 'TCP', port: 1 },
      { name: 'dns', protocol: 'UDP', port: 1053 },
      { name: 'metrics', protocol: 'UDP', port: 2 },
    ] as const
    const [rules] = rulesOf(service, [sliceOf(['10.0.0.1'], { ports })], here)
    expect(rules).toMatchObject({ name: 'default/web/udp/dns', protocol: 'udp', port: 53 })
    expect(addresses(rules!.cluster)).toEqual(['10.0.0.1:1053'])
  })

  it('belong to the family of the slice, written in one spelling', () => {
    const service = serviceOf({ clusterIPs: ['10.96.0.1', 'fd00:96:0::1'] })
    const slices = [sliceOf(['10.0.0.1']), sliceOf(['FD00:0:0::5'], { name: 'web-6', addressType: 'IPv6' })]
    const [four, six] = rulesOf(service, slices, here)
    expect([four!.family, addresses(four!.cluster), four!.clusterIPs]).toEqual(['ip', ['10.0.0.1:8080'], ['10.96.0.1']])
    expect([six!.family, addresses(six!.cluster), six!.clusterIPs]).toEqual(['ip6', ['fd00::5:8080'], ['fd00:96::1']])
  })

  const hinted = (address: string, zones: string[], nodes: string[] = []): EndpointParts => ({
    addresses: [address],
    hints: { forZones: zones.map(name => ({ name })), forNodes: nodes.map(name => ({ name })) },
  })

  it.each([
    ['of our zone are preferred', [hinted('10.0.0.1', ['a']), hinted('10.0.0.2', ['b'])], ['10.0.0.1:8080']],
    ['are all used if one has no hint', [hinted('10.0.0.1', ['a']), hinted('10.0.0.2', [])], ['10.0.0.1:8080', '10.0.0.2:8080']],
    ['are all used if none is for our zone', [hinted('10.0.0.1', ['b']), hinted('10.0.0.2', ['c'])], ['10.0.0.1:8080', '10.0.0.2:8080']],
    ['of our node come before our zone', [hinted('10.0.0.1', ['a'], ['n2']), hinted('10.0.0.2', ['a'], ['n1'])], ['10.0.0.2:8080']],
    ['of our zone if none is for our node', [hinted('10.0.0.1', ['a'], ['n2']), hinted('10.0.0.2', ['b'], ['n3'])], ['10.0.0.1:8080']],
  ])('%s', (_, endpoints, expected) => {
    expect(backendsOf(...endpoints)).toEqual(expected)
  })
})

describe('targets', () => {
  const [mine, other] = [onNode('10.0.0.1', 'n1'), onNode('10.0.0.2', 'n2')]
  it.each<[string, SpecParts, EndpointView[], string, string]>([
    ['refuses what no one serves', {}, [], 'reject', 'reject'],
    [
      'refuses what no one serves whatever the policy',
      { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' },
      [],
      'reject',
      'reject',
    ],
    ['uses every endpoint by default', {}, [other], 'cluster', 'cluster'],
    ['keeps internal traffic on the node', { internalTrafficPolicy: 'Local' }, [mine, other], 'local', 'cluster'],
    ['drops internal traffic that only other nodes serve', { internalTrafficPolicy: 'Local' }, [other], 'drop', 'cluster'],
    ['drops external traffic that only other nodes serve', { externalTrafficPolicy: 'Local' }, [other], 'cluster', 'drop'],
    [
      'sends local traffic to a leaving endpoint',
      { externalTrafficPolicy: 'Local' },
      [onNode('10.0.0.1', 'n1', leaving), other],
      'cluster',
      'local',
    ],
  ])('%s', (_, policy, endpoints, internal, external) => {
    const [rules] = rulesOf(serviceOf({ type: 'NodePort', ...policy }), [sliceOf(endpoints)], here)
    expect(rules).toMatchObject({ internal, external })
  })

  it('are never local to the machine itself, which is no node', () => {
    const [rules] = rulesOf(serviceOf({ externalTrafficPolicy: 'Local' }), [sliceOf([mine])], {})
    expect(rules).toMatchObject({ external: 'drop', local: [], cluster: [{ local: false }] })
  })

  it('are all as good as local to what stands in front of the nodes as their load balancer', () => {
    const [rules] = rulesOf(serviceOf({ externalTrafficPolicy: 'Local' }), [sliceOf([mine])], { balances: true })
    expect(rules).toMatchObject({ external: 'local', local: [{ local: false }] })
  })
})

describe('frontends', () => {
  it('are the external IPs and the load balancer addresses that reach the node as they are', () => {
    const ingress = [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'Proxy' }, { ip: '192.0.2.3', ipMode: 'VIP' }] satisfies {
      ip: string
      ipMode?: 'VIP' | 'Proxy'
    }[]
    const service = serviceOf({ type: 'LoadBalancer', externalIPs: ['198.51.100.1', 'nonsense'] }, { ingress })
    expect(rulesOf(service, [], here)[0]!.externalIPs).toEqual(['198.51.100.1', '192.0.2.1', '192.0.2.3'])
  })

  it('are guarded by the source ranges of their family', () => {
    const spec: SpecParts = { type: 'LoadBalancer', loadBalancerSourceRanges: [' 10.0.0.0/8 ', 'fd00::/8', '1.2.3.4; drop'] }
    const [rules] = rulesOf(serviceOf(spec, { ingress: [{ ip: '192.0.2.1' }] }), [], here)
    expect(rules).toMatchObject({ guardedIPs: ['192.0.2.1'], sourceRanges: ['10.0.0.0/8'] })
  })

  it('keep a client for three hours unless the Service says otherwise', () => {
    const seconds = (spec: object) => rulesOf(serviceOf(spec), [], here)[0]!.affinitySeconds
    expect(seconds({})).toBe(0)
    expect(seconds({ sessionAffinity: 'ClientIP' })).toBe(10_800)
    expect(seconds({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } })).toBe(60)
  })
})

it('health counts the ready endpoints of this node once, whatever their ports', () => {
  const ports = [
    { name: 'a', port: 1 },
    { name: 'b', port: 2 },
  ]
  const slices = [sliceOf([onNode('10.0.0.1', 'n1'), onNode('10.0.0.2', 'n1', leaving), onNode('10.0.0.3', 'n2')], { ports })]
  expect(readyHere(serviceOf({ ports }), slices, here)).toBe(1)
})
