import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const MatchPolicyType = oneOf('Exact', 'Equivalent')
export type MatchPolicyType = StoredOf<typeof MatchPolicyType>
