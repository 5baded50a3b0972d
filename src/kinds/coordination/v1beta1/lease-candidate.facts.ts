/** The parts of a semantic version that order it (semver.org); `pre` is empty for a release. */
export interface Version {
  readonly numbers: readonly number[]
  readonly pre: readonly string[]
}

const SEMANTIC =
  /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/** Reads `1.36.0`, `1.36.0-rc.1+abc`; undefined if it is no semantic version. */
export function parseVersion(text: string): Version | undefined {
  const match = SEMANTIC.exec(text)
  return match ? { numbers: match.slice(1, 4).map(Number), pre: match[4]?.split('.') ?? [] } : undefined
}

/** Negative if the left one is older. What is not released yet is older than the release. */
export function compareVersions(left: Version, right: Version): number {
  for (const [index, number] of left.numbers.entries()) if (number !== right.numbers[index]) return number - right.numbers[index]!
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length
  for (const [index, part] of left.pre.entries()) {
    const other = right.pre[index]
    if (other === undefined) return 1
    if (part !== other) return comparePart(part, other)
  }
  return left.pre.length - right.pre.length
}

/** Numbers by their size and before words. */
function comparePart(left: string, right: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)]
  if (isNumber && isOtherNumber) return Number(left) - Number(right)
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return left < right ? -1 : 1
}
