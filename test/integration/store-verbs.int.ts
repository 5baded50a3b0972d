import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import { httpClient } from '#client/http/http-client.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { draft } from '#machinery/kind/draft.ts'
import { hasEtcd, startEtcd, type TestEtcd } from '../support/etcd.ts'
import { until } from '../support/until.ts'

/* `t8s store`, `t8s get --at` and `t8s diff --at` on a cluster of the built program. */

const folder = mkdtempSync(join(tmpdir(), 't8s-store-verbs-'))
const dataDir = join(folder, 'cluster')
const backup = join(folder, 'backup.t8s')
const launcher = join(import.meta.dirname, '../../bin/t8s')
const kubeconfig = join(dataDir, 'kubeconfig')
const PORT = '46562'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function t8s(...args: string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(launcher, args, { maxBuffer: 2 ** 26 })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome
    return { code, stdout, stderr }
  }
}
const store = (verb: string, ...args: string[]) => t8s('store', verb, ...args, '--data-dir', dataDir)
const up = async () =>
  expect(await t8s('up', '--data-dir', dataDir, '--nodes', '0', '--simulated-nodes', '1', '--port', PORT)).toMatchObject({ code: 0 })
const down = async () => expect(await t8s('down', '--data-dir', dataDir)).toMatchObject({ code: 0 })
const client = () => httpClient(clientOptionsFromFile(kubeconfig, realClock({ keepAlive: false })))
const name = { namespace: 'default', name: 'kept' }

