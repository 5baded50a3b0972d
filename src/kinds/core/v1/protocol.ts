import { oneOf, type StoredOf } from '#machinery/schema/schema.ts'

export const Protocol = oneOf('TCP', 'UDP', 'SCTP')
export type Protocol = StoredOf<typeof Protocol>
