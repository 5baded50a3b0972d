import { baselineChecks } from './baseline-checks.ts'
import type { Check, PodLike, Violation } from './check.ts'
import type { LeveledPolicy } from './policy.ts'
import { restrictedChecks } from './restricted-checks.ts'

/** What of a pod the policy does not allow; none if it may be. Baseline comes first, each in the order of the checks' names. */
export function violationsOf(policy: LeveledPolicy, pod: PodLike): Violation[] {
  const minor = policy.version === 'latest' ? Number.POSITIVE_INFINITY : policy.version
  if (policy.level === 'privileged') return []
  if (policy.level === 'baseline') return run(baselineChecks, minor, pod)
  const restricted = restrictedChecks.filter(({ since }) => since <= minor)
  const replaced = new Set(restricted.map(({ replaces }) => replaces))
  return [
    ...run(
      baselineChecks.filter(({ id }) => !replaced.has(id)),
      minor,
      pod,
    ),
    ...run(restricted, minor, pod),
  ]
}

/** `privileged (container "c" must not …), host namespaces (hostPID=true)`. */
export function detailText(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ')
}

/** The same in short. */
export function reasonText(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(', ')
}

function run(checks: readonly Check[], minor: number, pod: PodLike): Violation[] {
  return checks.filter(({ since }) => since <= minor).flatMap(check => check.run(pod, minor) ?? [])
}
