import { isConditionReason } from '#machinery/meta/formats.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { Condition } from './condition.ts'
import { validateLabelName } from './rules.ts'

const STATUSES = ['False', 'True', 'Unknown']
const [MAX_REASON, MAX_MESSAGE] = [1024, 32 * 1024]

/** What must hold of the conditions of every kind: each type once, a known status, a reason in one word, a time. */
export function validateConditions(conditions: readonly Condition[], errors: FieldErrors): void {
  conditions.forEach((condition, index) => {
    const at = errors.index(index)
    const { type, status, observedGeneration = 0, lastTransitionTime, reason, message } = condition
    if (conditions.findIndex(other => other.type === type) < index) at.at('type').duplicate(type)
    validateLabelName(type, at.at('type'))
    if (!STATUSES.includes(status)) at.at('status').notSupported(status, STATUSES)
    if (observedGeneration < 0) at.at('observedGeneration').invalid(observedGeneration, 'must be greater than or equal to zero')
    if (!lastTransitionTime) at.at('lastTransitionTime').required('must be set')
    if (reason === '') at.at('reason').required('must be set')
    else {
      at.at('reason').invalidEach(reason, isConditionReason(reason))
      if (reason.length > MAX_REASON) at.at('reason').tooLong(MAX_REASON)
    }
    if (message.length > MAX_MESSAGE) at.at('message').tooLong(MAX_MESSAGE)
  })
}
