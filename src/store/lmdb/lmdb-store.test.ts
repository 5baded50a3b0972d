import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { storeSuite } from '../store.suite.ts'
import { LmdbStore } from './lmdb-store.ts'

storeSuite('lmdb', async () => {
  const clock = virtualClock()
  const directory = mkdtempSync(join(tmpdir(), 'store-'))
  const store = await LmdbStore.open({ directory, clock, logger: silentLogger })
  return {
    store,
    advance: ms => clock.advance(ms),
    async close() {
      await store.close()
      rmSync(directory, { recursive: true })
    },
  }
})
