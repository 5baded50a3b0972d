import { getRandomValues, randomUUID } from 'node:crypto'
import { type Random, randomFrom } from './random.ts'

/** The machine's randomness, from its cryptographic source. */
export function systemRandom(): Random {
  const pool = new Uint32Array(256)
  let used = pool.length
  const next = () => {
    if (used === pool.length) {
      getRandomValues(pool)
      used = 0
    }
    return pool[used++]! / 2 ** 32
  }
  return { ...randomFrom(next), uuid: () => randomUUID() }
}
