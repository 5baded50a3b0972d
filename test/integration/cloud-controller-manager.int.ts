import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { realClock } from '#base/time/real-clock.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { type ApiServerProcess, startApiServerProcess } from '../support/api-server-process.ts'
import { type ProgramProcess, startProgram, until, writeKubeconfig } from '../support/program-process.ts'
import { type TestMachines, testMachines } from '../support/test-machines.ts'

/*
 * bin/cloud-controller-manager with the local provider, on two machines of one network; a third one stands for the world outside of the
 * cluster. Machines are network namespaces, each with its proxy; a "pod" is an address of machine 2 that answers with its name.
 */

const POD = '10.244.2.5'
const clock = realClock()
const folder = mkdtempSync(join(tmpdir(), 't8s-cloud-'))
const kubeconfig = join(folder, 'kubeconfig')
const place = join(folder, 'place.yaml')
const programs: ProgramProcess[] = []
const web = { namespace: 'default', name: 'web' }
let machines: TestMachines
/** The one address for Services. */
let pool: string
let server: ApiServerProcess
let client: HttpClient

beforeAll(async () => {
  machines = await testMachines('t8sccm', 3)
  pool = `${machines.network}.200`
  server = await startApiServerProcess({ tokens: { admin: ['admin', 'system:masters'] }, address: machines.gateway })
  writeKubeconfig(kubeconfig, 'admin', [server])
  client = httpClient({ server: server.url, clock, tls: { ca: server.authority }, token: 'admin' })
  writeFileSync(place, JSON.stringify(placeOf(1, 2)))
  for (const machine of [1, 2]) {
    await machines.run(machine, 'sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
    await client.create(Node, {
      metadata: { name: `n${machine}` },
      spec: {
        podCIDR: `10.244.${machine}.0/24`,
        podCIDRs: [`10.244.${machine}.0/24`],
        taints: [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' }],
      },
    } as never)
  }
  await machines.run(2, 'ip', ['address', 'add', `${POD}/32`, 'dev', 'lo'])
  const answer = `require('node:http').createServer((_, response) => response.end('pod')).listen(8080, '${POD}')`
  programs.push(startProgram('pod', [], ['nsenter', '--net=/run/netns/t8sccm-2', process.execPath, '-e', answer, '--']))
  for (const machine of [1, 2]) {
    const flags = [`--kubeconfig=${kubeconfig}`, `--hostname-override=n${machine}`, '--cluster-cidr=10.244.0.0/16']
    programs.push(startProgram('kube-proxy', flags, insideMachine(machine)))
  }
  programs.push(startManager(1))
  await until(leader, holder => holder.startsWith('m1_'), { explain })
  programs.push(startManager(2))
}, 120_000)

afterAll(async () => {
  for (const program of programs.reverse()) await program[Symbol.asyncDispose]()
  client?.[Symbol.dispose]()
  await server?.[Symbol.asyncDispose]()
  await machines?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

function placeOf(...numbers: readonly number[]) {
  const machine = (number: number) => ({
    name: `n${number}`,
    addresses: [machines.address(number)],
    zone: `rack-${number}`,
    region: 'home',
    networkNamespace: `/run/netns/t8sccm-${number}`,
  })
  const loadBalancer = { pool: [pool], link: 'eth0' }
  return { apiVersion: 'typernetes.dev/v1', kind: 'LocalCloudConfiguration', machines: numbers.map(machine), loadBalancer }
}

/** A machine has a name of its own, by which copies of a program know whether they stand side by side. */
function insideMachine(machine: number): string[] {
  const named = `hostname m${machine} && exec "$@"`
  return ['nsenter', `--net=/run/netns/t8sccm-${machine}`, 'unshare', '--uts', 'sh', '-c', named, 'sh']
}

function startManager(machine: number): ProgramProcess {
  const flags = ['--cloud-provider=local', `--cloud-config=${place}`, `--kubeconfig=${kubeconfig}`, '--use-service-account-credentials']
  const routes = ['--allocate-node-cidrs', '--cluster-cidr=10.244.0.0/16', '--route-reconciliation-period=1s', '--node-monitor-period=1s']
  return startProgram('cloud-controller-manager', [...flags, ...routes], insideMachine(machine))
}

const explain = () => programs.map(({ name, log }) => `${name}:\n${log().slice(-3000)}`).join('\n')
const leader = async () => {
  const { items } = await client.list(Lease, { namespace: 'kube-system' })
  return items.find(({ metadata }) => metadata.name === 'cloud-controller-manager')?.spec.holderIdentity ?? ''
}
const addressesOf = async (machine: number) => machines.run(machine, 'ip', ['-4', '-o', 'address', 'show', 'dev', 'eth0'])

/** What `http://address` answers in a machine's network, 0 for that of the test; the reason if nothing. */
async function ask(machine: number, address: string): Promise<string> {
  const script = `fetch('http://${address}/', { signal: AbortSignal.timeout(2000) }).then(it => it.text()).then(it => process.stdout.write(it))`
  const args = ['-e', script]
  const asked = machine === 0 ? run(process.execPath, args).then(({ stdout }) => stdout) : machines.run(machine, process.execPath, args)
  return asked.catch((error: Error) => error.message)
}

/** Which machine the third one takes an address to be at, by its cache. */
async function neighbourOf(address: string): Promise<number | undefined> {
  const known = await machines.run(3, 'ip', ['neigh', 'show', address])
  for (const machine of [1, 2]) {
    const [link] = JSON.parse(await machines.run(machine, 'ip', ['-j', 'link', 'show', 'eth0'])) as { address: string }[]
    if (known.includes(link!.address)) return machine
  }
  return undefined
}

describe('the cloud controller manager as a process of its own', () => {
  it('initializes nodes: addresses, zones, provider ids, and no taint left', async () => {
    for (const machine of [1, 2]) {
      const node = await until(
        () => client.get(Node, { name: `n${machine}` }),
        ({ spec }) => !spec.taints?.some(({ key }) => key.includes('uninitialized')),
        { explain },
      )
      expect(node.spec.providerID).toBe(`local://machines/n${machine}`)
      expect(node.metadata.labels).toMatchObject({
        'topology.kubernetes.io/zone': `rack-${machine}`,
        'topology.kubernetes.io/region': 'home',
      })
      expect(node.status.addresses).toContainEqual({ type: 'InternalIP', address: machines.address(machine) })
    }
  }, 60_000)

  it('sets routes to the pods of each node, on every machine that needs them', async () => {
    await until(
      () => machines.run(1, 'ip', ['route']),
      routes => routes.includes(`10.244.2.0/24 via ${machines.address(2)}`),
      { explain },
    )
    await until(
      () => machines.run(2, 'ip', ['route']),
      routes => routes.includes(`10.244.1.0/24 via ${machines.address(1)}`),
      { explain },
    )
    expect(await machines.run(1, 'ip', ['route'])).not.toContain('10.244.1.0/24')
  }, 60_000)

  it('gives a Service an address at which it is reached from every machine, nodes or not', async () => {
    await client.create(Service, {
      metadata: web,
      spec: { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] },
    } as never)
    await client.create(EndpointSlice, {
      metadata: { ...web, labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [POD], conditions: { ready: true } }],
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    } as never)
    const service = await until(
      () => client.get(Service, web),
      ({ status }) => (status.loadBalancer.ingress ?? []).length > 0,
      { explain },
    )
    expect(service.status.loadBalancer.ingress).toEqual([{ ip: pool, ipMode: 'VIP' }])
    for (const machine of [3, 2, 1, 0])
      await until(
        () => ask(machine, pool),
        answer => answer === 'pod',
        { explain },
      )
    expect(await addressesOf(1)).toContain(`${pool}/32`)
    expect(await addressesOf(2)).not.toContain(`${pool}/32`)
    expect(await neighbourOf(pool)).toBe(1)
  }, 90_000)

  it('has the other copy take over when the leader is killed, which tells the network where the address is now', async () => {
    const killed = programs.find(({ name, log }) => name === 'cloud-controller-manager' && log().includes('"leading"'))!
    killed.child.kill('SIGKILL')
    const startedMs = performance.now()
    await until(leader, holder => holder.startsWith('m2_'), { explain })
    console.info(`taken over ${((performance.now() - startedMs) / 1000).toFixed(1)} s after the leader was killed`)
    expect(performance.now() - startedMs).toBeLessThan(20_000)
    await until(
      () => neighbourOf(pool),
      machine => machine === 2,
      { explain },
    )
    await machines.cutOff(1)
    await until(
      () => ask(3, pool),
      answer => answer === 'pod',
      { explain },
    )
    await machines.heal(1)
  }, 90_000)

  it('lets go of the address on a machine that sees another one lead', async () => {
    expect(await addressesOf(1)).toContain(`${pool}/32`)
    programs.push(startManager(1))
    await until(
      () => addressesOf(1),
      addresses => !addresses.includes(`${pool}/32`),
      { explain },
    )
    expect(await ask(3, pool)).toBe('pod')
    expect((await client.get(Service, web)).status.loadBalancer.ingress).toEqual([{ ip: pool, ipMode: 'VIP' }])
  }, 60_000)

  it('takes the address back with the Service, and deletes the node of a machine that is gone', async () => {
    await client.delete(Service, web)
    await until(
      () => addressesOf(2),
      addresses => !addresses.includes(`${pool}/32`),
      { explain },
    )
    const gone = await client.get(Node, { name: 'n1' })
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: '' }]
    await client.updateStatus(Node, { ...gone, status: { ...gone.status, conditions } } as never)
    writeFileSync(place, JSON.stringify(placeOf(2)))
    await until(
      async () => (await client.list(Node)).items.map(({ metadata }) => metadata.name),
      names => names.join() === 'n2',
      { explain },
    )
  }, 60_000)
})
