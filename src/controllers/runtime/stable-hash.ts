/** Upstream's alphabet of words that nobody takes for words: no vowels, no look-alikes. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** A short name for a value: the same for values that say the same, whatever the order of their keys. `salt` tells collisions apart. */
export function stableHash(value: unknown, salt?: number): string {
  const hash = fnv1a(`${canonical(value)}${salt === undefined ? '' : `#${String(salt)}`}`)
  return [...String(hash)].map(digit => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('')
}

/** FNV-1a, 32 bits. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >> 8), 0x01000193)
  }
  return hash >>> 0
}

/** JSON with sorted keys, without what is undefined. */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}
