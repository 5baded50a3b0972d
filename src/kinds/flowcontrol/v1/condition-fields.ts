import { omitempty, string } from '#machinery/schema/schema.ts'
import { conditionFields } from '../../meta/v1/condition-fields.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'

/** As other conditions, with nothing that has to be there. */
export const flowControlConditionFields = {
  ...conditionFields,
  type: omitempty(1, string, 'What this is about.'),
  status: omitempty(2, ConditionStatus, 'Whether it holds.'),
}
