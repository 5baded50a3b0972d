import type { HorizontalPodAutoscaler, HPAScalingRules } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'

/** What an autoscaler remembers of its own doing: what was wished for and what was done, newest last. */
export interface ScalingMemory {
  readonly wishes: { readonly replicas: number; readonly atMs: number }[]
  readonly changes: { readonly by: number; readonly atMs: number }[]
}

/** The number of pods to set, and what kept it from being what was wished for. */
export interface Limited {
  readonly replicas: number
  readonly reason: string
  readonly message: string
  readonly isLimited: boolean
  readonly isStabilized: boolean
}

const UP: Required<Pick<HPAScalingRules, 'selectPolicy' | 'policies' | 'stabilizationWindowSeconds'>> = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Percent', value: 100, periodSeconds: 15 },
    { type: 'Pods', value: 4, periodSeconds: 15 },
  ],
}
const DOWN_POLICIES = [{ type: 'Percent' as const, value: 100, periodSeconds: 15 }]

/** Bends a wish by stabilization, policies and bounds. Notes the wish down. */
export function limit(
  { spec }: HorizontalPodAutoscaler,
  current: number,
  wish: number,
  memory: ScalingMemory,
  downscaleStabilizationMs: number,
  now: number,
): Limited {
  const up = { ...UP, ...present(spec.behavior?.scaleUp) }
  const down = {
    stabilizationWindowSeconds: downscaleStabilizationMs / 1000,
    selectPolicy: 'Max' as const,
    policies: DOWN_POLICIES,
    ...present(spec.behavior?.scaleDown),
  }
  const stable = stabilize(current, wish, memory, up.stabilizationWindowSeconds ?? 0, down.stabilizationWindowSeconds ?? 0, now)
  const isStabilized = stable !== wish
  const done = (replicas: number, isLimited: boolean, reason: string, message: string): Limited => ({
    replicas,
    isLimited,
    reason,
    message,
    isStabilized,
  })
  if (stable > current) {
    const most = Math.max(current, upperLimit(up, current, memory, now))
    if (stable > Math.min(most, spec.maxReplicas)) {
      return most < spec.maxReplicas
        ? done(most, true, 'ScaleUpLimit', 'the desired replica count is increasing faster than the maximum scale rate')
        : done(spec.maxReplicas, true, 'TooManyReplicas', 'the desired replica count is more than the maximum replica count')
    }
  } else if (stable < current) {
    const least = Math.min(current, lowerLimit(down, current, memory, now))
    if (stable < Math.max(least, spec.minReplicas)) {
      return least > spec.minReplicas
        ? done(least, true, 'ScaleDownLimit', 'the desired replica count is decreasing faster than the maximum scale rate')
        : done(spec.minReplicas, true, 'TooFewReplicas', 'the desired replica count is less than the minimum replica count')
    }
  }
  return done(stable, false, 'DesiredWithinRange', 'the desired count is within the acceptable range')
}

/** Notes down what was done. */
export function noteChange(memory: ScalingMemory, by: number, now: number): void {
  memory.changes.push({ by, atMs: now })
  const old = now - 3600_000
  while (memory.changes[0] && memory.changes[0].atMs < old) memory.changes.shift()
}

/** Up only as far as every wish of the window goes, down only as far as each of them. */
function stabilize(current: number, wish: number, memory: ScalingMemory, upSeconds: number, downSeconds: number, now: number): number {
  const longest = Math.max(upSeconds, downSeconds) * 1000
  while (memory.wishes[0] && memory.wishes[0].atMs < now - longest) memory.wishes.shift()
  const within = (seconds: number) => memory.wishes.filter(({ atMs }) => atMs > now - seconds * 1000).map(({ replicas }) => replicas)
  const highest = Math.max(wish, ...within(downSeconds))
  const lowest = Math.min(wish, ...within(upSeconds))
  memory.wishes.push({ replicas: wish, atMs: now })
  if (current < lowest) return lowest
  return Math.min(current, highest)
}

function upperLimit(rules: HPAScalingRules, current: number, memory: ScalingMemory, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current - changedWithin(memory, periodSeconds, now)
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits)
}

function lowerLimit(rules: HPAScalingRules, current: number, memory: ScalingMemory, now: number): number {
  if (rules.selectPolicy === 'Disabled') return current
  const limits = (rules.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = current - changedWithin(memory, periodSeconds, now)
    return type === 'Pods' ? start - value : Math.floor(start * (1 - value / 100))
  })
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits)
}

function changedWithin(memory: ScalingMemory, seconds: number, now: number): number {
  return memory.changes.filter(({ atMs }) => atMs > now - seconds * 1000).reduce((sum, { by }) => sum + by, 0)
}

function present(rules: HPAScalingRules | undefined): Partial<HPAScalingRules> {
  return Object.fromEntries(Object.entries(rules ?? {}).filter(([, value]) => value !== undefined))
}
