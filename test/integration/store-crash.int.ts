import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildOptions, build, type Plugin, type PluginBuild } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type Random, seededRandom } from '#base/random/random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import { prefix, type Store, type WatchEvent } from '#store/store.ts'
import { DamagedStoreError, LockedError, NoSpaceError } from '#store/store-errors.ts'
import { until } from '../support/until.ts'

/* What is left of a store after its process was killed, after the power went, and when the disk is full. */

const SEED = Number(process.env['SEED'] ?? 1)
const ROUNDS = Number(process.env['CRASHES'] ?? 20)
const POWER_CUTS = Number(process.env['POWER_CUTS'] ?? 500)
const STOPS = Number(process.env['STOPS'] ?? 16)
const BITS = Number(process.env['BITS'] ?? 100)
const folder = mkdtempSync(join(tmpdir(), 'store-crash-'))
const program = join(import.meta.dirname, '../../node_modules/.cache', `store-crash-${process.pid}.mjs`)
/** The same program, but that nothing is synced; or that the log is not. */
const careless = program.replace('.mjs', '-careless.mjs')
const carelessLog = program.replace('.mjs', '-careless-log.mjs')
const hasStrace = spawnSync('strace', ['-V']).status === 0
const canMount = process.getuid?.() === 0

const common = {
  entryPoints: [join(import.meta.dirname, 'store-crash.program.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  conditions: ['source'],
} as const satisfies BuildOptions

beforeAll(async () => {
  await build({ ...common, outfile: program })
  await build({ ...common, outfile: careless, plugins: [UNSYNCED_DATABASE, UNSYNCED_LOG] })
  await build({ ...common, outfile: carelessLog, plugins: [UNSYNCED_LOG] })
})
afterAll(() => {
  for (const built of [program, careless, carelessLog]) rmSync(built, { force: true })
  rmSync(folder, { recursive: true })
})

describe('a store whose process is killed', () => {
  it(`[S1][S19][S22] has every acknowledged write when it is opened again, ${ROUNDS} times over (SEED=${SEED})`, async ({ signal }) => {
    const directory = join(folder, 'killed')
    const random = seededRandom(SEED)
    const kept = new Map<string, Acknowledged>()
    let highest = 1
    for (let round = 0; round < ROUNDS; round++) {
      signal.throwIfAborted() // a run whose time is up must not go on beside the next tests, whose disk its processes would hold
      const child = spawn(process.execPath, [program, directory, String(SEED * 1000 + round)], { stdio: ['ignore', 'pipe', 'inherit'] })
      const { opened, acknowledged } = await killAfter(child, 20 + random.below(400))
      expect(opened).toBeGreaterThanOrEqual(highest)
      const revisions = acknowledged.map(each => each.revision)
      expect(new Set(revisions).size).toBe(revisions.length)
      expect(Math.min(...revisions)).toBeGreaterThan(opened)
      for (const each of acknowledged) kept.set(each.key, each)
      highest = Math.max(highest, ...revisions)
      await using store = await reopened(directory)
      await check(store.store, kept, highest)
    }
  }, 3_600_000)

  it(`[S19] has every acknowledged write or says that it is damaged, whichever bit of its log is wrong, ${BITS} of them (SEED=${SEED})`, async () => {
    const directory = join(folder, 'killed-and-damaged')
    const args = [program, directory, String(SEED), '1', '40', 'stay']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const { acknowledged } = await killAfter(child, 40)
    const [database, log] = ['data.mdb', 'data.log'].map(name => readFileSync(join(directory, name))) as [Buffer, Buffer]
    // One writer has written one after another, and nothing but that: all of it was acknowledged.
    const written =
      log.length -
      Buffer.from(log)
        .reverse()
        .findIndex(byte => byte !== 0)
    const last = log.lastIndexOf('T8SM')
    const random = seededRandom(SEED)
    let refused = 0
    for (let n = 0; n < BITS; n++) {
      const copy = join(folder, 'damaged')
      mkdirSync(copy)
      const damaged = Buffer.from(log)
      // Half of them in what was written last.
      const from = n % 2 === 0 ? 0 : last
      damaged[from + random.below(written - from)]! ^= 1 << random.below(8)
      writeFileSync(join(copy, 'data.mdb'), database)
      writeFileSync(join(copy, 'data.log'), damaged)
      await checkAll(copy, acknowledged).catch((error: unknown) => {
        if (!(error instanceof DamagedStoreError)) throw error
        refused++
      })
      rmSync(copy, { recursive: true })
    }
    expect(refused).toBeGreaterThan(BITS / 4)
  }, 600_000)

  it('[S22] is not to be had by another process while the first is stopped', async () => {
    const directory = join(folder, 'stopped')
    const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(resolve => child.stdout!.once('data', resolve))
    child.kill('SIGSTOP')
    await expect(open(directory)).rejects.toBeInstanceOf(LockedError)
    child.kill('SIGCONT')
    await expect(open(directory)).rejects.toThrow(`in use by process ${child.pid}`)
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('close', resolve))
    await (await open(directory)).close()
  })
})

describe.skipIf(!hasStrace)('a store whose machine loses power (needs strace)', () => {
  let trace: DiskTrace

  beforeAll(() => {
    trace = traceOf(program, 'traced')
  })

  it(`[S19] has every acknowledged write on what was synced by then, with the rest lost, torn or reordered, after each of its calls: ${POWER_CUTS} cuts (SEED=${SEED})`, async () => {
    expect(trace.acknowledgements).toBeGreaterThanOrEqual(1200)
    // Both halves of the log were used more than once, and LMDB took in what they held.
    expect(trace.count('data.log', 'write')).toBeGreaterThan(100)
    expect(trace.count('data.mdb', 'sync')).toBeGreaterThan(4)
    const random = seededRandom(SEED)
    for (let cut = 0; cut < POWER_CUTS; cut++) {
      const failure = await verifyAfter(trace, trace.moment(cut, POWER_CUTS), random, 'some')
      expect(failure).toBeUndefined()
    }
  }, 3_600_000)

  it('this test notices a disk that does not sync', async () => {
    const random = seededRandom(SEED)
    let failures = 0
    for (let cut = 0; cut < 20; cut++) if (await verifyAfter(trace, trace.length - random.below(50), random, 'everything')) failures++
    expect(failures).toBeGreaterThan(0)
  })

  it('this test notices a build of ours that does not sync', async () => {
    const random = seededRandom(SEED)
    const unsynced = traceOf(careless, 'traced-careless')
    expect(unsynced.acknowledgements).toBeGreaterThanOrEqual(1200)
    expect(unsynced.syncs).toBeLessThan(trace.syncs / 10)
    let failures = 0
    for (let cut = 0; cut < 20; cut++) if (await verifyAfter(unsynced, unsynced.moment(cut, 20), random, 'all')) failures++
    expect(failures).toBeGreaterThan(10)
  })

  it('this test notices a build of ours that does not sync the log', async () => {
    const random = seededRandom(SEED)
    const unsynced = traceOf(carelessLog, 'traced-careless-log')
    expect(unsynced.acknowledgements).toBeGreaterThanOrEqual(1200)
    let failures = 0
    for (let cut = 0; cut < 20; cut++) if (await verifyAfter(unsynced, unsynced.moment(cut, 20), random, 'all')) failures++
    expect(failures).toBeGreaterThan(10)
  })

  it(`[S19] has every acknowledged write when it was stopped for good at its n-th write, sync or rename, ${STOPS} times`, async () => {
    const random = seededRandom(SEED)
    let killed = 0
    for (let stop = 0; stop < STOPS; stop++) {
      const directory = join(folder, `stopped-at-${stop}`)
      const [call, most] = STOPPED_AT[stop % STOPPED_AT.length]!
      // One after another from the first on, and half of them anywhere.
      const nth = stop < STOPS / 2 ? Math.floor(stop / STOPPED_AT.length) % most : random.below(most)
      const inject = `inject=${call}:signal=KILL:when=${1 + nth}`
      const args = [
        '-f',
        '-e',
        `trace=${call}`,
        '-e',
        inject,
        '-o',
        '/dev/null',
        process.execPath,
        program,
        directory,
        String(SEED + stop),
        '4',
        '900',
      ]
      const { stdout, signal } = spawnSync('strace', args, { maxBuffer: 2 ** 28 })
      const lines = stdout.toString().split('\n').slice(0, -1)
      if (signal === 'SIGKILL') killed++
      const said = lines.map(line => JSON.parse(line) as Acknowledged).filter(({ key }) => key)
      await checkAll(directory, said)
      rmSync(directory, { recursive: true, force: true })
    }
    expect(killed).toBeGreaterThan(STOPS / 2)
  }, 3_600_000)
})

/**
 * The lmdb package (3.5.6, `mdb_page_flush`) tells of a write that failed in 100 bytes that it takes for that, and its text is up to 112 long. Mostly
 * nobody notices before the process ends; one run in ten, the C library ends it with SIGABRT, which stops it as well but says less. So many times in
 * a row would be something else.
 */
const MAX_ABORTED = 8

/** What LMDB and we write with, and how often about; threads are counted one by one. */
const STOPPED_AT = [
  ['pwrite64', 200],
  ['fdatasync', 6],
  ['writev', 8],
  ['rename', 1],
  ['fsync', 5],
  ['unlink', 4],
] as const

/** Runs a program and records what it does with its files. */
function traceOf(built: string, name: string): DiskTrace {
  const directory = join(folder, name)
  const log = join(folder, `${name}.trace`)
  const calls = 'trace=openat,close,rename,unlink,lseek,write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync,ftruncate,fallocate'
  const args = ['-f', '-xx', '-s', String(2 ** 22), '-e', calls, '-o', log, process.execPath, built, directory, String(SEED), '4', '1200']
  execFileSync('strace', args, { stdio: 'ignore' })
  return new DiskTrace(readFileSync(log, 'latin1'))
}

/** Builds of the store with syncing switched off. */
const UNSYNCED_DATABASE = without(/lmdb-journal\.ts$/, 'overlappingSync: false,', 'overlappingSync: false, noSync: true,')
const UNSYNCED_LOG = without(/write-ahead-log\.ts$/, 'constants.O_WRONLY | constants.O_DSYNC', 'constants.O_WRONLY')

function without(filter: RegExp, what: string, instead: string): Plugin {
  const setup = (building: PluginBuild) =>
    building.onLoad({ filter }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const contents = source.replace(what, instead)
      if (contents === source) throw new Error(`there is nothing to switch off any more in ${path}: look how it syncs`)
      return { contents, loader: 'ts' as const }
    })
  return { name: `without ${what}`, setup }
}

