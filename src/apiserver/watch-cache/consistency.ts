import { prefix, type Store } from '#store/store.ts'
import { CompactedError } from '#store/store-errors.ts'
import type { Snapshot, WatchCache } from './watch-cache.ts'

/** How a cache differs from its store. */
export class InconsistentCacheError extends Error {
  override readonly name = 'InconsistentCacheError'
}

/**
 * Compares what a cache shows with what the store holds at the same revision: the keys, and the revision of each. Throws
 * {@link InconsistentCacheError}. Upstream does the same every five minutes, and in its tests always (KUBE_WATCHCACHE_CONSISTENCY_CHECKER).
 */
export async function checkConsistency(cache: WatchCache, store: Store): Promise<void> {
  const shown = cache.snapshot()
  const unreadable = new Set(cache.unreadable.keys())
  try {
    const { kvs, corruptKeys = [] } = await store.range({
      ...prefix(cache.prefix),
      revision: shown.revision,
      keysOnly: true,
      withoutCorrupt: true,
    })
    const problem = differenceOf(shown, revisionsOf(kvs, cache), new Set([...unreadable, ...corruptKeys.map(key => keyIn(cache, key))]))
    if (problem === undefined) return
    const advice = 'the cache has to be read again; if this happens more than once, please report it'
    throw new InconsistentCacheError(
      `the cache of ${cache.prefix} differs from the store at revision ${shown.revision}: ${problem}; ${advice}`,
    )
  } catch (error) {
    // What the cache showed then is forgotten by now: the next check has its chance.
    if (!(error instanceof CompactedError)) throw error
  }
}

function revisionsOf(kvs: readonly { readonly key: string; readonly modRevision: number }[], cache: WatchCache): Map<string, number> {
  return new Map(kvs.map(({ key, modRevision }) => [keyIn(cache, key), modRevision]))
}

/** What is wrong first of all; undefined if nothing is. */
function differenceOf({ objects }: Snapshot, stored: Map<string, number>, unserved: ReadonlySet<string>): string | undefined {
  let problem: string | undefined
  objects.visit((object, key) => {
    const revision = stored.get(key)
    stored.delete(key)
    if (revision === undefined) problem = `it shows ${key}, which is not stored`
    else if (String(revision) !== object.metadata.resourceVersion) {
      problem = `it shows ${key} of revision ${object.metadata.resourceVersion}, and revision ${revision} is stored`
    }
    return problem === undefined
  })
  if (problem !== undefined) return problem
  for (const key of stored.keys()) if (!unserved.has(key)) return `it lacks ${key}`
  return undefined
}

function keyIn({ prefix: start }: WatchCache, key: string): string {
  return key.slice(start.length)
}
