import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const DeviceTaintEffect = oneOf('None', 'NoSchedule', 'NoExecute')
export type DeviceTaintEffect = StoredOf<typeof DeviceTaintEffect>
