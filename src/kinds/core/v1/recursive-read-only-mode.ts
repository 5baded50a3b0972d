import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const RecursiveReadOnlyMode = oneOf('Disabled', 'IfPossible', 'Enabled')
export type RecursiveReadOnlyMode = StoredOf<typeof RecursiveReadOnlyMode>
