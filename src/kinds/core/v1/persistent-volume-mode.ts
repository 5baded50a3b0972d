import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const PersistentVolumeMode = oneOf('Block', 'Filesystem')
export type PersistentVolumeMode = StoredOf<typeof PersistentVolumeMode>