describe.skipIf(!hasStrace)('a store whose disk fails (needs strace)', () => {
  it.each([
    ['data.mdb', 'fdatasync', 4],
    ['data.mdb', 'writev', 6],
    ['data.mdb', 'pwrite64', 8],
    ['data.log', 'pwrite64', 60],
  ])(
    '[S19][S21] says so and stops when on %s %s fails from the %ith time on, with all it acknowledged on disk',
    async (file, call, from) => {
      let hasSaidSo = false
      for (let seed = SEED; !hasSaidSo; seed++) {
        expect(seed).toBeLessThan(SEED + MAX_ABORTED)
        const directory = join(folder, `failing-${call}-${file}-${seed}`)
        const inject = `inject=${call}:error=EIO:when=${from}+`
        const args = ['-f', '-P', join(directory, file), '-e', `trace=${call}`, '-e', inject, '-o', '/dev/null']
        const ended = spawnSync('strace', [...args, process.execPath, program, directory, String(seed)], { maxBuffer: 2 ** 28 })
        const lines = ended.stdout.toString().trim().split('\n')
        if (ended.signal !== 'SIGABRT' || file !== 'data.mdb') {
          expect(JSON.parse(lines.at(-1)!)).toMatchObject({ fatal: expect.stringContaining('check the disk, then start again') })
          expect(ended.status).toBe(3)
          hasSaidSo = true
        }
        const acknowledged = lines.map(line => JSON.parse(line) as Acknowledged).filter(({ key }) => key)
        expect(acknowledged.length).toBeGreaterThan(10)
        await checkAll(directory, acknowledged)
      }
    },
  )
})

