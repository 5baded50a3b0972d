import type { Random } from '#base/random/random.ts'

const SUFFIX_LENGTH = 5
const NAME_MAX = 63

/** A name behind `generateName`: five random letters; the prefix gives way where the whole would be longer than 63. */
export function generateName(prefix: string, random: Random): string {
  return `${prefix.slice(0, NAME_MAX - SUFFIX_LENGTH)}${random.suffix(SUFFIX_LENGTH)}`
}
