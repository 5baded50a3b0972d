import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { proxyHealth } from './healthz.ts'
import type { Run } from './network.ts'
import type { EndpointSliceView, NodeView, ServiceView } from './objects.ts'
import { type HandInformer, handInformer, type SpecParts, serviceOf, sliceOf } from './proxy.fixture.ts'
import { type ProxyOptions, type ServiceProxy, startProxy } from './proxy.ts'

let clock: VirtualClock
let services: HandInformer<ServiceView>
let endpointSlices: HandInformer<EndpointSliceView>
let nodes: HandInformer<NodeView>
let commands: { line: string; input: string }[]
let failing: (line: string, input: string) => boolean
let flows: string
let proxy: ServiceProxy

const run: Run = async (command, args, options = {}) => {
  const line = [command, ...args].join(' ')
  const input = String(options.input ?? '')
  commands.push({ line, input })
  if (failing(line, input)) throw new Error('refused')
  return { code: 0, stdout: line.includes('conntrack -L') ? flows : '{"nftables":[]}', stderr: '' }
}
const transactions = () => commands.filter(command => command.line.endsWith('nft -f -')).map(command => command.input)
const start = async (more: Partial<ProxyOptions> = {}) => {
  proxy = startProxy({
    table: 't',
    nodeName: 'n1',
    network: ['in', 'n1'],
    services,
    endpointSlices,
    nodes,
    run,
    clock,
    log: silentLogger,
    ...more,
  })
  await clock.advance(10)
}

beforeEach(() => {
  clock = virtualClock()
  services = handInformer()
  endpointSlices = handInformer()
  nodes = handInformer()
  commands = []
  failing = () => false
  flows = ''
})

afterEach(async () => {
  await proxy.stop()
  expect(clock.pending()).toBe(0)
})

