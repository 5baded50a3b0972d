import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { run } from '#base/process/run.ts'
import { realClock } from '#base/time/real-clock.ts'
import { healthBehindRedirect } from '#proxy/health.ts'
import { neededSysctls } from '#proxy/network.ts'
import type { EndpointSliceView, EndpointView, ServiceView } from '#proxy/objects.ts'
import { type HandInformer, handInformer, type SpecParts, serviceOf, sliceOf } from '#proxy/proxy.fixture.ts'
import { type ServiceProxy, startProxy } from '#proxy/proxy.ts'
import { freeNetwork } from '../support/free-network.ts'

/*
 * One node with two pods on its bridge, a machine outside of the cluster, and on the node's far side a pod of another node:
 *
 *   outside 172.31.9.1 ── 172.31.9.2 node 172.31.8.2 ── 172.31.8.1 remote (pod 10.240.2.2)
 *                                    │ cni0 10.240.1.1, fd00:240:1::1
 *                               pod-a 10.240.1.2   pod-b 10.240.1.3
 */
const id = `px${process.pid}`
const [node, podA, podB, remote, outside] = ['n', 'a', 'b', 'r', 'o'].map(name => `${id}${name}`) as [
  string,
  string,
  string,
  string,
  string,
]
/** Between this process and the node. */
const between = await freeNetwork()
/** This process, as the node sees it. */
const MACHINE = `${between}.1`
const VIP = '10.97.0.1'
const VIP6 = 'fd00:97::1'

let services: HandInformer<ServiceView>
let slices: HandInformer<EndpointSliceView>
let proxy: ServiceProxy
let folder: string
const servers: ChildProcess[] = []

const inside = (netns: string, ...command: string[]) => run('nsenter', [`--net=/run/netns/${netns}`, ...command])
const ip = (...args: string[]) => run('ip', args)
const link = async (a: string, aDevice: string, b: string, bDevice: string) =>
  await ip('link', 'add', aDevice, 'netns', a, 'type', 'veth', 'peer', 'name', bDevice, 'netns', b)
