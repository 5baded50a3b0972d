import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const FailurePolicyType = oneOf('Ignore', 'Fail')
export type FailurePolicyType = StoredOf<typeof FailurePolicyType>
