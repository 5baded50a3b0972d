import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const PullPolicy = oneOf('Always', 'Never', 'IfNotPresent')
export type PullPolicy = StoredOf<typeof PullPolicy>
