import type { Duplex } from 'node:stream'
import type { Clock } from '#base/time/clock.ts'

/** What is still under way to one side when the other has gone has this long to arrive. */
const LINGER_MS = 10_000

/** Joins two connections: what one sends the other gets, no faster than it reads. When one ends, so does the other. */
export function join(left: Duplex, right: Duplex, clock: Clock): Promise<void> {
  left.pipe(right)
  right.pipe(left)
  return Promise.all([follow(left, right, clock), follow(right, left, clock)]).then(() => undefined)
}

function follow(one: Duplex, other: Duplex, clock: Clock): Promise<void> {
  return new Promise(resolve => {
    one.on('error', () => one.destroy())
    one.on('close', () => {
      resolve()
      if (other.destroyed) return
      other.end()
      // Nobody takes what it still says.
      other.resume()
      const cut = clock.after(LINGER_MS, () => other.destroy())
      other.once('close', () => cut.cancel())
    })
  })
}
