import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { type Worked, workQueue } from './work-queue.ts'

function start(work: (key: string) => Promise<Worked | undefined>, concurrency = 1) {
  const clock = virtualClock()
  const done: string[] = []
  const failures: string[] = []
  const queue = workQueue<string>({
    clock,
    concurrency,
    backoff: { firstMs: 10, limitMs: 50 },
    async work(key) {
      done.push(key)
      return work(key)
    },
    failed: (key, _error, count, delayMs) => failures.push(`${key} ${count} ${delayMs}`),
  })
  return { clock, queue, done, failures }
}

describe('a work queue', () => {
  it('works on each key once, however often it was added, in the order of arrival', async () => {
    const { queue, done } = start(async () => undefined)
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
    await queue.idle()
    expect(done).toEqual(['a', 'b', 'c'])
  })

  it('works on a key again that was added meanwhile, but never twice at the same time', async () => {
    let release: (() => void)[] = []
    const { queue, done, clock } = start(() => new Promise(resolve => release.push(() => resolve(undefined))), 5)
    queue.add('a')
    await clock.advance(0)
    queue.add('a')
    queue.add('b')
    await clock.advance(0)
    expect(done).toEqual(['a', 'b'])
    for (const resolve of release) resolve()
    release = []
    await clock.advance(0)
    expect(done).toEqual(['a', 'b', 'a'])
  })

  it('brings a failed key back later and later, and forgets failures after a success', async () => {
    let fails = 4
    const { queue, clock, failures, done } = start(async () => {
      if (fails-- > 0) throw new Error('no')
      return undefined
    })
    queue.add('a')
    await clock.advance(1000)
    expect(failures).toEqual(['a 1 10', 'a 2 20', 'a 3 40', 'a 4 50'])
    expect(done).toHaveLength(5)
    fails = 1
    queue.add('a')
    await clock.advance(1000)
    expect(failures.at(-1)).toBe('a 1 10')
  })

  it('holds a key back until what its work asked for, without holding up others', async () => {
    let release = () => {}
    const { queue, clock, done } = start(async key =>
      key === 'a'
        ? {
            until: new Promise<void>(resolve => {
              release = resolve
            }),
          }
        : undefined,
    )
    queue.add('a')
    await clock.advance(0)
    queue.add('a')
    queue.add('b')
    await clock.advance(0)
    expect(done).toEqual(['a', 'b'])
    release()
    await clock.advance(0)
    expect(done).toEqual(['a', 'b', 'a'])
  })

  it('adds after a delay, the earliest of several', async () => {
    const { queue, clock, done } = start(async () => undefined)
    queue.addAfter('a', 100)
    queue.addAfter('a', 50)
    queue.addAfter('a', 200)
    await clock.advance(49)
    expect(done).toEqual([])
    await clock.advance(1)
    expect(done).toEqual(['a'])
    await clock.advance(1000)
    expect(done).toEqual(['a'])
  })

  it('works on no more keys at a time than allowed', async () => {
    let active = 0
    let most = 0
    const { queue, clock } = start(async () => {
      most = Math.max(most, ++active)
      await Promise.resolve()
      active--
      return undefined
    }, 3)
    for (let index = 0; index < 20; index++) queue.add(String(index))
    await clock.advance(0)
    expect(most).toBe(3)
  })

  it('waits for the work under way when it is closed, and leaves no timer behind', async () => {
    let release = () => {}
    const { queue, clock } = start(
      () =>
        new Promise(resolve => {
          release = () => resolve({ againAfterMs: 5 })
        }),
    )
    queue.add('a')
    queue.addAfter('b', 100)
    await clock.advance(0)
    const closing = queue[Symbol.asyncDispose]()
    release()
    await closing
    expect(clock.pending()).toBe(0)
  })
})
