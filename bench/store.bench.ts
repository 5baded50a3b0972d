/**
 * How fast the stores are: `bench/store.bench.ts [memory|lmdb] [seconds per row]`, on a directory of the disk that counts (TMPDIR).
 * CPU is that of the whole process per operation, writers included.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '#base/log/logger.ts'
import { realClock } from '#base/time/real-clock.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { prefix, type Store } from '#store/store.ts'

const [engine = 'lmdb', seconds = '2'] = process.argv.slice(2)
const rowMs = Number(seconds) * 1000
const clock = realClock({ keepAlive: false })
const directory = mkdtempSync(join(tmpdir(), 'store-bench-'))
const value = (bytes: number) => Buffer.alloc(bytes, 'v')
const key = (n: number) => `/registry/configmaps/default/config-${String(n).padStart(6, '0')}`

const open = async (): Promise<Store> =>
  engine === 'memory' ? new MemoryStore({ clock }) : await LmdbStore.open({ directory, clock, logger: silentLogger })
let store = await open()
print('work', 'per second', 'CPU µs each', 'p50 ms', 'p99 ms')
for (const [bytes, writers] of [
  [1024, 1],
  [1024, 16],
  [1024, 128],
  [3200, 16],
] as const) {
  let n = 0
  await measure(`put ${bytes} B, ${writers} writers`, writers, async () => {
    n = (n + 1) % 10_000
    await store.txn({ success: [{ type: 'put', key: key(n), value: value(bytes) }] })
  })
}
await compacting()
let created = 0
await measure('create 1024 B, 16 writers', 16, async () => {
  const name = `${key(created++)}-new`
  await store.txn({ compare: [{ key: name, modRevision: 0 }], success: [{ type: 'put', key: name, value: value(1024) }] })
})
await measure('get', 16, async () => void (await store.range({ key: key(Math.floor(Math.random() * 1000)) })))
await measure('range of 1,000', 1, async () => void (await store.range({ ...prefix('/registry/configmaps/'), limit: 1000 })))
await watched(1)
await watched(100)
if (engine === 'lmdb') {
  await store.close()
  const startMs = performance.now()
  store = await open()
  const { keys, sizeBytes, sizeInUseBytes } = await store.status()
  console.log(
    `reopened ${keys} keys, ${mebibytes(sizeBytes)} MiB (${mebibytes(sizeInUseBytes)} in use), in ${Math.round(performance.now() - startMs)} ms`,
  )
}
console.log(`memory ${mebibytes(process.memoryUsage.rss())} MiB`)
await store.close()
rmSync(directory, { recursive: true })

async function measure(what: string, parallel: number, work: () => Promise<void>): Promise<void> {
  const latencies: number[] = []
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  const endMs = startMs + rowMs
  const workers = Array.from({ length: parallel }, async () => {
    for (let turn = 0; ; turn++) {
      const before = performance.now()
      if (before > endMs) break
      await work()
      latencies.push(performance.now() - before)
      if (turn % 64 === 63) await new Promise(resolve => setImmediate(resolve))
    }
  })
  await Promise.all(workers)
  const tookMs = performance.now() - startMs
  report(what, latencies.length, tookMs, process.cpuUsage(cpu), latencies)
}

/** What writers see while history is cut back to its last revisions, five times a second. */
async function compacting(): Promise<void> {
  let n = 0
  const cut = async () => {
    const { revision } = await store.range({ key: '/', countOnly: true })
    await store.compact(Math.max(1, revision - 10_000))
  }
  const cutting = setInterval(() => void cut().catch(() => undefined), 200)
  await measure('put 1024 B, 16 writers, compacting', 16, async () => {
    n = (n + 1) % 10_000
    await store.txn({ success: [{ type: 'put', key: key(n), value: value(1024) }] })
  })
  clearInterval(cutting)
}

/** Events delivered to `watchers` watches of the same prefix while 16 writers put. */
async function watched(watchers: number): Promise<void> {
  let delivered = 0
  const events = (batch: readonly unknown[]) => {
    delivered += batch.length
  }
  const sink = { events, end: () => {} }
  const watches = Array.from({ length: watchers }, () => store.watch(prefix('/registry/'), sink))
  let n = 0
  await measure(`put 1024 B, 16 writers, ${watchers} watches`, 16, async () => {
    n = (n + 1) % 10_000
    await store.txn({ success: [{ type: 'put', key: key(n), value: value(1024) }] })
  })
  console.log(`  events delivered: ${delivered}`)
  for (const watch of watches) watch[Symbol.dispose]()
}

function report(what: string, count: number, tookMs: number, cpu: NodeJS.CpuUsage, latencies: number[]): void {
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)]!.toFixed(2)
  print(what, String(Math.round((count / tookMs) * 1000)), ((cpu.user + cpu.system) / count).toFixed(1), at(0.5), at(0.99))
}

function print(what: string, ...columns: string[]): void {
  console.log(what.padEnd(38) + columns.map(column => column.padStart(12)).join(''))
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}
