import type { FieldOwnership } from './field-ownership.ts'

/** Keeps no account of who set what: what the client says of it is dropped, what is stored stays. */
export const noOwnership: FieldOwnership = {
  afterUpdate(live, object) {
    const { managedFields: _, ...metadata } = object.metadata
    const kept = live?.metadata.managedFields
    return { ...object, metadata: kept ? { ...metadata, managedFields: kept } : metadata }
  },
  apply: live => live,
}