beforeAll(async () => {
  await up()
  using admin = client()
  await admin.create(Secret, { metadata: name, data: { password: 'aHVudGVyMg==' } })
  await admin.create(ConfigMap, { metadata: name, data: { x: '1' } })
}, 120_000)
afterAll(async () => {
  await t8s('down', '--data-dir', dataDir, '--purge')
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

describe('the past of a cluster', () => {
  it('is shown by get and diff', async () => {
    using admin = client()
    const before = await admin.get(ConfigMap, name)
    await admin.update(ConfigMap, { ...draft(before), data: { x: '2' } })
    await admin.create(ConfigMap, { metadata: { ...name, name: 'new' } })
    const revision = before.metadata.resourceVersion!
    const flags = ['--kubeconfig', kubeconfig]
    expect((await t8s('get', 'cm', 'kept', '-o', 'yaml', '--at-revision', revision, ...flags)).stdout).toContain('x: "1"')
    expect((await t8s('get', 'cm', 'kept', '-o', 'yaml', ...flags)).stdout).toContain('x: "2"')
    const table = (await t8s('get', 'configmaps', ...flags)).stdout
    expect(table).toMatch(/^NAME +DATA +AGE\n/)
    expect(table).toMatch(/\nnew +0 /)
    expect((await t8s('get', 'cm', '--at-revision', revision, ...flags)).stdout).not.toContain('new')
    expect((await t8s('get', 'cm/kept', 'secret/kept', '-o', 'name', ...flags)).stdout).toBe('configmap/kept\nsecret/kept\n')
    expect((await t8s('get', 'cm', '-A', '--field-selector', 'metadata.name=kept', ...flags)).stdout).toMatch(
      /^NAMESPACE +NAME.*\ndefault +kept /,
    )
    const difference = await t8s('diff', '--at-revision', revision, 'cm', ...flags)
    expect(difference.code).toBe(1)
    expect(difference.stdout).toContain(`--- configmaps/default/kept at ${revision}\n`)
    expect(difference.stdout).toMatch(/\n- {2}x: "1"\n\+ {2}x: "2"\n/)
    expect(difference.stdout).toContain('+++ configmaps/default/new now\n')
    expect(await t8s('diff', '--at-revision', revision, 'secret/kept', ...flags)).toMatchObject({ code: 0, stdout: '' })
  })

  it('that is not kept, or makes no sense, is one sentence', async () => {
    const flags = ['--kubeconfig', kubeconfig]
    const told = async (...args: string[]) => (await t8s(...args, ...flags)).stderr
    expect(await told('get', 'pods', '--at=-48h')).toMatch(/^t8s: .*is not kept: history goes from resourceVersion \d+ .* to \d+ of .*Z\n$/)
    expect(await told('get', 'pods', '--at=noon')).toContain('invalid moment "noon"')
    expect(await told('diff', 'cm/kept')).toContain('give --at=-10m')
    expect(await told('diff', 'cm/none', '--at=newest')).toContain('configmaps "none" is not there')
    expect(await told('get', 'nonsense')).toBe('t8s: the server doesn\'t have a resource type "nonsense"\n')
    expect(await told('get', 'cm', 'none')).toContain('configmaps "none" not found')
  })
})

describe('a backup', () => {
  it('is taken of a running cluster, and appears whole', async () => {
    const taken = await store('backup', backup, '-o', 'json')
    expect(taken).toMatchObject({ code: 0 })
    const said = JSON.parse(taken.stdout) as { keys: number; sizeBytes: number; sha256: string }
    expect(said.keys).toBeGreaterThan(50)
    expect(said.sizeBytes).toBe(statSync(backup).size)
    expect(statSync(backup).mode & 0o777).toBe(0o600)
    expect(readFileSync(backup, 'latin1')).toContain('k8s:enc:secretbox:v1:key1:')
    expect(readFileSync(backup, 'latin1')).not.toContain('aHVudGVyMg')
    expect(await store('backup', backup)).toMatchObject({ code: 1, stderr: expect.stringContaining('is there already') })
    expect(readdirSync(folder).sort()).toEqual(['backup.t8s', 'cluster'])
  })

  it('and status speak with the server while it runs; what needs the store alone is refused', async () => {
    expect(JSON.parse((await store('status', '-o', 'json')).stdout)).toMatchObject({ engine: 'lmdb' })
    for (const args of [
      ['restore', backup, '--replace'],
      ['defragment'],
      ['migrate', '--to', 'etcd', '--etcd-servers', 'http://127.0.0.1:1'],
    ])
      expect(await store(...(args as [string]))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('stop it first with "t8s down"'),
      })
  })

  it('brings the objects back, without a resourceVersion coming twice; what was there is kept beside', async () => {
    using admin = client()
    await admin.create(ConfigMap, { metadata: { ...name, name: 'after-the-backup' } })
    await admin.delete(ConfigMap, name)
    await down()
    const restored = await store('restore', backup, '--replace', '-o', 'json')
    expect(restored).toMatchObject({ code: 0 })
    const { replaced, resourceVersion } = JSON.parse(restored.stdout) as { replaced: string; resourceVersion: string }
    expect(existsSync(replaced)).toBe(true)
    expect(Number(resourceVersion)).toBeGreaterThan(1_000_000_000)
    await up()
    using again = client()
    expect((await again.get(ConfigMap, name)).data).toEqual({ x: '2' })
    expect((await again.get(Secret, name)).data).toEqual({ password: 'aHVudGVyMg==' })
    await expect(again.get(ConfigMap, { ...name, name: 'after-the-backup' })).rejects.toMatchObject({ code: 404 })
    expect(Number((await again.create(ConfigMap, { metadata: { ...name, name: 'more' } })).metadata.resourceVersion)).toBeGreaterThan(
      1_000_000_000,
    )
    await down()
  }, 120_000)

  it('that is damaged, or none, is refused and leaves the store as it was', async () => {
    const before = readFileSync(join(dataDir, 'store/data.mdb'))
    const damaged = readFileSync(backup)
    damaged[damaged.length >> 1]! ^= 1
    writeFileSync(join(folder, 'damaged'), damaged)
    expect((await store('restore', join(folder, 'damaged'), '--replace')).stderr).toContain('the snapshot is cut short or damaged')
    writeFileSync(join(folder, 'other'), 'SQLite format 3')
    expect((await store('restore', join(folder, 'other'), '--replace')).stderr).toContain('is no snapshot of "t8s store backup"')
    expect((await store('restore', join(folder, 'absent'), '--replace')).stderr).toContain('There is no file')
    expect((await store('restore', backup)).stderr).toContain('exists already')
    expect(readFileSync(join(dataDir, 'store/data.mdb')).equals(before)).toBe(true)
  })

  it('of a stopped cluster holds the same as one of the running cluster would', async () => {
    const file = join(folder, 'stopped.t8s')
    expect(await store('backup', file)).toMatchObject({ code: 0, stdout: expect.stringMatching(/keys as of resourceVersion 1\d{9}, /) })
    const copy = join(folder, 'copy')
    expect(await t8s('store', 'restore', file, '--directory', copy)).toMatchObject({ code: 0 })
    const status = JSON.parse((await t8s('store', 'status', '--directory', copy, '-o', 'json')).stdout) as { keys: number }
    expect(JSON.parse((await store('status', '-o', 'json')).stdout)).toMatchObject({ keys: status.keys })
  })

  it('onto a disk that is full leaves nothing', async () => {
    if (process.getuid?.() !== 0) return
    const small = join(folder, 'small')
    const run = promisify(execFile)
    await run('mkdir', [small])
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small])
    try {
      expect((await store('backup', join(small, 'backup'))).stderr).toContain('There is no space left')
      expect(readdirSync(small)).toEqual([])
    } finally {
      await run('umount', [small])
    }
  })
})

