import type { Condition } from '#kinds/meta/v1/condition.ts'
import { toleratesDevice } from '#kinds/resource/v1/device-toleration.facts.ts'
import type { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import type { DeviceTaint } from '#kinds/resource/v1/resource-slice.ts'
import type { DeviceTaintRule } from '#kinds/resource/v1beta2/device-taint-rule.ts'
import { timeOf } from '#machinery/time/time.ts'

/** When the users of a claim have to go, in milliseconds since the epoch: the earliest of what its devices' taints ask; undefined: never. */
export function deviceEvictionAt(
  { status: { allocation } }: ResourceClaim,
  taints: (driver: string, pool: string, device: string) => readonly DeviceTaint[],
  now: number,
): number | undefined {
  let earliest: number | undefined
  for (const { driver, pool, device, tolerations = [] } of allocation?.devices?.results ?? [])
    for (const taint of taints(driver, pool, device)) {
      if (taint.effect !== 'NoExecute') continue
      const matching = tolerations.filter(toleration => toleratesDevice(toleration, taint))
      if (matching.some(({ tolerationSeconds }) => tolerationSeconds === undefined)) continue
      const seconds = Math.max(0, ...matching.map(({ tolerationSeconds = 0 }) => tolerationSeconds))
      const at = (taint.timeAdded ? Date.parse(taint.timeAdded) : now) + seconds * 1000
      earliest = Math.min(earliest ?? at, at)
    }
  return earliest
}

/** Whether a rule is about a device. A selector without fields means every device, no selector means none. */
export function selectsDevice({ spec: { deviceSelector } }: DeviceTaintRule, driver: string, pool: string, device: string): boolean {
  if (!deviceSelector) return false
  const { driver: onlyDriver = driver, pool: onlyPool = pool, device: onlyDevice = device } = deviceSelector
  return onlyDriver === driver && onlyPool === pool && onlyDevice === device
}

/** What a rule meets: devices that are published, devices that are allocated, and pods that have to go for it (or would have to). */
export interface RuleReach {
  readonly published: number
  readonly allocated: number
  readonly pods: number
  readonly namespaces: number
}

/** The condition by which a rule tells how far the eviction of pods is. It stays as it is while it says the same. */
export function planRuleCondition(rule: DeviceTaintRule, reach: RuleReach, now: number): Condition {
  const before = rule.status.conditions?.find(({ type }) => type === EVICTION_IN_PROGRESS)
  const generation = rule.metadata.generation ?? 0
  const isOfThis = before?.observedGeneration === generation
  const wasAtWork = isOfThis && (before.reason === 'PodsPendingEviction' || before.reason === 'Completed')
  const [reason, message, isAtWork] = verdictOf(rule, reach, wasAtWork)
  const status = isAtWork ? 'True' : 'False'
  if (isOfThis && before.status === status && before.reason === reason && before.message === message) return before
  return { type: EVICTION_IN_PROGRESS, status, observedGeneration: generation, lastTransitionTime: timeOf(now), reason, message }
}

const EVICTION_IN_PROGRESS = 'EvictionInProgress'

function verdictOf({ spec: { taint } }: DeviceTaintRule, reach: RuleReach, wasAtWork: boolean): [string, string, boolean] {
  const { published, allocated, pods, namespaces } = reach
  if (taint.effect === 'None') {
    const message =
      `${counted(published, 'published device')} selected. ${counted(allocated, 'allocated device')} selected. ` +
      `${counted(pods, 'pod')} would be evicted in ${namespaces === 1 ? '1 namespace' : `${namespaces} different namespaces`} ` +
      'if the effect was NoExecute. This information will not be updated again. Recreate the DeviceTaintRule to trigger an update.'
    return ['NoEffect', message, false]
  }
  if (taint.effect !== 'NoExecute') return ['OtherEffect', 'Eviction only happens for the NoExecute effect.', false]
  if (pods === 0) return [wasAtWork ? 'Completed' : 'NotStarted', '', false]
  const where = namespaces === 1 ? '1 namespace.' : `${namespaces} different namespaces.`
  return ['PodsPendingEviction', `${pods === 1 ? '1 pod needs' : `${pods} pods need`} to be evicted in ${where}`, true]
}

const counted = (count: number, noun: string) => (count === 1 ? `1 ${noun}` : `${count} ${noun}s`)
