import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '#base/random/random.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { EtcdStore } from '#store/etcd/etcd-store.ts'
import type { Answer, Call, Told } from '../support/history-checker.ts'
import { pause, runHistory, type Target } from '../support/history-run.ts'
import { storeTarget } from '../support/store-target.ts'

/*
 * Concurrent clients of a store while its processes are killed and stopped: what they were told has to be linearizable, and every watch whole.
 * SEED and HISTORIES (how many runs each) make longer ones.
 */

const SEED = Number(process.env['SEED'] ?? 1)
const HISTORIES = Number(process.env['HISTORIES'] ?? 1)
const CALLS = Number(process.env['CALLS'] ?? 150)
const folder = mkdtempSync(join(tmpdir(), 'store-history-'))
const program = join(import.meta.dirname, '../../node_modules/.cache', `store-history-${process.pid}.mjs`)

beforeAll(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, 'store-history.program.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    conditions: ['source'],
  })
})
afterAll(() => {
  rmSync(program, { force: true })
  rmSync(folder, { recursive: true })
})

describe('an embedded store', () => {
  it(`is linearizable, and its watches are whole, while its process is killed and stopped (SEED=${SEED}, ${HISTORIES} times)`, async () => {
    for (let round = 0; round < HISTORIES; round++) {
      const random = seededRandom(SEED * 1000 + round)
      const prefix = `/history/${round}/`
      const served = new ServedStore(join(folder, 'lmdb'), prefix)
      await served.start()
      const faults = Array.from({ length: 6 }, () => async () => {
        if (random.below(2) === 0) {
          await served.kill()
          await served.start()
        } else await stopped([served.pid], 200 + random.below(600))
      })
      const { wrong, history, unanswered } = await runHistory({ target: served, random, clients: 6, callsPerClient: CALLS, faults, prefix })
      expect(wrong).toEqual([])
      expect(history.operations.length - unanswered).toBeGreaterThan(CALLS)
      expect(history.changes.length).toBeGreaterThan(50)
      await served.kill()
    }
  }, 600_000)

  it('that forgets a write, serves old reads or skips an event would be found out', async () => {
    for (const [lie, why] of LIES) {
      const served = new ServedStore(join(folder, `lying-${lie}`), '/history/')
      await served.start()
      const { wrong } = await runHistory({
        target: lying(served, lie),
        random: seededRandom(SEED),
        clients: 4,
        callsPerClient: 60,
        faults: [],
        prefix: '/history/',
      })
      expect(wrong.join('\n')).toMatch(why)
      await served.kill()
    }
  }, 120_000)
})

describe.skipIf(spawnSync('etcd', ['--version']).status !== 0)('etcd of three members (skipped where it is not installed)', () => {
  const ports = [46_560, 46_561, 46_566]
  const members: ChildProcess[] = []
  const stores: EtcdStore[] = []
  const urlOf = (port: number) => `http://127.0.0.1:${port}`
  const peers = [46_567, 46_568, 46_569]
  const start = (n: number, state: 'new' | 'existing') => {
    const flags = {
      '--name': `m${n}`,
      '--data-dir': join(folder, `m${n}`),
      '--listen-client-urls': urlOf(ports[n]!),
      '--advertise-client-urls': urlOf(ports[n]!),
      '--listen-peer-urls': urlOf(peers[n]!),
      '--initial-advertise-peer-urls': urlOf(peers[n]!),
      '--initial-cluster': peers.map((peer, index) => `m${index}=${urlOf(peer)}`).join(','),
      '--initial-cluster-state': state,
    }
    members[n] = spawn('etcd', Object.entries(flags).flat(), { stdio: 'ignore' })
  }
  const kill = async (n: number) => {
    const member = members[n]!
    const ended = new Promise(resolve => member.once('close', resolve))
    if (member.exitCode !== null || member.signalCode !== null) return
    member.kill('SIGKILL')
    await ended
  }

  beforeAll(async () => {
    for (const n of ports.keys()) start(n, 'new')
    for (const n of ports.keys()) {
      const own = ports.map((_, index) => urlOf(ports[(n + index) % ports.length]!))
      stores.push(new EtcdStore({ endpoints: own, clock: realClock(), random: systemRandom() }))
    }
    for (let attempt = 0; attempt < 300; attempt++) {
      if (
        await stores[0]!.range({ key: 'ready' }).then(
          () => true,
          () => false,
        )
      )
        break
      await pause(100)
    }
  }, 60_000)
  afterAll(async () => {
    for (const store of stores) await store.close()
    for (const n of ports.keys()) await kill(n)
  }, 60_000)

  it(`is linearizable through our store, and its watches are whole, while members are killed and stopped (SEED=${SEED}, ${HISTORIES} times)`, async () => {
    for (let round = 0; round < HISTORIES; round++) {
      const random = seededRandom(SEED * 1000 + round)
      const prefix = `/history/${round}/`
      const target = storeTarget(client => stores[client % stores.length]!, prefix)
      const faults = Array.from({ length: 4 }, () => () => disturb(random))
      const { wrong, history, unanswered } = await runHistory({ target, random, clients: 6, callsPerClient: CALLS, faults, prefix })
      expect(wrong).toEqual([])
      expect(history.operations.length - unanswered).toBeGreaterThan(CALLS)
    }
  }, 600_000)

  async function disturb(random: Random): Promise<void> {
    const n = random.below(ports.length)
    if (random.below(2) === 0) {
      await kill(n)
      await pause(300 + random.below(700))
      start(n, 'existing')
    } else await stopped([members[n]!.pid!], 500 + random.below(4000)) // long enough, some of the time, that the store leaves it
    await pause(1000)
  }
})

