import type { DeviceTaint } from './resource-slice.ts'

/** Whether whoever tolerates so may use a device with that taint. Fields that are absent say nothing. */
export function toleratesDevice({ key, operator, value, effect }: Tolerating, taint: DeviceTaint): boolean {
  return (
    (!effect || effect === taint.effect) && (!key || key === taint.key) && (operator === 'Exists' || (value ?? '') === (taint.value ?? ''))
  )
}

interface Tolerating {
  readonly key?: string | undefined
  readonly operator?: string | undefined
  readonly value?: string | undefined
  readonly effect?: string | undefined
}