describe.skipIf(!canMount)('a store on a full disk (needs root to mount one)', () => {
  it.each([
    ['without room for a log', 8],
    ['with a log', 24],
  ])('[S21] refuses writes, goes on reading and watching, and takes writes again once there is space, %s', async (_, megabytes) => {
    const directory = join(folder, `full-${megabytes}`)
    mkdirSync(directory)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory])
    let opened: LmdbStore | undefined
    const openIt = async () => {
      opened = await open(join(directory, 'store'))
      return opened
    }
    try {
      writeFileSync(join(directory, 'filler'), Buffer.alloc(3 * 2 ** 20))
      const store = await openIt()
      let events = 0
      const sink = {
        events: (batch: readonly unknown[]) => {
          events += batch.length
        },
        end: () => {},
      }
      store.watch(prefix('/'), sink)
      const put = (n: number) => store.txn({ success: [{ type: 'put', key: `/k${n}`, value: Buffer.alloc(3000, n) }] })
      let written = 0
      let refused = 0
      for (let n = 0; refused < 50; n++) {
        const outcome = await put(n).catch((error: unknown) => error)
        if (outcome instanceof NoSpaceError) refused++
        else written++
        expect(outcome instanceof Error && !(outcome instanceof NoSpaceError)).toBe(false)
      }
      expect(written).toBeGreaterThan(100)
      expect(store.rangeNow(prefix('/')).count).toBe(written)
      expect(events).toBe(written)
      expect((await store.status()).problems[0]).toContain('no space left')
      rmSync(join(directory, 'filler'))
      expect((await put(100_000)).revision).toBe(written + 2)
      await store.close()
      const again = await openIt()
      expect(again.rangeNow(prefix('/')).count).toBe(written + 1)
      expect((await again.status()).problems).toEqual([])
      await again.close()
    } finally {
      await opened?.close()
      // A process that was just forked somewhere holds all that is open until it becomes its own program.
      await until('the disk is unmounted', () => spawnSync('umount', [directory], { stdio: 'ignore' }).status === 0)
    }
  })

  it('[S19][S21] loses nothing of what was acknowledged when the disk fills before it is in the database', async () => {
    const directory = join(folder, 'filled')
    mkdirSync(directory)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory])
    let store = await open(join(directory, 'store'))
    try {
      const acknowledged: unknown[][] = []
      const put = async () => {
        const n = 1000 + acknowledged.length
        await store.txn({ success: [{ type: 'put', key: `/k${n}`, value: Buffer.alloc(3000, n) }] })
        acknowledged.push([`/k${n}`, 3000, n % 256])
      }
      const values = () => store.rangeNow(prefix('/k')).kvs.map(({ key, value }) => [key, value.length, value[0]])
      const untilRefused = async () => {
        let refusal: unknown
        while (!refusal) {
          await put().catch((error: unknown) => {
            refusal = error
          })
        }
        return refusal
      }
      for (let n = 0; n < 100; n++) await put()
      for (let time = 0; time < 3; time++) {
        fillUp(join(directory, 'filler'))
        expect(await untilRefused()).toBeInstanceOf(NoSpaceError)
        expect(values()).toEqual(acknowledged)
        truncateSync(join(directory, 'filler'), 0)
        await put()
      }
      fillUp(join(directory, 'filler'))
      await untilRefused()
      await store.close()
      rmSync(join(directory, 'filler'))
      store = await open(join(directory, 'store'))
      expect(values()).toEqual(acknowledged)
      await put()
    } finally {
      await store.close()
      execFileSync('umount', [directory])
    }
  })

  it('[S19][S21] opens for reads and watches with all that was acknowledged when its process was killed and the disk has filled since', async () => {
    const directory = join(folder, 'killed-and-filled')
    const [path, filler] = [join(directory, 'store'), join(directory, 'filler')]
    mkdirSync(directory)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory])
    let store: LmdbStore | undefined
    try {
      const child = spawn(process.execPath, [program, path, String(SEED)], { stdio: ['ignore', 'pipe', 'inherit'] })
      const { acknowledged } = await killAfter(child, 150)
      const log = readFileSync(join(path, 'data.log'))
      fillUp(filler)
      for (let time = 0; time < 2; time++) {
        store = await open(path)
        await check(store, newestOf(acknowledged), Math.max(...acknowledged.map(({ revision }) => revision)))
        const history = acknowledged.at(-1)!.revision - 20
        expect(store.rangeNow({ ...prefix('/crash/'), revision: history }).kvs.every(({ modRevision }) => modRevision <= history)).toBe(
          true,
        )
        const seen: number[] = []
        const sink = { events: (events: readonly WatchEvent[]) => seen.push(...events.map(({ kv }) => kv.modRevision)), end: () => {} }
        store.watch({ ...prefix('/crash/'), revision: history }, sink)
        await until('the watch has caught up', () => seen.at(-1) === store!.revisionNow())
        const before = store.rangeNow(prefix('/crash/'))
        const { key } = before.kvs[0]!
        await expect(store.txn({ success: [{ type: 'put', key: '/more', value: Buffer.from('1') }] })).rejects.toBeInstanceOf(NoSpaceError)
        await expect(store.txn({ success: [{ type: 'delete', key }] })).rejects.toBeInstanceOf(NoSpaceError)
        expect(store.rangeNow(prefix('/crash/'))).toEqual(before)
        expect((await store.status()).problems[0]).toContain('no space left')
        await store.close()
        expect(readFileSync(join(path, 'data.log')).equals(log)).toBe(true)
      }
      store = await open(path)
      rmSync(filler)
      await store.txn({ success: [{ type: 'put', key: '/more', value: Buffer.from('1') }] })
      expect((await store.status()).problems).toEqual([])
      await store.close()
      expect(readdirSync(path)).not.toContain('data.log')
      await checkAll(path, acknowledged)
    } finally {
      await store?.close()
      execFileSync('umount', [directory])
    }
  })

  it('says what to do where not even that is possible', async () => {
    const directory = join(folder, 'filled-for-good')
    const [path, filler] = [join(directory, 'store'), join(directory, 'filler')]
    mkdirSync(directory)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory])
    try {
      await (await open(path)).close()
      rmSync(join(path, 'data.mdb-lock'))
      fillUp(filler)
      await expect(open(path)).rejects.toThrow(/cannot be opened: its disk is full; free some space/)
      rmSync(filler)
      await (await open(path)).close()
    } finally {
      execFileSync('umount', [directory])
    }
  })
})

