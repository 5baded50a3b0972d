import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const ReinvocationPolicyType = oneOf('Never', 'IfNeeded')
export type ReinvocationPolicyType = StoredOf<typeof ReinvocationPolicyType>
