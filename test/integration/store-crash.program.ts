import { writeSync } from 'node:fs'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'

/*
 * Writes to a store from several writers, each with keys of its own, and says on stdout what was acknowledged, one line of JSON each.
 * It is killed, ends after `limit` acknowledgements (or waits then, to be killed, where it is told to `stay`), or with exit code 3 when the store
 * has failed.
 */
const [directory = '', seed = '1', writers = '4', limit = 'Infinity', stay = ''] = process.argv.slice(2)
const onFatal = (error: Error) => {
  say({ fatal: error.message })
  process.exit(3)
}
const random = seededRandom(Number(seed))
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)
const store = await LmdbStore.open({ directory, clock: realClock(), logger: silentLogger, retention: { revisions: 200 }, onFatal })
let acknowledged = 0
say({ opened: store.revisionNow() })

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)))
if (stay) setInterval(() => {}, 1000)
else await store.close()

async function write(writer: number): Promise<void> {
  while (acknowledged < Number(limit)) {
    const key = `/crash/${writer}/${random.below(5)}`
    const value = random.below(5) === 0 ? undefined : `${random.uuid()}${'x'.repeat(random.below(6000))}`
    const operation = value === undefined ? ({ type: 'delete', key } as const) : ({ type: 'put', key, value: Buffer.from(value) } as const)
    const { revision, results } = await store.txn({ success: [operation] })
    const [result] = results
    if (result?.type === 'delete' && result.deleted === 0) continue
    acknowledged++
    say({ key, value: value ?? null, revision })
    if (random.below(100) === 0) await store.compact(Math.max(1, revision - 50))
  }
}