/** Takes all the room there is left. */
function fillUp(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4096))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}

/** A write that was answered. `value` null: a delete. */
interface Acknowledged {
  readonly key: string
  readonly value: string | null
  readonly revision: number
}

function open(directory: string): Promise<LmdbStore> {
  return LmdbStore.open({ directory, clock: realClock(), logger: silentLogger })
}

async function reopened(directory: string): Promise<AsyncDisposable & { store: LmdbStore }> {
  const store = await open(directory)
  return { store, [Symbol.asyncDispose]: () => store.close() }
}

/** Kills the program once it has acknowledged `count` writes, and answers all it said. */
async function killAfter(child: ChildProcess, count: number): Promise<{ opened: number; acknowledged: Acknowledged[] }> {
  let said = ''
  let lines = 0
  child.stdout!.on('data', (data: Buffer) => {
    said += data.toString()
    for (const byte of data) if (byte === 10) lines++
    if (lines > count) child.kill('SIGKILL')
  })
  await new Promise(resolve => child.once('close', resolve))
  const [first, ...rest] = said.slice(0, said.lastIndexOf('\n')).split('\n')
  return { opened: (JSON.parse(first!) as { opened: number }).opened, acknowledged: rest.map(line => JSON.parse(line) as Acknowledged) }
}

