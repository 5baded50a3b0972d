import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const PreemptionPolicy = oneOf('PreemptLowerPriority', 'Never')
export type PreemptionPolicy = StoredOf<typeof PreemptionPolicy>