it('a store whose log is damaged is refused with what to do, and what came before is saved', async () => {
  await up()
  using admin = client()
  await admin.create(ConfigMap, { metadata: { ...name, name: 'before-the-damage' } })
  const pid = Number(readFileSync(join(dataDir, 't8s.pid'), 'utf8').split(/\s/)[0])
  process.kill(pid, 'SIGKILL')
  await until('the server is gone', () => !existsSync(`/proc/${pid}`))
  const log = join(dataDir, 'store/data.log')
  const bytes = readFileSync(log)
  // In the first append that is still needed, or one that LMDB has taken in: so in all of them.
  for (let at = bytes.indexOf('T8SM'); at >= 0; at = bytes.indexOf('T8SM', at + 1)) bytes[at + 300]! ^= 1
  writeFileSync(log, bytes)
  const file = join(folder, 'salvaged.t8s')
  expect(await store('backup', file)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/data\.log is damaged.*t8s store backup --salvage/),
  })
  expect(existsSync(file)).toBe(false)
  expect(await store('backup', file, '--salvage')).toMatchObject({ code: 0 })
  expect(readFileSync(log).equals(bytes)).toBe(true)
  expect(await store('restore', file, '--replace')).toMatchObject({ code: 0 })
  await up()
  using again = client()
  expect((await again.get(ConfigMap, name)).data).toEqual({ x: '2' })
  await down()
}, 120_000)

it('defragmenting gives space back and keeps everything', async () => {
  const before = JSON.parse((await store('status', '-o', 'json')).stdout) as { keys: number; resourceVersion: string }
  const done = await store('defragment', '-o', 'json')
  expect(done).toMatchObject({ code: 0 })
  const [sizes] = (JSON.parse(done.stdout) as { stores: { beforeBytes: number; afterBytes: number }[] }).stores
  expect(sizes!.afterBytes).toBeLessThanOrEqual(sizes!.beforeBytes)
  expect(JSON.parse((await store('status', '-o', 'json')).stdout)).toMatchObject({
    keys: before.keys,
    resourceVersion: before.resourceVersion,
  })
})

describe.skipIf(!hasEtcd)('a migration (needs etcd)', () => {
  let etcd: TestEtcd
  let flags: readonly string[]

  beforeAll(async () => {
    await down()
    etcd = await startEtcd({ tls: true })
    flags = etcd.flags
  }, 120_000)
  afterAll(() => etcd[Symbol.asyncDispose]())

  it('needs the certificates that etcd asks for, and says so', async () => {
    const outcome = await store('migrate', '--to', 'etcd', '--etcd-servers', etcd.url)
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('check that etcd runs and that the endpoints and certificates are right')
  })

  it('takes everything to etcd, and back', async () => {
    const keys = async (...args: string[]) =>
      (JSON.parse((await t8s('store', 'status', ...args, '-o', 'json')).stdout) as { keys: number }).keys
    const before = await keys('--data-dir', dataDir)
    expect(await store('migrate', '--to', 'etcd', ...flags)).toMatchObject({ code: 0 })
    expect(await keys(...flags)).toBe(before)
    expect(await store('migrate', '--to', 'etcd', ...flags)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('only be restored into an empty store'),
    })
    expect(await t8s('store', 'defragment', ...flags)).toMatchObject({ code: 0 })
    const back = join(folder, 'back')
    expect(await t8s('store', 'migrate', '--to', 'lmdb', ...flags, '--directory', back)).toMatchObject({ code: 0 })
    expect(await keys('--directory', back)).toBe(before)
    expect(await t8s('store', 'backup', join(folder, 'of-etcd.t8s'), ...flags)).toMatchObject({ code: 0 })
    expect((await t8s('store', 'restore', join(folder, 'of-etcd.t8s'), ...flags)).stderr).toContain('only be restored into an empty store')
    await etcd.etcdctl('del', '', '--prefix')
    expect(await t8s('store', 'restore', join(folder, 'of-etcd.t8s'), ...flags)).toMatchObject({ code: 0 })
    expect(await keys(...flags)).toBe(before)
  }, 60_000)

  it('that was cut off is begun anew, and servers refuse what it left', async () => {
    await etcd.etcdctl('del', '', '--prefix')
    await etcd.etcdctl('put', 'typernetes.dev/restoring', 'x')
    await etcd.etcdctl('put', '/registry/half', 'x')
    const server = join(launcher, '../kube-apiserver')
    const refused = await promisify(execFile)(server, [...flags, '--secure-port', '46565']).catch((error: Outcome) => error)
    expect(refused.stderr).toContain('was not finished: restore it again')
    expect(await store('migrate', '--to', 'etcd', ...flags)).toMatchObject({ code: 0 })
    expect((await t8s('store', 'backup', join(folder, 'again.t8s'), ...flags)).code).toBe(0)
    expect(readFileSync(join(folder, 'again.t8s'), 'latin1')).not.toContain('/registry/half')
  }, 60_000)
})
