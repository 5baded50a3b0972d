import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import { restoreInto, takeSnapshot } from '#store/snapshot/snapshot.ts'
import { everyKey, type Store } from '#store/store.ts'
import { type ServerLayout, writeServerRecord } from './server-record.ts'

/** What had a lease (events, mostly) lives that much longer. */
const LEASE_SECONDS = 3_600

/**
 * Brings the objects of a cluster of `t8s up` into etcd, before the first server answers anybody; the embedded store stays as it is. What an
 * interrupted attempt left in etcd is removed first: nobody else has been there.
 */
export async function moveStore(
  layout: ServerLayout,
  from: string,
  target: Store,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  note: (text: string) => void,
): Promise<void> {
  const fail = (error: Error) => log.error('the disk of the embedded store has failed', { error })
  const source = await LmdbStore.open({ directory: from, clock, logger: log, onFatal: fail })
  try {
    const snapshot = await takeSnapshot(source)
    note(`moving ${snapshot.kvs.length} keys from ${from}`)
    await target.txn({ success: [{ type: 'delete', ...everyKey }] })
    await restoreInto(target, snapshot, LEASE_SECONDS)
    const { count } = await target.range({ ...everyKey, countOnly: true })
    if (count !== snapshot.kvs.length) throw new Error(`${count} of ${snapshot.kvs.length} keys reached etcd: start the server again`)
    log.info('the objects of the embedded store are in etcd', { from, keys: count, revision: snapshot.revision })
  } finally {
    await source.close()
  }
  const { from: _, ...moved } = layout
  writeServerRecord(layout.dataDir, moved)
}
