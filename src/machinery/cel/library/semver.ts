import { declareFunction, globalOverload, type Library, memberOverload } from '#base/languages/cel/declarations.ts'
import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { BOOL, INT, opaque, STRING } from '#base/languages/cel/types.ts'
import { OpaqueValue } from './opaque-value.ts'
import { succeeds } from './succeeds.ts'

export const SEMVER_TYPE = opaque('kubernetes.Semver')

interface Version {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  readonly pre: readonly string[]
}
type SemverValue = OpaqueValue<Version>

const two = [SEMVER_TYPE, SEMVER_TYPE]

/** `semver('1.2.3')`, `isSemver`, and comparing versions. */
export const SEMVER_LIBRARY: Library = {
  types: [SEMVER_TYPE],
  functions: [
    declareFunction(
      'semver',
      globalOverload('string_to_semver', [STRING], SEMVER_TYPE, semverValue),
      globalOverload('string_bool_to_semver', [STRING, BOOL], SEMVER_TYPE, semverValue),
    ),
    declareFunction(
      'isSemver',
      globalOverload('is_semver_string', [STRING], BOOL, isSemver),
      globalOverload('is_semver_string_bool', [STRING, BOOL], BOOL, isSemver),
    ),
    declareFunction(
      'isGreaterThan',
      memberOverload('semver_is_greater_than', two, BOOL, (a: SemverValue, b: SemverValue) => compare(a.held, b.held) > 0),
    ),
    declareFunction(
      'isLessThan',
      memberOverload('semver_is_less_than', two, BOOL, (a: SemverValue, b: SemverValue) => compare(a.held, b.held) < 0),
    ),
    declareFunction(
      'compareTo',
      memberOverload('semver_compare_to', two, INT, (a: SemverValue, b: SemverValue) => BigInt(compare(a.held, b.held))),
    ),
    declareFunction(
      'major',
      memberOverload('semver_major', [SEMVER_TYPE], INT, (version: SemverValue) => version.held.major),
    ),
    declareFunction(
      'minor',
      memberOverload('semver_minor', [SEMVER_TYPE], INT, (version: SemverValue) => version.held.minor),
    ),
    declareFunction(
      'patch',
      memberOverload('semver_patch', [SEMVER_TYPE], INT, (version: SemverValue) => version.held.patch),
    ),
  ],
}

export function semverValue(text: string, normalize = false): SemverValue {
  return new OpaqueValue(SEMVER_TYPE, parse(normalize ? normalized(text) : text), (a, b) => compare(a, b) === 0)
}

function isSemver(text: string, normalize = false): boolean {
  return succeeds(() => semverValue(text, normalize))
}

function parse(text: string): Version {
  if (text === '') throw new EvaluationError('Version string empty')
  const [core, ...rest] = text.split('+')
  const dash = core!.indexOf('-')
  const numbers = (dash < 0 ? core! : core!.slice(0, dash)).split('.')
  if (numbers.length !== 3) throw new EvaluationError('No Major.Minor.Patch elements found')
  const [major, minor, patch] = numbers.map((part, i) => {
    const name = ['Major', 'Minor', 'Patch'][i]!
    if (!/^\d+$/.test(part)) throw new EvaluationError(`Invalid character(s) found in ${name.toLowerCase()} number ${JSON.stringify(part)}`)
    if (part.length > 1 && part.startsWith('0'))
      throw new EvaluationError(`${name} number must not contain leading zeroes ${JSON.stringify(part)}`)
    return BigInt(part)
  })
  const pre = dash < 0 ? [] : core!.slice(dash + 1).split('.')
  for (const part of pre) {
    if (part === '') throw new EvaluationError('Prerelease is empty')
    if (!/^[0-9A-Za-z-]+$/.test(part)) throw new EvaluationError(`Invalid character(s) found in prerelease ${JSON.stringify(part)}`)
    if (/^0\d+$/.test(part)) throw new EvaluationError(`Numeric PreRelease version must not contain leading zeroes ${JSON.stringify(part)}`)
  }
  for (const part of rest.join('+').split('.')) {
    if (rest.length > 0 && part === '') throw new EvaluationError('Build meta data is empty')
    if (!/^[0-9A-Za-z-]*$/.test(part)) throw new EvaluationError(`Invalid character(s) found in build meta data ${JSON.stringify(part)}`)
  }
  return { major: major!, minor: minor!, patch: patch!, pre }
}

/** Without a leading `v` and leading zeros, with `.0` for what is missing. */
function normalized(text: string): string {
  const [major, minor, ...others] = text.replace(/^v/, '').split('.')
  const parts = [major!, ...(minor === undefined ? [] : [minor]), ...(others.length === 0 ? [] : [others.join('.')])].map(part => {
    if (part.length <= 1) return part
    const bare = part.replace(/^0+/, '')
    return /^\d/.test(bare) ? bare : `0${bare}`
  })
  if (parts.length < 3 && /[+-]/.test(parts.at(-1)!)) throw new EvaluationError('short version cannot contain PreRelease/Build meta data')
  while (parts.length < 3) parts.push('0')
  return parts.join('.')
}

function compare(a: Version, b: Version): -1 | 0 | 1 {
  for (const part of ['major', 'minor', 'patch'] as const) if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1
  if (a.pre.length === 0 || b.pre.length === 0) return a.pre.length === b.pre.length ? 0 : a.pre.length === 0 ? 1 : -1
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = comparePre(a.pre[i]!, b.pre[i]!)
    if (order !== 0) return order
  }
  return a.pre.length === b.pre.length ? 0 : a.pre.length < b.pre.length ? -1 : 1
}

/** Numbers by value and before words; words as text. */
function comparePre(a: string, b: string): -1 | 0 | 1 {
  const isNumber = (text: string) => /^\d+$/.test(text)
  if (a === b) return 0
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1
  if (isNumber(a)) return BigInt(a) === BigInt(b) ? 0 : BigInt(a) < BigInt(b) ? -1 : 1
  return a < b ? -1 : 1
}
