import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '#base/time/clock.ts'

/** What is still under way to one side when the other has ended has this long to arrive. */
const LINGER_MS = 10_000

/** Joins two connections: what one sends the other gets, no faster than it reads. When one ends, so does the other. */
export async function join(left: Duplex, right: Duplex, clock: Clock): Promise<void> {
  let cut: Timer | undefined
  const lingering = () => {
    cut ??= clock.after(LINGER_MS, () => {
      left.destroy()
      right.destroy()
    })
  }
  left.pipe(right)
  right.pipe(left)
  await Promise.all([follow(left, right, lingering), follow(right, left, lingering)])
  cut?.cancel()
}

function follow(one: Duplex, other: Duplex, lingering: () => void): Promise<void> {
  return new Promise(resolve => {
    one.on('error', () => one.destroy())
    one.on('end', lingering)
    one.on('close', () => {
      resolve()
      lingering()
      if (other.destroyed) return
      other.end()
      // Nobody takes what it still says.
      other.resume()
    })
  })
}
