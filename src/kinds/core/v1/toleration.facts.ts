import type { Taint } from './node.ts'
import type { Toleration } from './toleration.ts'

/** Whether a pod with this toleration may be where that taint is. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false
  if (toleration.key !== undefined && toleration.key !== taint.key) return false
  switch (toleration.operator ?? 'Equal') {
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '')
    case 'Exists':
      return true
    case 'Lt':
    case 'Gt':
      return compares(toleration, taint)
  }
}

/** Whether any of the tolerations covers the taint. */
export function isTolerated(taint: Taint, tolerations: readonly Toleration[] | undefined): boolean {
  return tolerations?.some(toleration => tolerates(toleration, taint)) ?? false
}

/** The first taint of one of the given effects that no toleration covers. */
export function firstUntolerated(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
  effects: readonly Taint['effect'][],
): Taint | undefined {
  return taints.find(taint => effects.includes(taint.effect) && !isTolerated(taint, tolerations))
}

/** `Lt` and `Gt`: the taint's value is less or greater than the toleration's, both whole numbers. */
function compares(toleration: Toleration, taint: Taint): boolean {
  const bound = integerOf(toleration.value)
  const actual = integerOf(taint.value)
  if (bound === undefined || actual === undefined) return false
  return toleration.operator === 'Lt' ? actual < bound : actual > bound
}

function integerOf(text: string | undefined): bigint | undefined {
  return text !== undefined && /^-?(0|[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : undefined
}
