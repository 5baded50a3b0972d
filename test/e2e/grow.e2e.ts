import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endProcess, readPidFile, sendSignal } from '#base/process/running-process.ts'
import { realClock } from '#base/time/real-clock.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { type TestMachines, testMachines } from '../support/test-machines.ts'
import { until } from '../support/until.ts'

/* A cluster that grows, from one machine to servers with etcd, loses its majority for good, and goes on from the one that is left. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 't8s-grow-'))
const prefix = `grw${process.pid % 10_000}`
const single = join(folder, 'single')
const dirOf = (machine: number) => join(folder, `m${machine}`)
const at = (name: string) => ({ namespace: 'default', name })

let machines: TestMachines

/** Runs a verb on a machine. */
const t8s = (machine: number, verb: readonly string[], dataDir = dirOf(machine)) =>
  machines.run(machine, join(root, 't8s'), [...verb, '--name', `${prefix}m${machine}`, '--data-dir', dataDir], { timeoutMs: 120_000 })
/** A client of the server on a machine, by the kubeconfig of another. */
const clientOf = (machine: number, kubeconfig: string): HttpClient =>
  httpClient({ ...clientOptionsFromFile(kubeconfig, realClock()), server: `https://${machines.address(machine)}:6443` })
const joinServer = async (machine: number) => {
  const token = (await t8s(1, ['token', 'create', '--role', 'server', '--print-token'])).trim()
  await t8s(machine, ['server', '--join', `https://${machines.address(1)}:6443`, '--token', token, '--server-name', `s${machine}`])
}
const statusOf = async (machine: number) =>
  JSON.parse(await t8s(machine, ['status', '-o', 'json'])) as {
    ready: boolean
    problem?: string
    members: { name: string; role: string }[]
  }

/** A Deployment that nobody has observed yet shows that controllers work. */
async function controllersWork(client: HttpClient, name: string): Promise<void> {
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'none' }] } }
  await client.create(Deployment, { metadata: at(name), spec: { replicas: 0, selector: { matchLabels: labels }, template } })
  await until(`the Deployment ${name} is observed`, async () => {
    const { status } = await client.get(Deployment, at(name))
    return status.observedGeneration === 1
  })
}

async function killServer(machine: number): Promise<void> {
  for (const file of ['server.pid', 'etcd.pid']) {
    const running = readPidFile(join(dirOf(machine), file))
    if (running) {
      sendSignal(running, 'SIGKILL')
      await endProcess(running, 0)
    }
  }
}

beforeAll(async () => {
  machines = await testMachines(prefix, 3)
}, 30_000)

afterAll(async () => {
  if (machines) {
    for (const [machine, dir] of [[1, single] as const, ...[1, 2, 3].map(machine => [machine, dirOf(machine)] as const)])
      await t8s(machine, ['down', '--purge'], dir).catch(() => undefined)
    await machines[Symbol.asyncDispose]()
  }
  rmSync(folder, { recursive: true, force: true })
}, 120_000)

