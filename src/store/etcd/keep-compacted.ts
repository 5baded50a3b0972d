import type { Logger } from '#base/log/logger.ts'
import { type Clock, every } from '#base/time/clock.ts'
import type { Store } from '../store.ts'

/** Where upstream's API servers note how far they have compacted: whoever writes it next compacts next, so ours and theirs take turns. */
const KEY = 'compact_rev_key'

/**
 * Forgets what was superseded before the last time, again and again: history is kept for one to two periods. Of all servers of a store one does
 * it each time. Dispose to end it.
 */
export function keepCompacted(store: Pick<Store, 'txn' | 'compact'>, clock: Clock, log: Logger, periodMs: number): Disposable {
  let noted = 0
  let next = 0
  const compact = async () => {
    const { succeeded, revision, results } = await store.txn({
      compare: [{ key: KEY, modRevision: noted }],
      success: [{ type: 'put', key: KEY, value: new TextEncoder().encode(String(next)) }],
      failure: [{ type: 'range', key: KEY }],
    })
    const [result] = results
    if (succeeded) {
      noted = revision
      if (next > 0) await store.compact(next)
    } else noted = (result?.type === 'range' && result.kvs[0]?.modRevision) || 0
    next = revision
  }
  return every(clock, periodMs, () =>
    compact().catch((error: unknown) => log.warn('the history of the store could not be compacted', { error: (error as Error).message })),
  )
}