/** Opens the store and checks it against all that was acknowledged. */
async function checkAll(directory: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  await using store = await reopened(directory)
  await check(store.store, newestOf(acknowledged), Math.max(1, ...acknowledged.map(each => each.revision)))
}

function newestOf(acknowledged: readonly Acknowledged[]): Map<string, Acknowledged> {
  const newest = new Map<string, Acknowledged>()
  for (const each of acknowledged) {
    const known = newest.get(each.key)
    if (!known || known.revision < each.revision) newest.set(each.key, each)
  }
  return newest
}

/** All that was acknowledged is there, unless a write that had not been answered yet came after it. */
async function check(store: Store, kept: ReadonlyMap<string, Acknowledged>, highest: number): Promise<void> {
  const { kvs, revision } = await store.range(prefix('/crash/'))
  expect(revision).toBeGreaterThanOrEqual(highest)
  const found = new Map(kvs.map(kv => [kv.key, kv]))
  for (const { key, value, revision } of kept.values()) {
    const kv = found.get(key)
    if (kv && kv.modRevision > revision) continue
    if (!kv && value !== null) expect(await deletedAfter(store, key, revision)).toBe(true)
    else expect([key, kv && Buffer.from(kv.value).toString()]).toEqual([key, value ?? undefined])
  }
}

