import { describe, expect, it } from 'vitest'
import { serviceOf, sliceOf } from '../proxy.fixture.ts'
import { rulesOf } from '../rules.ts'
import { type Fragment, fragmentOf } from './fragment.ts'
import { RuleTables } from './rule-tables.ts'
import { standardTableFacts } from './skeleton.ts'

const context = { clusterCIDRs: ['10.244.0.0/16'] }
const none = { ip: new Map(), ip6: new Map() }
const fragment = (endpoints: string[], spec: object = {}, more: object = {}): Fragment =>
  fragmentOf(rulesOf(serviceOf(spec, more), [sliceOf(endpoints)], { nodeName: 'n1' })[0]!, context)

function tables(): RuleTables {
  return new RuleTables('t', { ...standardTableFacts, families: ['ip'] })
}

function loaded(...puts: [string, Fragment][]): RuleTables {
  const present = tables()
  for (const [owner, wanted] of puts) present.put(owner, wanted)
  present.takeAll(none)
  return present
}

describe('the difference', () => {
  it('of the same rules is nothing', () => {
    const present = loaded(['web', fragment(['10.0.0.1'])])
    present.put('web', fragment(['10.0.0.1']))
    expect(present.takeDifference()).toBeUndefined()
  })

  it('of a change that was taken back before it was written is nothing', () => {
    const present = loaded(['web', fragment(['10.0.0.1'])])
    present.put('web', undefined)
    present.put('web', fragment(['10.0.0.1']))
    expect(present.takeDifference()).toBeUndefined()
  })

  it('of a new Service is its chain and its entries', () => {
    const present = loaded()
    present.put('web', fragment(['10.0.0.1', '10.0.0.2']))
    expect(present.takeDifference()!.split('\n')).toEqual([
      'add chain ip t service/default/web/tcp/80',
      'add rule ip t service/default/web/tcp/80 meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.1 . 8080, 1 : 10.0.0.2 . 8080 }',
      'add element ip t cluster-ips { 10.96.0.1 }',
      'add element ip t service-ips { 10.96.0.1 . tcp . 80 : goto service/default/web/tcp/80 }',
      '',
    ])
  })

  it('of new endpoints touches nothing but the one chain', () => {
    const present = loaded(['web', fragment(['10.0.0.1', '10.0.0.2'])])
    present.put('web', fragment(['10.0.0.1']))
    expect(present.takeDifference()!.split('\n')).toEqual([
      'flush chain ip t service/default/web/tcp/80',
      'add rule ip t service/default/web/tcp/80 meta l4proto tcp dnat to 10.0.0.1:8080',
      '',
    ])
  })

  it('of lost endpoints turns the entry into a refusal before the chain goes', () => {
    const present = loaded(['web', fragment(['10.0.0.1'])])
    present.put('web', fragment([]))
    expect(present.takeDifference()!.split('\n')).toEqual([
      'delete element ip t service-ips { 10.96.0.1 . tcp . 80 : goto service/default/web/tcp/80 }',
      'add element ip t unserved-ips { 10.96.0.1 . tcp . 80 : goto refuse }',
      'flush chain ip t service/default/web/tcp/80',
      'delete chain ip t service/default/web/tcp/80',
      '',
    ])
  })

  it('keeps the cluster IP that another port of the Service still has', () => {
    const present = loaded(['web/a', fragment(['10.0.0.1'])], ['web/b', fragment(['10.0.0.1'], { ports: [{ name: '', port: 81 }] })])
    present.put('web/b', undefined)
    expect(present.takeDifference()).not.toContain('cluster-ips')
    present.put('web/a', undefined)
    expect(present.takeDifference()).toContain('delete element ip t cluster-ips { 10.96.0.1 }')
  })

  it('gives a disputed address to the first owner by name, whoever came first, and to the next when it leaves', () => {
    const disputed = { externalIPs: ['192.0.2.1'] }
    const later = fragment(['10.0.0.1'], disputed, { name: 'b' })
    const first = fragmentOf(
      rulesOf(serviceOf(disputed, { name: 'a' }), [sliceOf(['10.0.0.1'], { service: 'a' })], { nodeName: 'n1' })[0]!,
      context,
    )
    const present = loaded(['b', later])
    present.put('a', first)
    expect(present.takeDifference()).toContain('192.0.2.1 . tcp . 80 : goto external/default/a/tcp/80')
    present.put('a', undefined)
    expect(present.takeDifference()).toContain('192.0.2.1 . tcp . 80 : goto external/default/b/tcp/80')
  })

  it('with affinity adds and removes only the set and chain of the endpoint that comes or goes', () => {
    const spec = { sessionAffinity: 'ClientIP' }
    const present = loaded(['web', fragment(['10.0.0.1'], spec)])
    present.put('web', fragment(['10.0.0.1', '10.0.0.2'], spec))
    const added = present.takeDifference()!
    expect(added).toContain('add set ip t clients/default/web/tcp/80/10.0.0.2/8080')
    expect(added).not.toContain('set ip t clients/default/web/tcp/80/10.0.0.1/8080')
    present.put('web', fragment(['10.0.0.2'], spec))
    expect(present.takeDifference()).toContain('delete set ip t clients/default/web/tcp/80/10.0.0.1/8080')
  })
})

describe('the whole', () => {
  it('replaces whatever was there in the same transaction and keeps remembered clients', () => {
    const present = tables()
    present.put('web', fragment(['10.0.0.1'], { sessionAffinity: 'ClientIP' }))
    const set = 'clients/default/web/tcp/80/10.0.0.1/8080'
    const text = present.takeAll({ ...none, ip: new Map([[set, ['10.244.0.9 timeout 100s expires 50s']]]) })
    expect(text.startsWith('add table ip t\ndelete table ip t\ntable ip t {\n')).toBe(true)
    expect(text).toContain(`add element ip t ${set} { 10.244.0.9 timeout 100s expires 50s }`)
  })

  it('is followed by no difference', () => {
    expect(loaded(['web', fragment(['10.0.0.1'])]).takeDifference()).toBeUndefined()
  })
})

describe('external traffic', () => {
  it('of policy Cluster hides its source', () => {
    const { chains } = fragment(['10.0.0.1'], { type: 'NodePort', ports: [{ name: '', port: 80, nodePort: 30080 }] })
    expect(chains.get('external/default/web/tcp/80')).toBe('jump mark-for-masquerade\ngoto service/default/web/tcp/80')
  })

  it('of policy Local keeps its source, while pods and the node itself reach every endpoint', () => {
    const spec = { type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: '', port: 80, nodePort: 30080 }] }
    const { chains, elements } = fragment(['10.0.0.1'], spec)
    expect(chains.get('external/default/web/tcp/80')!.split('\n')).toEqual([
      'ip saddr { 10.244.0.0/16 } goto service/default/web/tcp/80',
      'fib saddr type local jump mark-for-masquerade',
      'fib saddr type local goto service/default/web/tcp/80',
    ])
    expect(elements).toContainEqual({ set: 'unserved-nodeports', key: 'tcp . 30080', value: 'drop' })
  })
})