describe('the proxy', () => {
  it('writes everything once at the start, inside its network, and is ready then', async () => {
    services.put(serviceOf())
    await start()
    await proxy.ready()
    expect(commands.map(command => command.line)).toEqual(['in n1 nft -f -'])
    expect(transactions()[0]).toContain('10.96.0.1 . tcp . 80 : goto refuse')
    expect(proxy.lastSync()).toBe(clock.now() - 10)
  })

  it('writes changes that come together as one transaction', async () => {
    await start()
    services.put(serviceOf())
    endpointSlices.put(sliceOf(['10.0.0.1']))
    endpointSlices.put(sliceOf(['10.0.0.1', '10.0.0.2']))
    await clock.advance(10)
    expect(transactions()).toHaveLength(2)
    expect(transactions()[1]).toContain('numgen random mod 2')
  })

  it('writes nothing for a change that changes no rule, and starts no timer while nothing changes', async () => {
    await start()
    services.put(serviceOf())
    await clock.advance(10)
    const before = commands.length
    services.put(serviceOf({}, { labels: { seen: 'yes' } }))
    endpointSlices.put(sliceOf([]))
    await clock.advance(3_600_000)
    expect(commands).toHaveLength(before)
    expect(clock.pending()).toBe(0)
  })

  it('writes everything anew in one transaction when the kernel refuses a difference', async () => {
    await start()
    failing = (_, input) => input !== '' && !input.startsWith('add table')
    services.put(serviceOf())
    await clock.advance(10)
    expect(transactions().map(input => input.startsWith('add table'))).toEqual([true, false, true])
  })

  it('tries again, less and less often, while nft fails, and loses nothing', async () => {
    failing = line => line.includes('nft')
    await start()
    services.put(serviceOf())
    await clock.advance(20_000)
    const tries = commands.length
    expect(tries).toBeGreaterThan(3)
    expect(tries).toBeLessThan(10)
    failing = () => false
    await clock.advance(30_000)
    expect(transactions().at(-1)).toContain('10.96.0.1')
    expect(proxy.lastSync()).toBeDefined()
  })

  it('is healthy unless a change has waited for a minute', async () => {
    expect(proxyHealth({ lastSync: () => undefined, pendingSince: () => undefined }, 0).healthy).toBe(false)
    await start()
    expect(proxyHealth(proxy, clock.now()).healthy).toBe(true)
    failing = line => line.includes('nft')
    services.put(serviceOf())
    await clock.advance(59_000)
    expect(proxyHealth(proxy, clock.now()).healthy).toBe(true)
    await clock.advance(2_000)
    expect(proxyHealth(proxy, clock.now()).healthy).toBe(false)
    failing = () => false
    await clock.advance(30_000)
    expect(proxyHealth(proxy, clock.now())).toMatchObject({ healthy: true })
  })

  it('rests after a transaction for as long as it took', async () => {
    let slow = true
    const busy: Run = async (command, args, options) => {
      if (slow) await new Promise<void>(resolve => clock.after(200, resolve))
      return run(command, args, options)
    }
    await start({ run: busy })
    services.put(serviceOf())
    await clock.advance(300)
    slow = false
    expect(transactions()).toHaveLength(1)
    await clock.advance(110)
    expect(transactions()).toHaveLength(2)
  })

  it('follows the zone of its node', async () => {
    services.put(serviceOf())
    const hinted = (address: string, zone: string) => ({ addresses: [address], hints: { forZones: [{ name: zone }] } })
    endpointSlices.put(sliceOf([hinted('10.0.0.1', 'a'), hinted('10.0.0.2', 'b')]))
    nodes.put({ metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'a' } } })
    nodes.put({ metadata: { name: 'n2', labels: { 'topology.kubernetes.io/zone': 'b' } } })
    await start()
    expect(transactions().at(-1)).toContain('dnat to 10.0.0.1:8080')
    nodes.put({ metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'b' } } })
    await clock.advance(10)
    expect(transactions().at(-1)).toContain('dnat to 10.0.0.2:8080')
  })

  it('removes the UDP flows of an endpoint that is gone, and no others', async () => {
    const ports = [{ name: 'dns', protocol: 'UDP', port: 53, nodePort: 30053 }] as const
    const slice = (...endpoints: string[]) => sliceOf(endpoints, { ports: [{ name: 'dns', protocol: 'UDP', port: 1053 }] })
    services.put(serviceOf({ type: 'NodePort', ports }))
    endpointSlices.put(slice('10.0.0.1', '10.0.0.2'))
    await start()
    const flow = (to: string, by: string) =>
      `udp      17 29 src=10.244.0.9 dst=${to} sport=40000 dport=${to === '10.96.0.1' ? 53 : 30053} src=${by} dst=10.244.0.9 sport=1053 dport=40000 mark=0 use=1\n`
    flows = flow('10.96.0.1', '10.0.0.1') + flow('10.96.0.1', '10.0.0.2') + flow('172.30.0.1', '10.0.0.2') + flow('9.9.9.9', '10.0.0.1')
    endpointSlices.put(slice('10.0.0.1'))
    await clock.advance(10)
    expect(commands.filter(command => command.line.includes('conntrack -D')).map(command => command.line)).toEqual([
      'in n1 conntrack -D -f ipv4 -p udp --orig-dst 10.96.0.1 --orig-port-dst 53 --reply-src 10.0.0.2 --reply-port-src 1053',
      'in n1 conntrack -D -f ipv4 -p udp --orig-dst 172.30.0.1 --orig-port-dst 30053 --reply-src 10.0.0.2 --reply-port-src 1053',
    ])
  })

  it('answers the health check of a Service and sends its node port there', async () => {
    const opened: string[] = []
    const openHealth: ProxyOptions['openHealth'] = async (nodePort, health) => {
      opened.push(`open ${nodePort}`)
      return {
        redirect: { address: '172.30.0.254', port: 4567 },
        async [Symbol.asyncDispose]() {
          opened.push(`close ${nodePort} with ${health().localEndpoints}`)
        },
      }
    }
    const spec: SpecParts = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 32000 }
    services.put(serviceOf(spec))
    endpointSlices.put(sliceOf([{ addresses: ['10.0.0.1'], nodeName: 'n1' }]))
    await start({ openHealth })
    expect(transactions()[0]).toContain('tcp . 32000 : goto health/default/web')
    expect(transactions()[0]).toContain('dnat to 172.30.0.254:4567')
    services.put(serviceOf({ ...spec, externalTrafficPolicy: 'Cluster' }))
    await clock.advance(10)
    expect(opened).toEqual(['open 32000', 'close 32000 with 1'])
    expect(transactions().at(-1)).toContain('delete chain ip t health/default/web')
  })

  it('leaves its rules when it stops, unless it is asked to clean up', async () => {
    await start()
    const before = commands.length
    await proxy.stop()
    expect(commands).toHaveLength(before)
    await start()
    await proxy.stop({ cleanup: true })
    expect(transactions().at(-1)).toBe('add table ip t\ndelete table ip t\nadd table ip6 t\ndelete table ip6 t\n')
  })
})