/** A delete that was not answered any more may have happened: then history tells of it. */
async function deletedAfter(store: Store, key: string, revision: number): Promise<boolean> {
  const { compactRevision } = await store.status()
  return await new Promise(resolve => {
    const watch = store.watch(
      { key, revision: Math.max(revision + 1, compactRevision) },
      {
        events: events => resolve(events.at(-1)!.type === 'delete'),
        progress: () => {
          watch[Symbol.dispose]()
          resolve(false)
        },
        end: () => resolve(false),
      },
    )
    watch.requestProgress()
  })
}

/** What a power cut takes of what was not synced: some of it, with torn and reordered writes; all of it; or also what was. */
type Losses = 'some' | 'all' | 'everything'

/** Builds the disk as a power cut at `moment` leaves it, opens it and says what is wrong. */
async function verifyAfter(trace: DiskTrace, moment: number, random: Random, losses: Losses): Promise<string | undefined> {
  const directory = join(folder, 'cut')
  mkdirSync(directory)
  try {
    const { files, acknowledged } = trace.at(moment, random, losses)
    for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes)
    await checkAll(directory, acknowledged)
    return undefined
  } catch (error) {
    return `after call ${moment}: ${String(error)}`
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The files that are followed; the database is made under another name. */
type Followed = 'data.mdb' | 'data.log'

type DiskCall =
  | { readonly type: 'write'; readonly file: Followed; readonly at: number; readonly data: Buffer; readonly isSynced: boolean }
  | { readonly type: 'sync'; readonly file: Followed }
  | { readonly type: 'truncate'; readonly file: Followed; readonly size: number }
  | { readonly type: 'named' | 'unnamed'; readonly file: Followed }
  | { readonly type: 'folderSynced' }
  | { readonly type: 'acknowledged'; readonly write: Acknowledged }

const SECTOR = 512

/** What a traced program did to its database, which gets its name by one rename, and to its log, and what it acknowledged, in order. */
class DiskTrace {
  readonly #calls: DiskCall[] = []

  constructor(log: string) {
    const started = new Map<string, string>()
    const files = new Map<number, { file: Followed; position: number; isSynced: boolean }>()
    const folders = new Set<number>()
    let output = ''
    for (const line of log.split('\n')) {
      const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/s.exec(line) ?? []
      let call = rest
      if (rest.endsWith('<unfinished ...>')) {
        started.set(thread, rest.slice(0, -'<unfinished ...>'.length).trimEnd())
        continue
      }
      const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)
      if (resumed) call = (started.get(thread) ?? '') + rest.slice(resumed[0].length)
      const [, name = '', args = '', result = ''] = /^(\w+)\((.*)\)\s+= (-?\d+)/s.exec(call) ?? []
      if (Number(result) < 0) continue
      const fd = Number(/^\d+/.exec(args)?.[0] ?? -1)
      if (name === 'openat') {
        const path = text(args)
        files.delete(Number(result))
        folders.delete(Number(result))
        if (path.startsWith(folder) && !path.includes('.')) folders.add(Number(result))
        const file = path.endsWith('.mdb') ? 'data.mdb' : path.endsWith('.log') ? 'data.log' : undefined
        if (!file) continue
        files.set(Number(result), { file, position: 0, isSynced: /O_D?SYNC/.test(args) })
        if (args.includes('O_TRUNC')) this.#calls.push({ type: 'truncate', file, size: 0 })
        if (file === 'data.log' && args.includes('O_CREAT')) this.#calls.push({ type: 'named', file })
      } else if (name === 'close') {
        files.delete(fd)
        folders.delete(fd)
      } else if (name === 'fsync' && folders.has(fd)) this.#calls.push({ type: 'folderSynced' })
      else if (name === 'write' && fd === 1) {
        output += text(args)
        for (let end = output.indexOf('\n'); end >= 0; end = output.indexOf('\n')) {
          const said = JSON.parse(output.slice(0, end)) as Acknowledged
          if (said.key) this.#calls.push({ type: 'acknowledged', write: said })
          output = output.slice(end + 1)
        }
      }
      if (name === 'rename') this.#calls.push({ type: 'named', file: 'data.mdb' })
      if (name === 'unlink' && text(args).endsWith('.log')) this.#calls.push({ type: 'unnamed', file: 'data.log' })
      const open = files.get(fd)
      if (!open) continue
      const { file } = open
      if (name === 'lseek') open.position = Number(result)
      else if (name === 'fdatasync' || name === 'fsync') this.#calls.push({ type: 'sync', file })
      else if (name === 'ftruncate') this.#calls.push({ type: 'truncate', file, size: Number(/, (\d+)$/.exec(args)![1]) })
      else if (name === 'fallocate') throw new Error('the trace has a fallocate, which this test cannot play back')
      else if (/write/.test(name)) {
        const data = Buffer.concat(
          [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) => Buffer.from(hex!.replaceAll('\\x', ''), 'hex')),
        )
        if (data.length !== Number(result)) throw new Error(`a traced write is incomplete: ${data.length} of ${result} bytes`)
        const at = name.startsWith('p') ? Number(/, (\d+)$/.exec(args)![1]) : open.position
        if (!name.startsWith('p')) open.position += data.length
        this.#calls.push({ type: 'write', file, at, data, isSynced: open.isSynced })
      }
    }
  }

  get length(): number {
    return this.#calls.length
  }

  get syncs(): number {
    return this.#calls.filter(call => call.type === 'sync' || (call.type === 'write' && call.isSynced)).length
  }

  /** The moment of the cut with this number: after the first call, the second, …; if there are not so many cuts, evenly among all. */
  moment(cut: number, cuts: number): number {
    return cuts > this.length ? cut % (this.length + 1) : Math.floor((cut * (this.length + 1)) / cuts)
  }

  get acknowledgements(): number {
    return this.#calls.filter(call => call.type === 'acknowledged').length
  }

  /** How often a file's name was made, taken away, or its bytes written or synced. */
  count(file: Followed, type: 'write' | 'sync' | 'named' | 'unnamed'): number {
    return this.#calls.filter(call => call.type === type && call.file === file).length
  }

  /** The files after the first `count` calls and a power cut, and what had been acknowledged. */
  at(count: number, random: Random, losses: Losses): { files: Map<string, Buffer>; acknowledged: Acknowledged[] } {
    const disks = { 'data.mdb': new Disk(), 'data.log': new Disk() }
    const syncs = losses !== 'everything'
    const acknowledged: Acknowledged[] = []
    for (const call of this.#calls.slice(0, count)) {
      if (call.type === 'acknowledged') acknowledged.push(call.write)
      else if (call.type === 'folderSynced') for (const disk of Object.values(disks)) disk.syncName(syncs)
      else if (call.type === 'named' || call.type === 'unnamed') disks[call.file].name(call.type === 'named')
      else if (call.type === 'truncate') disks[call.file].truncate(call.size)
      else if (call.type === 'write') disks[call.file].write(call.at, call.data, call.isSynced && syncs)
      else if (syncs) disks[call.file].sync()
    }
    // The power may go while the next call is under way.
    const next = this.#calls[count]
    if (losses === 'some' && next?.type === 'write') disks[next.file].write(next.at, next.data, false)
    const files = new Map<string, Buffer>()
    for (const [name, disk] of Object.entries(disks)) {
      const bytes = disk.afterCut(random, losses)
      const isNamed = disk.isNamedAfterCut(random, syncs)
      if (isNamed) files.set(name, bytes)
      else if (name === 'data.mdb' && bytes.length > 0) files.set('new.mdb', bytes)
    }
    return { files, acknowledged }
  }
}