async function stopped(pids: readonly number[], ms: number): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  await pause(ms)
  for (const pid of pids) process.kill(pid, 'SIGCONT')
}

type Said = { id: number; answer?: Answer; told?: Told; ended?: true; opened?: number }

/** An embedded store in a process of its own. What is under way when that is killed is never answered. */
class ServedStore implements Target {
  readonly #directory: string
  readonly #prefix: string
  #child: ChildProcess | undefined
  #nextId = 1
  #calls = new Map<number, (answer: Answer | undefined) => void>()
  #watches = new Map<number, { told: (told: Told) => void; ended: () => void }>()

  constructor(directory: string, prefix: string) {
    this.#directory = directory
    this.#prefix = prefix
  }

  get pid(): number {
    return this.#child!.pid!
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [program, this.#directory, this.#prefix], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin!.on('error', () => undefined)
    await new Promise<void>(resolve => {
      createInterface({ input: child.stdout! }).on('line', text => {
        const said = JSON.parse(text) as Said
        if (said.opened !== undefined) resolve()
        else this.#hear(said)
      })
    })
    this.#child = child
  }

  async kill(): Promise<void> {
    const child = this.#child!
    this.#child = undefined
    const ended = new Promise(resolve => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
    for (const answer of this.#calls.values()) answer(undefined)
    this.#calls.clear()
    const watches = [...this.#watches.values()]
    this.#watches.clear()
    for (const watch of watches) watch.ended()
  }

  async call(_client: number, call: Call): Promise<Answer | undefined> {
    if (!this.#child) throw new Error('it is away')
    const id = this.#nextId++
    return new Promise(resolve => {
      this.#calls.set(id, resolve)
      this.#say({ id, call })
    })
  }

  watch(from: number, told: (told: Told) => void, ended: () => void) {
    const id = this.#nextId++
    if (this.#child) {
      this.#watches.set(id, { told, ended })
      this.#say({ id, watch: from })
    } else setTimeout(ended, 10)
    return {
      requestProgress: () => this.#say({ id: 0, progress: id }),
      stop: () => {
        this.#watches.delete(id)
        this.#say({ id: 0, stop: id })
      },
    }
  }

  #say(line: object): void {
    this.#child?.stdin?.write(`${JSON.stringify(line)}\n`)
  }

  #hear({ id, answer, told, ended }: Said): void {
    if (answer) {
      this.#calls.get(id)?.(answer)
      this.#calls.delete(id)
    } else if (told) this.#watches.get(id)?.told(told)
    else if (ended) {
      this.#watches.get(id)?.ended()
      this.#watches.delete(id)
    }
  }
}

type Lie = 'forgets' | 'stale' | 'skips'
const LIES: readonly [Lie, RegExp][] = [
  ['forgets', /that was acknowledged with revision \d+ is not there|have no order/],
  ['stale', /have no order|after revision \d+ had been told/],
  ['skips', /watch \d: event/],
]

/** A store that now and then does not what it says. */
function lying(target: Target, lie: Lie): Target {
  const old = new Map<string, Answer>()
  let calls = 0
  return {
    async call(client, call) {
      calls++
      if (lie === 'forgets' && call.type === 'put' && calls % 20 === 0) {
        const now = await target.call(client, { type: 'get', key: call.key })
        return { revision: now!.revision + 1, succeeded: true }
      }
      const remembered = old.get(call.key)
      if (lie === 'stale' && call.type === 'get' && remembered && calls % 5 === 0) return remembered
      const answer = await target.call(client, call)
      if (call.type === 'get' && answer && !old.has(call.key)) old.set(call.key, answer)
      return answer
    },
    watch(from, told, ended) {
      let events = 0
      const isEverything = calls > 200
      return target.watch(
        from,
        each => (lie === 'skips' && !isEverything && each.type === 'events' && ++events === 10 ? undefined : told(each)),
        ended,
      )
    },
  }
}
