import { createHash } from 'node:crypto'
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
/** etcd takes no more than 1.5 MiB per request unless told otherwise. */
const PORTION_BYTES = 1 << 20

/** Reads a store while it is in use. Rejects with CorruptError if a value is damaged: what is not whole is no backup. */
export async function takeSnapshot(store: Store): Promise<Snapshot> {
  const kvs: KeyValue[] = []
  let revision: number | undefined
  let key = everyKey.key
  for (;;) {
    const page = await store.range({ ...everyKey, key, limit: PAGE, ...(revision !== undefined && { revision }) })
    revision ??= page.revision
    kvs.push(...page.kvs.filter(({ key }) => !isOfEngine(key)))
    if (!page.more) return { revision, kvs }
    key = `${page.kvs.at(-1)!.key}\0`
  }
}

/** What is about revisions of one store, and means nothing in another: our timeline, and how far upstream's servers have compacted. */
const OF_ENGINE = new Set(['typernetes.dev/timeline', 'compact_rev_key'])

export function isOfEngine(key: string): boolean {
  return OF_ENGINE.has(key)
}

/** There while a store is being filled: what is in it is not whole. */
export const RESTORING_KEY = 'typernetes.dev/restoring'

/**
 * Puts a snapshot into an empty store of any engine, which counts its own revisions: clients that know older ones have to read anew. Where
 * that must not be, see MemoryStore.of and restoreDirectory. Keys with a lease get new leases of `leaseSeconds`. If it fails, the store is
 * empty again; if the process ends meanwhile, the next call begins anew, and {@link refuseUnfinished} tells servers. Answers the newest revision.
 */
export async function restoreInto(store: Store, snapshot: Snapshot, leaseSeconds: number): Promise<number> {
  await begin(store)
  try {
    await fill(store, snapshot, leaseSeconds)
    return (await store.txn({ success: [{ type: 'delete', key: RESTORING_KEY }] })).revision
  } catch (error) {
    await store.txn({ success: [{ type: 'delete', ...everyKey }] }).catch(() => undefined)
    throw error
  }
}

/** Rejects if a restore into this store was never finished. */
export async function refuseUnfinished(store: Pick<Store, 'range'>): Promise<void> {
  const { count } = await store.range({ key: RESTORING_KEY, countOnly: true })
  if (count > 0) throw new InvalidRequestError('a snapshot was being restored into this store, and that was not finished: restore it again')
}

/** All keys and values of a store as one short text, and the revision they are of. */
export async function digestOf(store: Store): Promise<{ readonly digest: string; readonly revision: number }> {
  const { revision, kvs } = await takeSnapshot(store)
  const hash = createHash('sha256')
  for (const { key, value } of kvs) hash.update(`${key.length}:${key}${value.length}:`).update(value)
  return { revision, digest: hash.digest('hex') }
}

/** Marks the store as being filled. One that is marked already holds what a restore left that was cut off: that goes. */
async function begin(store: Store): Promise<void> {
  const [{ count }, { count: marked }] = await Promise.all([
    store.range({ ...everyKey, countOnly: true }),
    store.range({ key: RESTORING_KEY, countOnly: true }),
  ])
  if (count > 0 && marked === 0)
    throw new InvalidRequestError(`a snapshot can only be restored into an empty store: this one has ${count} keys`)
  if (count > 0) await store.txn({ success: [{ type: 'delete', ...everyKey }] })
  await store.txn({ success: [{ type: 'put', key: RESTORING_KEY, value: new Uint8Array() }] })
}

async function fill(store: Store, snapshot: Snapshot, leaseSeconds: number): Promise<void> {
  const leases = new Map<number, number>([[0, 0]])
  for (const { lease } of snapshot.kvs) if (!leases.has(lease)) leases.set(lease, (await store.grantLease(leaseSeconds)).id)
  const puts = inOrderOfChange(snapshot).map(({ key, value, lease }): Operation => ({ type: 'put', key, value, lease: leases.get(lease)! }))
  for (const steps of portions(puts)) await store.txn({ success: steps })
}

/** As many steps as etcd takes in one transaction. */
function* portions(puts: readonly Operation[]): Iterable<Operation[]> {
  let steps: Operation[] = []
  let bytes = 0
  for (const put of puts) {
    const size = put.type === 'put' ? put.value.length + put.key.length : 0
    if (steps.length > 0 && (steps.length === STEPS || bytes + size > PORTION_BYTES)) {
      yield steps
      steps = []
      bytes = 0
    }
    steps.push(put)
    bytes += size
  }
  if (steps.length > 0) yield steps
}

/** As they were written. */
export function inOrderOfChange({ kvs }: Snapshot): readonly KeyValue[] {
  return [...kvs].sort((a, b) => a.modRevision - b.modRevision)
}