/** One file: what of it is on disk, and what is only written. */
class Disk {
  #bytes = Buffer.alloc(2 ** 20)
  #size = 0
  #unsynced: Array<{ at: number; data: Buffer }> = []
  #name: { before: boolean; now: boolean } = { before: false, now: false }

  write(at: number, data: Buffer, isSynced: boolean): void {
    if (isSynced) this.#keep(at, data)
    else this.#unsynced.push({ at, data })
  }

  sync(): void {
    for (const { at, data } of this.#unsynced) this.#keep(at, data)
    this.#unsynced = []
  }

  truncate(size: number): void {
    if (size < this.#size) this.#bytes.fill(0, size, this.#size)
    this.#size = size
  }

  name(now: boolean): void {
    this.#name = { ...this.#name, now }
  }

  syncName(isSynced: boolean): void {
    if (isSynced) this.#name = { before: this.#name.now, now: this.#name.now }
  }

  /** A name that was not synced may be undone. */
  isNamedAfterCut(random: Random, syncs: boolean): boolean {
    const { before, now } = this.#name
    return before === now ? now : !syncs || random.below(2) === 0 ? before : now
  }

  /** Of what was only written nothing is left, or some sectors, or all but some. */
  afterCut(random: Random, losses: Losses): Buffer {
    const mode = losses === 'some' ? random.below(3) : 0
    for (const { at, data } of this.#unsynced) {
      if (mode === 0) continue
      for (let offset = 0; offset < data.length; ) {
        const length = Math.min(SECTOR - ((at + offset) % SECTOR), data.length - offset)
        if (mode === 1 ? random.below(2) === 0 : random.below(20) > 0) this.#keep(at + offset, data.subarray(offset, offset + length))
        offset += length
      }
    }
    return this.#bytes.subarray(0, this.#size)
  }

  #keep(at: number, data: Buffer): void {
    while (at + data.length > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)])
    data.copy(this.#bytes, at)
    this.#size = Math.max(this.#size, at + data.length)
  }
}

/** The first string of a call's arguments, as `strace -xx` writes it. */
function text(args: string): string {
  const [, hex = ''] = /"((?:\\x[0-9a-f]{2})*)"/.exec(args) ?? []
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString()
}