const address = async (netns: string, device: string, cidr: string) => {
  await ip('-n', netns, 'addr', 'add', cidr, 'dev', device, ...(cidr.includes(':') ? ['nodad'] : []))
  await ip('-n', netns, 'link', 'set', device, 'up')
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'proxy-int-'))
  writeFileSync(join(folder, 'server.cjs'), SERVER)
  writeFileSync(join(folder, 'client.cjs'), CLIENT)
  for (const netns of [node, podA, podB, remote, outside]) {
    await ip('netns', 'add', netns)
    await ip('-n', netns, 'link', 'set', 'lo', 'up')
  }
  await ip('-n', node, 'link', 'add', 'cni0', 'type', 'bridge')
  await address(node, 'cni0', '10.240.1.1/24')
  await address(node, 'cni0', 'fd00:240:1::1/64')
  for (const [pod, host, last] of [
    [podA, 'va', 2],
    [podB, 'vb', 3],
  ] as const) {
    await link(node, host, pod, 'eth0')
    await ip('-n', node, 'link', 'set', host, 'master', 'cni0', 'up')
    await ip('-n', node, 'link', 'set', host, 'type', 'bridge_slave', 'hairpin', 'on')
    await address(pod, 'eth0', `10.240.1.${last}/24`)
    await address(pod, 'eth0', `fd00:240:1::${last}/64`)
    await ip('-n', pod, 'route', 'add', 'default', 'via', '10.240.1.1')
    await ip('-n', pod, '-6', 'route', 'add', 'default', 'via', 'fd00:240:1::1')
  }
  await link(node, 'vr', remote, 'eth0')
  await address(node, 'vr', '172.31.8.2/24')
  await address(remote, 'eth0', '172.31.8.1/24')
  await address(remote, 'lo', '10.240.2.2/32')
  await ip('-n', node, 'route', 'add', '10.240.2.0/24', 'via', '172.31.8.1')
  await ip('-n', remote, 'route', 'add', '10.240.1.0/24', 'via', '172.31.8.2', 'src', '10.240.2.2')
  await link(node, 'vo', outside, 'eth0')
  await address(node, 'vo', '172.31.9.2/24')
  await address(outside, 'eth0', '172.31.9.1/24')
  await ip('-n', outside, 'route', 'add', 'default', 'via', '172.31.9.2')
  await ip('-n', node, 'route', 'add', 'default', 'via', '172.31.9.1')
  await ip('link', 'add', `${id}m`, 'type', 'veth', 'peer', 'name', 'vm', 'netns', node)
  await ip('addr', 'add', `${MACHINE}/24`, 'dev', `${id}m`)
  await ip('link', 'set', `${id}m`, 'up')
  await address(node, 'vm', `${between}.2/24`)
  await ip('-n', node, '-6', 'route', 'add', 'default', 'dev', 'vo')
  const needed = neededSysctls({ families: ['ip', 'ip6'], loopbackNodePorts: true })
  for (const { name, value } of needed) await inside(node, 'sysctl', '-qw', `${name}=${value}`)

  for (const [name, netns] of Object.entries({ a: podA, b: podB, remote })) await serve(name, netns)

  // A fresh bridge takes a second until it passes IPv6 neighbour discovery.
  await vi.waitFor(() => inside(podA, 'ping', '-6', '-c1', '-W1', 'fd00:240:1::1'), { timeout: 10_000 })
  await vi.waitFor(() => inside(node, 'ping', '-6', '-c1', '-W1', 'fd00:240:1::3'), { timeout: 10_000 })

  services = handInformer()
  slices = handInformer()
  proxy = startProxy({
    table: id,
    nodeName: 'n1',
    network: ['nsenter', `--net=/run/netns/${node}`],
    facts: { clusterCIDRs: ['10.240.0.0/16', 'fd00:240::/32'], serviceCIDRs: ['10.97.0.0/16', 'fd00:97::/112'] },
    services,
    endpointSlices: slices,
    openHealth: healthBehindRedirect(MACHINE),
    run,
    clock: realClock(),
    log: silentLogger,
  })
  await proxy.ready()
}, 60_000)

afterAll(async () => {
  for (const server of servers) server.kill('SIGKILL')
  await proxy?.stop({ cleanup: true })
  const left = await inside(node, 'nft', 'list', 'tables')
  await run('ip', ['link', 'del', `${id}m`], { allowCodes: [1] })
  for (const netns of [node, podA, podB, remote, outside]) await run('ip', ['netns', 'del', netns], { allowCodes: [1] })
  rmSync(folder, { recursive: true, force: true })
  expect(left.stdout).not.toContain(id)
}, 60_000)

/** Answers on TCP and UDP port 8080 with its name and the client's address; `hold` keeps the connection and echoes. */
const SERVER = `
const [name, ready] = process.argv.slice(2)
const net = require('node:net'), dgram = require('node:dgram')
const tcp = net.createServer(socket => {
  socket.on('error', () => {})
  socket.once('data', data => {
    const hello = name + ' ' + socket.remoteAddress.replace('::ffff:', '')
    if (String(data) === 'hold') { socket.write(hello); socket.on('data', more => socket.write(more)) } else socket.end(hello)
  })
}).listen(8080, '::', () => {
  const udp = dgram.createSocket({ type: 'udp6' })
  udp.on('message', (_, from) => udp.send(name + ' ' + from.address.replace('::ffff:', ''), from.port, from.address))
  udp.bind(8080, '::', () => console.log('up'))
})
`

