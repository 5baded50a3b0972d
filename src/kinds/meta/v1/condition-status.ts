import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const ConditionStatus = oneOf('True', 'False', 'Unknown')
export type ConditionStatus = StoredOf<typeof ConditionStatus>
