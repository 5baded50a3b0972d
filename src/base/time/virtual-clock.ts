import './dispose.ts'
import type { Clock, Timer } from './clock.ts'

/** A clock that stands still until it is told to move: tests and simulations decide how much time passes. */
export interface VirtualClock extends Clock {
  /** Moves time forward by `ms`, firing due timers in order and letting promises settle between them. */
  advance(ms: number): Promise<void>
  /** Moves to the next timer and fires it; false when there is none. */
  step(): Promise<boolean>
  /** How many timers wait. A suite asserts at its end that none is left. */
  pending(): number
}

interface Entry {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** A {@link VirtualClock} that starts at `startMs` (default 2026-01-01T00:00:00Z). */
export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let now = startMs
  let order = 0
  const heap: Entry[] = []
  const cancelled = new Set<Entry>()

  const after = (delayMs: number, callback: () => void): Timer => {
    const entry: Entry = { at: now + Math.max(0, delayMs), order: order++, callback }
    push(heap, entry)
    const cancel = () => {
      if (heap.includes(entry)) cancelled.add(entry)
    }
    return { cancel, [Symbol.dispose]: cancel }
  }

  const nextEntry = (): Entry | undefined => {
    while (heap.length > 0 && cancelled.has(heap[0]!)) cancelled.delete(pop(heap)!)
    return heap[0]
  }

  const fire = async () => {
    const entry = pop(heap)!
    now = Math.max(now, entry.at)
    entry.callback()
    await settle()
  }

  return {
    now: () => now,
    monotonic: () => now,
    after,
    pending: () => heap.length - cancelled.size,
    async step() {
      await settle()
      if (!nextEntry()) return false
      await fire()
      return true
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      for (let entry = nextEntry(); entry && entry.at <= end; entry = nextEntry()) await fire()
      now = end
      await settle()
    },
  }
}

/** Lets every promise that can settle without time passing do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>(resolve => setImmediate(resolve))
}

const before = (a: Entry, b: Entry) => a.at - b.at || a.order - b.order

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (before(heap[parent]!, entry) <= 0) break
    heap[index] = heap[parent]!
    index = parent
  }
  heap[index] = entry
}

function pop(heap: Entry[]): Entry | undefined {
  const top = heap[0]
  const last = heap.pop()
  if (heap.length === 0 || last === undefined) return top
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!) < 0) child++
    if (before(last, heap[child]!) <= 0) break
    heap[index] = heap[child]!
    index = child
  }
  heap[index] = last
  return top
}
