import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const PersistentVolumeAccessMode = oneOf('ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod')
export type PersistentVolumeAccessMode = StoredOf<typeof PersistentVolumeAccessMode>
