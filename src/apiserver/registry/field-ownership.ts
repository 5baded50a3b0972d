import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'

/** A write as the bookkeeping of field owners sees it. */
export interface OwnershipContext {
  readonly kind: AnyKind
  readonly subresource: string
  readonly manager: string
  /** RFC 3339. */
  readonly time: string
}

/** Keeps `metadata.managedFields`: who has set which fields. */
export interface FieldOwnership {
  /** `object` (as sent or patched, in the requested version) with the entries it has to carry; `live` is undefined for a create. */
  afterUpdate(live: ApiObject | undefined, object: ApiObject, context: OwnershipContext): ApiObject
  /** Server-side apply: `live` with `applied` merged into it. Throws a StatusError on conflicts unless forced. */
  apply(live: ApiObject, applied: unknown, context: OwnershipContext & { readonly force: boolean }): ApiObject
}
