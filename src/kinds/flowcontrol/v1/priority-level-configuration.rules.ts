import { equal } from '#machinery/kind/draft.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { internal } from '../../meta/v1/rules.ts'
import type { LimitedPriorityLevelConfiguration, PriorityLevelConfiguration, QueuingConfiguration } from './priority-level-configuration.ts'

/** The two levels that every server has; their shape is fixed. */
const MANDATORY: ReadonlyMap<string, PriorityLevelConfiguration['spec']> = new Map<string, PriorityLevelConfiguration['spec']>([
  ['catch-all', { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } }],
])

export function validatePriorityLevel({ metadata, spec }: PriorityLevelConfiguration, errors: FieldErrors): void {
  const at = errors.at('spec')
  const isExempt = spec.type === 'Exempt'
  if ((metadata.name === 'exempt') !== isExempt) {
    at.at('type').invalid(spec.type, "type must be 'Exempt' if and only if name is 'exempt'")
  }
  if (isExempt) {
    if (spec.limited) at.at('limited').forbidden('must be nil if the type is not Limited')
    if (spec.exempt) {
      const { nominalConcurrencyShares, lendablePercent } = spec.exempt
      if (nominalConcurrencyShares < 0)
        at.at('exempt').at('nominalConcurrencyShares').invalid(nominalConcurrencyShares, 'must be a non-negative integer')
      if (lendablePercent < 0 || lendablePercent > 100)
        at.at('exempt').at('lendablePercent').invalid(lendablePercent, 'must be between 0 and 100, inclusive')
    }
  } else if (spec.type === 'Limited') {
    if (spec.exempt) at.at('exempt').forbidden('must be nil if the type is Limited')
    if (!spec.limited) at.at('limited').required('must not be empty when type is Limited')
    else validateLimited(spec.limited, at.at('limited'))
  } else at.at('type').notSupported(spec.type, ['Exempt', 'Limited'])
  const fixed = MANDATORY.get(metadata.name ?? '')
  if (fixed && !equal(spec, fixed)) at.invalid(internal(spec), `spec of '${metadata.name}' must equal the fixed value`)
}

function validateLimited(limited: LimitedPriorityLevelConfiguration, errors: FieldErrors): void {
  const { nominalConcurrencyShares: shares, lendablePercent, borrowingLimitPercent, limitResponse } = limited
  if (shares < 0) errors.at('nominalConcurrencyShares').invalid(shares, 'must be a non-negative integer')
  if (lendablePercent < 0 || lendablePercent > 100)
    errors.at('lendablePercent').invalid(lendablePercent, 'must be between 0 and 100, inclusive')
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    errors.at('borrowingLimitPercent').invalid(borrowingLimitPercent, 'if specified, must be a non-negative integer')
  }
  const at = errors.at('limitResponse')
  if (limitResponse.type === 'Reject') {
    if (limitResponse.queuing) at.at('queuing').forbidden('must be nil if limited.limitResponse.type is not Limited')
  } else if (limitResponse.type === 'Queue') {
    if (!limitResponse.queuing) at.at('queuing').required('must not be empty if limited.limitResponse.type is Limited')
    else validateQueuing(limitResponse.queuing, at.at('queuing'))
  } else at.at('type').notSupported(limitResponse.type, ['Queue', 'Reject'])
}

const MAX_QUEUES = 10_000_000

function validateQueuing({ queues, handSize, queueLengthLimit }: QueuingConfiguration, errors: FieldErrors): void {
  if (queueLengthLimit <= 0) errors.at('queueLengthLimit').invalid(queueLengthLimit, 'must be positive')
  if (queues <= 0) errors.at('queues').invalid(queues, 'must be positive')
  else if (queues > MAX_QUEUES) errors.at('queues').invalid(queues, `must not be greater than ${MAX_QUEUES}`)
  if (handSize <= 0) errors.at('handSize').invalid(handSize, 'must be positive')
  else if (handSize > queues) errors.at('handSize').invalid(handSize, `should not be greater than queues (${queues})`)
}
