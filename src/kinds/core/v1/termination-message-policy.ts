import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const TerminationMessagePolicy = oneOf('File', 'FallbackToLogsOnError')
export type TerminationMessagePolicy = StoredOf<typeof TerminationMessagePolicy>
