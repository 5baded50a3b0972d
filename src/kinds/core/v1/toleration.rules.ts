import { isLabelValue } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelName } from '../../meta/v1/rules.ts'
import type { Taint } from './node.ts'
import type { Toleration } from './toleration.ts'

/** Comparisons are known, but their feature is off by default. */
const COMPARISONS = ['Lt', 'Gt']
const OPERATORS = ['Equal', 'Exists']
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function validateTolerations(tolerations: readonly Toleration[] | undefined, errors: FieldErrors): void {
  tolerations?.forEach((toleration, index) => {
    validateToleration(toleration, errors.index(index))
  })
}

function validateToleration(toleration: Toleration, errors: FieldErrors): void {
  const { key = '', operator, value = '', effect, tolerationSeconds } = toleration
  if (key !== '') validateLabelName(key, errors.at('key'))
  else if (operator !== 'Exists') {
    errors
      .at('operator')
      .invalid(operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"')
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.at('effect').invalid(effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set")
  }
  if (operator === undefined || operator === 'Equal') {
    const wrong = isLabelValue(value)
    if (wrong.length > 0) errors.at('operator').invalid(value, wrong.join(';'))
  } else if (operator === 'Exists') {
    if (value !== '') errors.at('operator').invalid(value, "value must be empty when `operator` is 'Exists'")
  } else errors.at('operator').notSupported(operator, COMPARISONS.includes(operator) ? [...OPERATORS, ...COMPARISONS] : OPERATORS)
  if (effect !== undefined && !EFFECTS.includes(effect)) errors.at('effect').notSupported(effect, EFFECTS)
}

/** The taints of a node: each key and effect once. */
export function validateTaints(taints: readonly Taint[] | undefined, errors: FieldErrors): void {
  const seen = new Set<string>()
  taints?.forEach((taint, index) => {
    const at = errors.index(index)
    validateLabelName(taint.key, at.at('key'))
    const wrong = isLabelValue(taint.value ?? '')
    if (wrong.length > 0) at.at('value').invalid(taint.value, wrong.join(';'))
    if ((taint.effect as string) === '') at.at('effect').required()
    else if (!EFFECTS.includes(taint.effect)) at.at('effect').notSupported(taint.effect, EFFECTS)
    const identity = `${taint.key} ${taint.effect}`
    if (seen.has(identity)) at.duplicate(shown(taint), 'taints must be unique by key and effect pair')
    seen.add(identity)
  })
}

function shown({
  key,
  value = '',
  effect,
  timeAdded = null,
}: {
  readonly key: string
  readonly value?: string | undefined
  readonly effect: string
  readonly timeAdded?: string | null | undefined
}): object {
  return { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded }
}
