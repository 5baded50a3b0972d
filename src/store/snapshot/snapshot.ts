import { everyKey, type KeyValue, type Operation, type Store } from '../store.ts'
import { InvalidRequestError } from '../store-errors.ts'

/** All keys of a store at one revision: for backups, for moving to another engine, and for trying things on a copy. */
export interface Snapshot {
  readonly revision: number
  /** In the order of their keys. */
  readonly kvs: readonly KeyValue[]
}

const PAGE = 500
/** etcd takes no more than 128 steps per transaction unless told otherwise. */
const STEPS = 100

/** Reads a store while it is in use. Rejects with CorruptError if a value is damaged: what is not whole is no backup. */
export async function takeSnapshot(store: Store): Promise<Snapshot> {
  const kvs: KeyValue[] = []
  let revision: number | undefined
  let key = everyKey.key
  for (;;) {
    const page = await store.range({ ...everyKey, key, limit: PAGE, ...(revision !== undefined && { revision }) })
    revision ??= page.revision
    kvs.push(...page.kvs)
    if (!page.more) return { revision, kvs }
    key = `${page.kvs.at(-1)!.key}\0`
  }
}

/**
 * Puts a snapshot into an empty store of any engine, which counts its own revisions: clients that know older ones have to read anew. Where
 * that must not be, see MemoryStore.of and restoreDirectory. Keys with a lease get new leases of `leaseSeconds`.
 */
export async function restoreInto(store: Store, snapshot: Snapshot, leaseSeconds: number): Promise<void> {
  const { count } = await store.range({ ...everyKey, countOnly: true })
  if (count > 0) throw new InvalidRequestError(`a snapshot can only be restored into an empty store: this one has ${count} keys`)
  const leases = new Map<number, number>([[0, 0]])
  for (const { lease } of snapshot.kvs) if (!leases.has(lease)) leases.set(lease, (await store.grantLease(leaseSeconds)).id)
  const puts = inOrderOfChange(snapshot).map(({ key, value, lease }): Operation => ({ type: 'put', key, value, lease: leases.get(lease)! }))
  for (let start = 0; start < puts.length; start += STEPS) await store.txn({ success: puts.slice(start, start + STEPS) })
}

/** As they were written. */
export function inOrderOfChange({ kvs }: Snapshot): readonly KeyValue[] {
  return [...kvs].sort((a, b) => a.modRevision - b.modRevision)
}
