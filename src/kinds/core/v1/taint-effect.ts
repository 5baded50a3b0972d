import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const TaintEffect = oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute')
export type TaintEffect = StoredOf<typeof TaintEffect>
