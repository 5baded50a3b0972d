import { statSync } from 'node:fs'
import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import { LmdbStore } from '#store/lmdb/lmdb-store.ts'
import { restoreInto, type Snapshot, takeSnapshot } from '#store/snapshot/snapshot.ts'
import { everyKey, type Store } from '#store/store.ts'
import { readSnapshotFile } from '../commands/store/snapshot-on-disk.ts'
import { withoutServers } from './former-servers.ts'
import { type ServerLayout, writeServerRecord } from './server-record.ts'

/** What had a lease (events, mostly) lives that much longer. */
const LEASE_SECONDS = 3_600

interface World {
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Brings the objects of a cluster of `t8s up`, or of a backup, into etcd, before the first server answers anybody; what they come from stays as
 * it is. What an interrupted attempt left in etcd is removed first: nobody else has been there.
 */
export async function moveStore(
  layout: ServerLayout,
  from: string,
  target: Store,
  world: World,
  note: (text: string) => void,
): Promise<void> {
  const snapshot = withoutServers(statSync(from).isDirectory() ? await snapshotOfStore(from, world) : readSnapshotFile(from))
  note(`moving ${snapshot.kvs.length} keys from ${from}`)
  await target.txn({ success: [{ type: 'delete', ...everyKey }] })
  await restoreInto(target, snapshot, LEASE_SECONDS)
  const { count } = await target.range({ ...everyKey, countOnly: true })
  if (count !== snapshot.kvs.length) throw new Error(`${count} of ${snapshot.kvs.length} keys reached etcd: start the server again`)
  world.log.info('the objects that were there before are in etcd', { from, keys: count, revision: snapshot.revision })
  const { from: _, ...moved } = layout
  writeServerRecord(layout.dataDir, moved)
}

async function snapshotOfStore(directory: string, { clock, log }: World): Promise<Snapshot> {
  const fail = (error: Error) => log.error('the disk of the embedded store has failed', { error })
  const source = await LmdbStore.open({ directory, clock, logger: log, onFatal: fail })
  try {
    return await takeSnapshot(source)
  } finally {
    await source.close()
  }
}
