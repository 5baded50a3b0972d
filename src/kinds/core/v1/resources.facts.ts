import { milliOf, wholeValueOf } from '#machinery/quantity/quantity.ts'

/** Amounts of resources as numbers: cpu in thousandths, everything else in whole units (bytes, pieces). */
export type ResourceAmounts = Readonly<Record<string, number>>

/** The amounts of a resource list. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): ResourceAmounts {
  if (!list) return NONE
  const amounts: Record<string, number> = {}
  for (const name of Object.keys(list)) amounts[name] = name === 'cpu' ? milliOf(list[name]!) : wholeValueOf(list[name]!)
  return amounts
}

/** The sum, resource by resource. */
export function addAmounts(left: ResourceAmounts, right: ResourceAmounts): ResourceAmounts {
  const sum: Record<string, number> = { ...left }
  for (const name of Object.keys(right)) sum[name] = (sum[name] ?? 0) + right[name]!
  return sum
}

/** The greater of both, resource by resource. */
export function maxAmounts(left: ResourceAmounts, right: ResourceAmounts): ResourceAmounts {
  const most: Record<string, number> = { ...left }
  for (const name of Object.keys(right)) most[name] = Math.max(most[name] ?? 0, right[name]!)
  return most
}

const NONE: ResourceAmounts = {}

const NATIVE_PREFIX = 'kubernetes.io/'

/** A resource of Kubernetes itself: no prefix, or one of `kubernetes.io`. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes(NATIVE_PREFIX)
}

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-')
}

/** A resource that someone else's device plugin or operator counts: `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.')
}
