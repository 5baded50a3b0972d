import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { silentLogger } from '#base/log/logger.ts'
import { realClock } from '#base/time/real-clock.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import type { Watch } from '#store/store.ts'
import type { Call } from '../support/history-checker.ts'
import { callStore, storeTarget } from '../support/store-target.ts'

/*
 * Serves an embedded store over its standard input and output, a line of JSON each way: calls, and watches of what begins with a prefix. It is
 * killed and stopped.
 */
const [directory = '', keys = ''] = process.argv.slice(2)
const store = await LmdbStore.open({ directory, clock: realClock(), logger: silentLogger })
const target = storeTarget(() => store, keys)
const watches = new Map<number, Watch | ReturnType<typeof target.watch>>()
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)
say({ opened: store.revisionNow() })

type Line = { id: number } & ({ call: Call } | { watch: number } | { progress: number } | { stop: number })

createInterface({ input: process.stdin }).on('line', text => {
  const line = JSON.parse(text) as Line
  if ('call' in line) void callStore(store, line.call).then(answer => say({ id: line.id, answer }))
  else if ('watch' in line) {
    watches.set(
      line.id,
      target.watch(
        line.watch,
        told => say({ id: line.id, told }),
        () => say({ id: line.id, ended: true }),
      ),
    )
  } else if ('progress' in line) watches.get(line.progress)?.requestProgress()
  else (watches.get(line.stop) as ReturnType<typeof target.watch> | undefined)?.stop()
})
