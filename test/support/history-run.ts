import type { Random } from '#base/random/random.ts'
import {
  type Answer,
  type Call,
  type Change,
  checkHistory,
  type History,
  type Operation,
  type Told,
  type WatchHistory,
} from './history-checker.ts'

/** A store as a client sees it, which may go away at any time. */
export interface Target {
  /** Undefined: it may have happened or not. Rejects if it has not. */
  call(client: number, call: Call): Promise<Answer | undefined>
  /** Ends with `ended` when the store goes away: the next one goes on from there. */
  watch(from: number, told: (told: Told) => void, ended: () => void): { stop(): void; requestProgress(): void }
}

/** What goes wrong meanwhile: one after another, each over when it resolves. */
export type Fault = () => Promise<void>

export interface RunOptions {
  readonly target: Target
  readonly random: Random
  readonly clients: number
  readonly callsPerClient: number
  readonly faults: readonly Fault[]
  /** Keys begin with this. */
  readonly prefix: string
}

const KEYS = 6
const PAUSE_MS = 20

/** Lets clients work on few keys while faults happen, reads everything at the end, and says what cannot be true. */
export async function runHistory(
  options: RunOptions,
): Promise<{ readonly wrong: readonly string[]; readonly history: History; readonly unanswered: number }> {
  const { target, random, clients, faults } = options
  const from = (await target.call(0, { type: 'get', key: `${options.prefix}0` }))!.revision + 1
  const operations: Operation[] = []
  const watches = [0, 1].map(() => followed(target, from))
  let isOver = false
  const disturbing = (async () => {
    for (const fault of faults) {
      if (isOver) break
      await pause(100 + random.below(300))
      await fault()
    }
  })()
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client, options, operations)))
  isOver = true
  await disturbing
  const last = await settled(target, options.prefix)
  for (const watch of watches) await watch.reached(last)
  const changes = await everything(target, from, last)
  const watched = watches.map(watch => watch.stop())
  const history = { operations, changes, watches: watched }
  return { wrong: checkHistory(history), history, unanswered: operations.filter(({ answer }) => !answer).length }
}

async function work(client: number, { target, random, callsPerClient, prefix }: RunOptions, operations: Operation[]): Promise<void> {
  const known = new Map<string, number>()
  for (let n = 0; n < callsPerClient; n++) {
    const key = `${prefix}${random.below(KEYS)}`
    const call = callOf(key, `${client}-${n}`, known.get(key), random)
    const startMs = performance.now()
    let answer: Answer | undefined
    try {
      answer = await target.call(client, call)
    } catch {
      await pause(PAUSE_MS)
      continue // it has not happened
    }
    operations.push({ client, call, startMs, endMs: performance.now(), ...(answer ? { answer } : {}) })
    if (!answer) await pause(PAUSE_MS)
    else if (call.type === 'get') known.set(key, answer.kv?.modRevision ?? 0)
    else if (call.type === 'put' && answer.succeeded !== false) known.set(key, answer.revision)
  }
}

function callOf(key: string, value: string, known: number | undefined, random: Random): Call {
  const dice = random.below(10)
  if (dice < 4) return { type: 'get', key }
  if (dice < 6) return { type: 'put', key, value }
  if (dice < 9 && known !== undefined) return { type: 'put', key, value, expected: known }
  return dice < 9 ? { type: 'put', key, value } : { type: 'delete', key }
}

/** A watch that goes on where it was each time the store goes away. */
function followed(target: Target, from: number): { reached(revision: number): Promise<void>; stop(): WatchHistory } {
  const told: Told[] = []
  let next = from
  let isStopped = false
  let current: ReturnType<Target['watch']> | undefined
  const begin = () => {
    current = target.watch(
      next,
      each => {
        told.push(each)
        const newest = each.type === 'progress' ? each.revision : each.changes.at(-1)!.revision
        next = Math.max(next, newest + 1)
      },
      () => {
        current = undefined
        if (!isStopped) setTimeout(begin, PAUSE_MS)
      },
    )
  }
  begin()
  return {
    async reached(revision) {
      for (let n = 0; next <= revision; n++) {
        if (n % 20 === 0) current?.requestProgress()
        if (n > 3000) throw new Error(`a watch was told of nothing after revision ${next - 1}, while ${revision} has happened`)
        await pause(PAUSE_MS)
      }
    },
    stop() {
      isStopped = true
      current?.stop()
      return { from, told }
    },
  }
}

/** A last change, once the store is well again; its revision. */
async function settled(target: Target, prefix: string): Promise<number> {
  for (let n = 0; n < 600; n++) {
    const answer = await target.call(0, { type: 'get', key: `${prefix}0` }).catch(() => undefined)
    if (answer) return answer.revision
    await pause(100)
  }
  throw new Error('the store did not become well again within a minute')
}

async function everything(target: Target, from: number, last: number): Promise<Change[]> {
  const watch = followed(target, from)
  await watch.reached(last)
  return watch
    .stop()
    .told.flatMap(each => (each.type === 'events' ? each.changes : []))
    .filter(({ revision }) => revision <= last)
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
