/**
 * Does `action` for each item (or so many times), first for one, then for two, four and so on at once, so that what cannot succeed fails
 * once and not a thousand times. After a batch with a failure nothing further is tried and the first failure is thrown.
 */
export async function inSlowStart<T>(items: number | readonly T[], action: (item: T, index: number) => Promise<unknown>): Promise<void> {
  const count = typeof items === 'number' ? items : items.length
  for (let done = 0, size = 1; done < count; done += size, size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - done) }, (_, offset) => {
      const index = done + offset
      return action((typeof items === 'number' ? index : items[index]) as T, index)
    })
    const results = await Promise.allSettled(batch)
    const failure = results.find(result => result.status === 'rejected')
    if (failure) throw failure.reason
  }
}

/** Does `action` for all items at once; throws the first failure when all are done. */
export async function all<T>(items: Iterable<T>, action: (item: T) => Promise<unknown>): Promise<void> {
  const results = await Promise.allSettled([...items].map(action))
  const failure = results.find(result => result.status === 'rejected')
  if (failure) throw failure.reason
}
