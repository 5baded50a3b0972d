import { embedded, omitempty, required, string } from '#machinery/schema/schema.ts'
import { ConditionStatus } from './condition-status.ts'
import { timeOrNull } from './time-or-null.ts'

/** What the conditions of most kinds have; each kind has a message of its own for them. */
export const conditionFields = {
  type: required(1, string, 'What this is about.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  lastTransitionTime: embedded(3, timeOrNull, 'When the status last changed.'),
  reason: omitempty(4, string, 'What happened, in one word.'),
  message: omitempty(5, string, 'What happened, for people.'),
}
