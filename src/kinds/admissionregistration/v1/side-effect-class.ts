import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const SideEffectClass = oneOf('Unknown', 'None', 'Some', 'NoneOnDryRun')
export type SideEffectClass = StoredOf<typeof SideEffectClass>
