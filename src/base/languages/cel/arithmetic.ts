import { EvaluationError } from './evaluation-error.ts'
import { CelDuration, CelTimestamp, CelUint } from './values.ts'

export const MIN_INT = -(2n ** 63n)
export const MAX_INT = 2n ** 63n - 1n
export const MAX_UINT = 2n ** 64n - 1n
/** From year 1 to year 9999. */
export const MIN_TIMESTAMP = -62135596800n * 1_000_000_000n
export const MAX_TIMESTAMP = 253402300799n * 1_000_000_000n + 999_999_999n

/** A signed integer, if 64 bits hold it. */
export function int(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new EvaluationError('integer overflow')
  return value
}

export function uint(value: bigint): CelUint {
  if (value < 0n || value > MAX_UINT) throw new EvaluationError('unsigned integer overflow')
  return new CelUint(value)
}

export function timestamp(nanoseconds: bigint): CelTimestamp {
  if (nanoseconds < MIN_TIMESTAMP || nanoseconds > MAX_TIMESTAMP) throw new EvaluationError('timestamp overflow')
  return new CelTimestamp(nanoseconds)
}

export function duration(nanoseconds: bigint): CelDuration {
  if (nanoseconds < MIN_INT || nanoseconds > MAX_INT) throw new EvaluationError('duration overflow')
  return new CelDuration(nanoseconds)
}

export function divide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('division by zero')
  return a / b
}

export function remainder(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new EvaluationError('modulus by zero')
  return a % b
}

/** The integer that a double is cut to. */
export function truncate(value: number, low: bigint, high: bigint, message: string): bigint {
  if (!Number.isFinite(value)) throw new EvaluationError(message)
  const whole = BigInt(Math.trunc(value))
  if (whole <= low - 1n || whole > high) throw new EvaluationError(message)
  return whole
}