describe('a cluster of one machine', () => {
  let clusterIP: string

  it('is continued by servers, with its objects, Secrets, addresses and kubeconfig', async () => {
    await t8s(1, ['up', '--nodes', '0', '--simulated-nodes', '1'], single)
    const kubeconfig = join(single, 'kubeconfig')
    const inCluster = (...args: string[]) => machines.run(1, join(root, 't8s'), [...args, '--kubeconfig', kubeconfig])
    // Its API listens on the machine's own loopback: objects are made by a program there.
    await machines.run(1, process.execPath, [await fillProgram(join(folder, 'fill.mjs')), kubeconfig], { timeoutMs: 60_000 })
    clusterIP = (await inCluster('get', 'service/web', '-o', 'json')).match(/"clusterIP": "([^"]+)"/)![1]!

    const grow = ['server', '--cluster-init', '--from', single, '--server-name', 's1']
    await expect(t8s(1, grow)).rejects.toThrow(/is running.*t8s down/s)
    expect(existsSync(join(dirOf(1), 'server.json'))).toBe(false)
    await t8s(1, ['down'], single)
    await t8s(1, grow)

    using client = clientOf(1, kubeconfig) // made for the cluster before
    expect((await client.get(Secret, at('kept'))).data).toEqual({ password: 'aHVudGVyMg==' })
    expect(
      (await client.list(ConfigMap, { namespace: 'default' })).items.filter(({ metadata }) => metadata.name!.startsWith('c')),
    ).toHaveLength(50)
    expect((await client.get(Service, at('web'))).spec.clusterIP).toBe(clusterIP)
    const another = await client.create(Service, { metadata: at('another'), spec: { ports: [{ port: 80 }] } })
    expect(another.spec.clusterIP).not.toBe(clusterIP)
    await controllersWork(client, 'grown')
    // Only once: the next start finds everything in etcd.
    expect(readFileSync(join(dirOf(1), 'server.json'), 'utf8')).not.toContain('"from"')
    await t8s(1, ['down'])
    await t8s(1, ['server'])
    expect((await client.get(Service, at('another'))).spec.clusterIP).toBe(another.spec.clusterIP)
    const said = await t8s(1, ['server', '--history', '1h', '-o', 'json'])
    expect(said).toContain('--history is kept, and acts when this server starts again')
    expect(await t8s(1, ['server', '-o', 'json'])).not.toContain('acts when')
  }, 180_000)

  it('is joined by more servers', async () => {
    await joinServer(2)
    await joinServer(3)
    using client = clientOf(3, join(dirOf(1), 'kubeconfig'))
    expect((await client.get(Secret, at('kept'))).data).toEqual({ password: 'aHVudGVyMg==' })
    await client.create(ConfigMap, { metadata: at('by-the-third'), data: {} })
    expect((await statusOf(1)).members).toHaveLength(3)
  }, 120_000)

  it('that lost its majority for good goes on from the server that is left, which others join anew', async () => {
    await Promise.all([killServer(2), killServer(3)])
    for (const machine of [2, 3]) rmSync(dirOf(machine), { recursive: true })
    expect((await statusOf(1)).problem).toContain('2 are needed to write')
    await expect(t8s(1, ['server', '--cluster-reset'])).rejects.toThrow(/is running.*t8s down/s)
    await t8s(1, ['down'])
    await t8s(1, ['server', '--cluster-reset'])
    using client = clientOf(1, join(dirOf(1), 'kubeconfig'))
    expect((await client.get(ConfigMap, at('by-the-third'))).metadata.name).toBe('by-the-third')
    expect((await client.get(Secret, at('kept'))).data).toEqual({ password: 'aHVudGVyMg==' })
    await controllersWork(client, 'reset')
    const alone = await statusOf(1)
    expect(alone.members.map(({ name, role }) => [name, role])).toEqual([['s1', 'leader']])
    await until('the lost ones are no endpoints', async () => {
      const { endpoints } = await client.get(EndpointSlice, at('kubernetes'))
      return (endpoints ?? []).flatMap(({ addresses }) => addresses).join() === machines.address(1)
    })

    await joinServer(2)
    expect((await statusOf(1)).members.map(({ name }) => name).sort()).toEqual(['s1', 's2'])
    // It was for that start alone.
    await t8s(1, ['down'])
    await t8s(1, ['server'])
    expect((await statusOf(1)).members).toHaveLength(2)
    await until('both answer', async () => (await statusOf(2)).ready)
  }, 180_000)

  it('is backed up by any server, and begun anew elsewhere from the backup, when all servers are gone', async () => {
    const backup = join(folder, 'backup.t8s')
    const status = JSON.parse(await t8s(2, ['store', 'status', '-o', 'json'])) as { engine: string; keys: number }
    expect(status.engine).toBe('etcd')
    const taken = JSON.parse(await t8s(2, ['store', 'backup', backup, '-o', 'json'])) as { keys: number }
    expect(taken.keys).toBeGreaterThan(100)
    expect(await t8s(2, ['store', 'backup', join(folder, 'earlier.t8s'), '--at=-1s'])).toContain('keys as of resourceVersion')
    expect(await t8s(2, ['store', 'defragment'])).toContain('bytes before')
    await expect(t8s(2, ['store', 'restore', backup])).rejects.toThrow(/begin anew with "t8s server --cluster-init --from FILE"/)
    const kubeconfig = join(folder, 'kubeconfig')
    cpSync(join(dirOf(1), 'kubeconfig'), kubeconfig)
    cpSync(join(dirOf(1), 'certificates'), join(folder, 'certificates'), { recursive: true })
    await Promise.all([killServer(1), killServer(2)])
    for (const machine of [1, 2]) rmSync(dirOf(machine), { recursive: true })

    const begin = ['server', '--cluster-init', '--from', backup, '--server-name', 's3']
    await expect(t8s(3, begin)).rejects.toThrow(/has encrypted values.*put the directory "certificates"/s)
    cpSync(join(folder, 'certificates'), join(dirOf(3), 'certificates'), { recursive: true })
    await t8s(3, begin)
    using client = clientOf(3, kubeconfig)
    expect((await client.get(Secret, at('kept'))).data).toEqual({ password: 'aHVudGVyMg==' })
    expect((await client.get(ConfigMap, at('by-the-third'))).metadata.name).toBe('by-the-third')
    await controllersWork(client, 'anew')
    await until('only the new one is an endpoint', async () => {
      const { endpoints } = await client.get(EndpointSlice, at('kubernetes'))
      return (endpoints ?? []).flatMap(({ addresses }) => addresses).join() === machines.address(3)
    })
    expect((await statusOf(3)).members.map(({ name }) => name)).toEqual(['s3'])
  }, 120_000)
})

/** Makes objects of several kinds by a kubeconfig. */
async function fillProgram(file: string): Promise<string> {
  const { build } = await import('esbuild')
  const contents = `
    import { realClock } from '#base/time/real-clock.ts'
    import { httpClient } from '#client/http/http-client.ts'
    import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
    import { ConfigMap } from '#kinds/core/v1/config-map.ts'
    import { Secret } from '#kinds/core/v1/secret.ts'
    import { Service } from '#kinds/core/v1/service.ts'
    const client = httpClient(clientOptionsFromFile(process.argv[2], realClock()))
    const at = name => ({ namespace: 'default', name })
    await client.create(Secret, { metadata: at('kept'), data: { password: 'aHVudGVyMg==' } })
    for (let n = 0; n < 50; n++) await client.create(ConfigMap, { metadata: at('c' + n), data: { n: String(n) } })
    await client.create(Service, { metadata: at('web'), spec: { ports: [{ port: 80 }] } })
    process.exit(0)
  `
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    conditions: ['source'],
  })
  return file
}
