import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'

/** A kind whose objects are made up when they are read, and never stored. */
export interface ComputedResource {
  readonly kind: AnyKind
  /** The object of that name; undefined if there is none. */
  get(name: string, namespace: string): Promise<ApiObject | undefined>
  list(namespace: string): Promise<readonly ApiObject[]>
}
