import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const PersistentVolumeReclaimPolicy = oneOf('Recycle', 'Delete', 'Retain')
export type PersistentVolumeReclaimPolicy = StoredOf<typeof PersistentVolumeReclaimPolicy>
