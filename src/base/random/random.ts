/** The randomness of a component, taken as a parameter so that a simulation replays from a seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, limit). */
  below(limit: number): number
  /** A random (version 4) UUID. */
  uuid(): string
  /** `length` letters and digits as Kubernetes puts behind a generateName: no vowels and no look-alikes. */
  suffix(length: number): string
}

/** Upstream's alphabet for generated names (k8s.io/apimachinery/pkg/util/rand). */
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** A {@link Random} over any source of numbers in [0, 1). */
export function randomFrom(next: () => number): Random {
  const below = (limit: number) => Math.floor(next() * limit)
  const hex = (digits: number) => Array.from({ length: digits }, () => below(16).toString(16)).join('')
  return {
    next,
    below,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${(8 + below(4)).toString(16)}${hex(3)}-${hex(12)}`,
    suffix: length => Array.from({ length }, () => SUFFIX_ALPHABET[below(SUFFIX_ALPHABET.length)]).join(''),
  }
}

/** The same numbers for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return randomFrom(() => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  })
}
