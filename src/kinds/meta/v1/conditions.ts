import { listMap } from '#machinery/schema/schema.ts'
import { Condition } from './condition.ts'

/** What holds of an object right now, one entry per aspect. */
export const conditions = listMap(Condition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' })