/** Asks once and prints the answer or the error's code; `silence` if none comes while it has patience. */
const CLIENT = `
const [kind, host, port, from, patienceMs] = process.argv.slice(2)
const end = text => { console.log(text); process.exit(0) }
setTimeout(end, Number(patienceMs), 'silence')
if (kind === 'udp') {
  const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', data => end(String(data))); socket.on('error', error => end(error.code))
  socket.bind(Number(from || 0), () => socket.connect(Number(port), host, () => socket.send('x')))
} else {
  const socket = require('node:net').connect({ host, port: Number(port) })
  socket.on('connect', () => socket.write('x')); socket.on('data', data => end(String(data))); socket.on('error', error => end(error.code))
}
`

async function serve(name: string, netns: string): Promise<void> {
  const server = spawn('nsenter', [`--net=/run/netns/${netns}`, process.execPath, join(folder, 'server.cjs'), name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  servers.push(server)
  await new Promise<void>(resolve => server.stdout!.once('data', () => resolve()))
}

async function ask(
  netns: string,
  host: string,
  port: number,
  kind: 'tcp' | 'udp' = 'tcp',
  from = '',
  patienceMs = 20_000,
): Promise<string> {
  const args = [kind, host, String(port), from, String(patienceMs)]
  return (await inside(netns, process.execPath, join(folder, 'client.cjs'), ...args)).stdout.trim()
}

/** Whether nothing answers, not even a refusal: nobody has to wait long for what is there. */
const isSilent = async (netns: string, host: string, port: number) => (await ask(netns, host, port, 'tcp', '', 1_500)) === 'silence'

const here = (address: string): EndpointView => ({ addresses: [address], nodeName: 'n1', conditions: {} })
const there = (address: string): EndpointView => ({ addresses: [address], nodeName: 'n2', conditions: {} })
const tcpPort = { name: 'web', protocol: 'TCP', port: 80, nodePort: 30080 } as const
const udpPort = { name: 'echo', protocol: 'UDP', port: 80, nodePort: 30080 } as const
const slicePorts = [
  { name: 'web', protocol: 'TCP', port: 8080 },
  { name: 'echo', protocol: 'UDP', port: 8080 },
] as const

async function given(spec: SpecParts, endpoints: EndpointView[], six: EndpointView[] = []): Promise<void> {
  services.put(
    serviceOf({
      type: 'NodePort',
      clusterIP: VIP,
      clusterIPs: [VIP, VIP6],
      externalIPs: ['192.0.2.7'],
      ports: [tcpPort, udpPort],
      ...spec,
    }),
  )
  slices.put(sliceOf(endpoints, { ports: slicePorts }))
  slices.put(sliceOf(six, { name: 'web-6', addressType: 'IPv6', ports: slicePorts }))
  await proxy.settled()
}

describe('a Service', () => {
  it('is reached by its cluster IP from a pod, which keeps its address, over TCP and UDP', async () => {
    await given({}, [here('10.240.1.3')])
    expect(await ask(podA, VIP, 80)).toBe('b 10.240.1.2')
    expect(await ask(podA, VIP, 80, 'udp')).toBe('b 10.240.1.2')
  })

  it('is reached over IPv6', async () => {
    await given({}, [], [here('fd00:240:1::3')])
    expect(await ask(podA, VIP6, 80)).toBe('b fd00:240:1::2')
    expect(await ask(node, VIP6, 80)).toMatch(/^b fd00:/)
  })

  it('is reached from its node, and from the only pod behind it', async () => {
    await given({}, [here('10.240.1.2')])
    expect(await ask(node, VIP, 80)).toBe('a 10.240.1.1')
    expect(await ask(podA, VIP, 80)).toBe('a 10.240.1.1')
    expect(await ask(podA, VIP, 80, 'udp')).toBe('a 10.240.1.1')
  })

  it('spreads connections over every endpoint, on this node and on others', async () => {
    await given({}, [here('10.240.1.2'), here('10.240.1.3'), there('10.240.2.2')])
    const heard = new Set<string>()
    // Each is chosen at random: one that is not heard of among a hundred is left out.
    for (let asked = 0; asked < 100 && heard.size < 3; asked += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask(node, VIP, 80)))
      for (const answer of answers) heard.add(answer.split(' ')[0]!)
    }
    expect(heard).toEqual(new Set(['a', 'b', 'remote']))
  })

  it('is reached by its node port from outside, from a pod, and from the node by each of its addresses, loopback too', async () => {
    await given({}, [here('10.240.1.3')])
    expect(await ask(outside, '172.31.9.2', 30080)).toBe('b 10.240.1.1')
    expect(await ask(outside, '172.31.9.2', 30080, 'udp')).toBe('b 10.240.1.1')
    expect(await ask(podA, '172.31.8.2', 30080)).toMatch(/^b /)
    expect(await ask(node, '172.31.8.2', 30080)).toMatch(/^b /)
    expect(await ask(node, '127.0.0.1', 30080)).toBe('b 10.240.1.1')
    expect(await ask(node, '127.0.0.1', 30080, 'udp')).toBe('b 10.240.1.1')
  })

  it('is reached by its external IP', async () => {
    await given({}, [there('10.240.2.2')])
    expect(await ask(outside, '192.0.2.7', 80)).toMatch(/^remote 172\.31\.8\.2$/)
    expect(await ask(podA, '192.0.2.7', 80)).toMatch(/^remote /)
  })

  it('without endpoints is refused at once, by every way', async () => {
    await given({}, [])
    expect(await ask(podA, VIP, 80)).toBe('ECONNREFUSED')
    expect(await ask(node, VIP, 80)).toBe('ECONNREFUSED')
    expect(await ask(podA, VIP, 80, 'udp')).toBe('ECONNREFUSED')
    expect(await ask(outside, '172.31.9.2', 30080)).toBe('ECONNREFUSED')
    expect(await ask(node, '127.0.0.1', 30080)).toBe('ECONNREFUSED')
    expect(await ask(podA, VIP6, 80)).toBe('ECONNREFUSED')
  })

  it('refuses a port it does not have, and so does an address no Service has', async () => {
    await given({}, [here('10.240.1.3')])
    expect(await ask(podA, VIP, 81)).toBe('ECONNREFUSED')
    expect(await ask(podA, '10.97.7.7', 80)).toBe('ECONNREFUSED')
    expect(await ask(node, '10.97.7.7', 80)).toBe('ECONNREFUSED')
  })

  it('of policy Local keeps the source of outside traffic, and drops what only other nodes serve', async () => {
    await given({ externalTrafficPolicy: 'Local' }, [here('10.240.1.3'), there('10.240.2.2')])
    expect(await ask(outside, '172.31.9.2', 30080)).toBe('b 172.31.9.1')
    await given({ externalTrafficPolicy: 'Local' }, [there('10.240.2.2')])
    expect(await isSilent(outside, '172.31.9.2', 30080)).toBe(true)
    expect(await ask(node, '172.31.9.2', 30080)).toMatch(/^remote /)
    expect(await ask(podA, '172.31.9.2', 30080)).toMatch(/^remote /)
    await given({ internalTrafficPolicy: 'Local' }, [there('10.240.2.2')])
    expect(await isSilent(podA, VIP, 80)).toBe(true)
  })

  it('of policy Local tells load balancers on its health check port whether this node has endpoints', async () => {
    const local: SpecParts = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 32100 }
    const health = async () => (await inside(outside, 'curl', '-s', '-w', ' %{http_code}', 'http://172.31.9.2:32100/')).stdout
    await given(local, [here('10.240.1.3'), there('10.240.2.2')])
    expect(await health()).toBe('{"service":{"namespace":"default","name":"web"},"localEndpoints":1,"serviceProxyHealthy":true} 200')
    await given(local, [there('10.240.2.2')])
    expect(await health()).toMatch(/"localEndpoints":0.* 503$/)
  })

  it('of type LoadBalancer answers at its address only those within its source ranges', async () => {
    const ingress = [{ ip: '192.0.2.8' }]
    const balanced = (range: string) => {
      const spec: SpecParts = { type: 'LoadBalancer', clusterIP: VIP, ports: [tcpPort], loadBalancerSourceRanges: [range] }
      services.put(serviceOf(spec, { ingress }))
      return proxy.settled()
    }
    await given({}, [here('10.240.1.3')])
    await balanced('172.31.9.0/24')
    expect(await ask(outside, '192.0.2.8', 80)).toMatch(/^b /)
    await balanced('172.31.1.0/24')
    expect(await isSilent(outside, '192.0.2.8', 80)).toBe(true)
    expect(await ask(podA, VIP, 80)).toMatch(/^b /)
  })

  it('with affinity answers a client from one endpoint, over a restart of the proxy and other endpoints that come', async () => {
    const endpoints = [here('10.240.1.2'), here('10.240.1.3')]
    await given({ sessionAffinity: 'ClientIP' }, endpoints)
    const first = (await ask(outside, '172.31.9.2', 30080)).split(' ')[0]
    const again = async () => (await ask(outside, '172.31.9.2', 30080)).split(' ')[0]
    for (let time = 0; time < 4; time++) expect(await again()).toBe(first)
    proxy.resync()
    await proxy.settled()
    for (let time = 0; time < 4; time++) expect(await again()).toBe(first)
    await given({ sessionAffinity: 'ClientIP' }, [...endpoints, there('10.240.2.2')])
    for (let time = 0; time < 4; time++) expect(await again()).toBe(first)
    await given({ sessionAffinity: 'ClientIP' }, first === 'a' ? [endpoints[1]!] : [endpoints[0]!])
    expect(await again()).toBe(first === 'a' ? 'b' : 'a')
    await given({}, endpoints)
  })

  it('keeps a connection while its rules change, its endpoint leaves, and everything is written anew', async () => {
    await given({}, [here('10.240.1.3')])
    const held = spawn('nsenter', [`--net=/run/netns/${podA}`, 'socat', '-', `TCP:${VIP}:80`], { stdio: 'pipe' })
    servers.push(held)
    const say = (text: string) =>
      new Promise<string>(resolve => {
        held.stdout!.once('data', data => resolve(String(data)))
        held.stdin!.write(text)
      })
    expect(await say('hold')).toBe('b 10.240.1.2')
    await given({}, [there('10.240.2.2')])
    expect(await say('one')).toBe('one')
    proxy.resync()
    await proxy.settled()
    expect(await say('two')).toBe('two')
    expect(await ask(podA, VIP, 80)).toMatch(/^remote /)
    services.remove(services.get('default', 'web')!)
    await proxy.settled()
    expect(await say('three')).toBe('three')
  })

  it('moves a UDP client whose endpoint is gone, though it keeps its port', async () => {
    await given({}, [here('10.240.1.3')])
    expect(await ask(podA, VIP, 80, 'udp', '40123')).toBe('b 10.240.1.2')
    await given({}, [there('10.240.2.2')])
    expect(await ask(podA, VIP, 80, 'udp', '40123')).toBe('remote 10.240.1.2')
  })

  it('comes back after someone flushed the whole ruleset', async () => {
    await given({}, [here('10.240.1.3')])
    await inside(node, 'nft', 'flush', 'ruleset')
    await given({}, [here('10.240.1.3'), there('10.240.2.2')])
    await given({}, [here('10.240.1.3')])
    expect(await ask(podA, VIP, 80)).toBe('b 10.240.1.2')
  })

  it('of protocol SCTP is taken by the kernel', async () => {
    await given({ ports: [{ name: 'web', protocol: 'SCTP', port: 80 }] }, [here('10.240.1.3')])
    slices.put(sliceOf(['10.240.1.3', '10.240.1.2'], { name: 'sctp', ports: [{ name: 'web', protocol: 'SCTP', port: 8080 }] }))
    await proxy.settled()
    expect((await inside(node, 'nft', 'list', 'chain', 'ip', id, 'service/default/web/sctp/web')).stdout).toContain('dnat ip to')
    slices.remove(slices.get('default', 'sctp')!)
  })
})
