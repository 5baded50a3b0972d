import type { DeleteOptions } from '#client/client.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { WriteRequest } from './write-request.ts'

/**
 * What the server does for objects of one kind beyond storing them: allocate addresses, let pods end gracefully. The registry knows none of
 * them; they are looked up by the kind's group and resource. All parts are optional.
 */
export interface Behaviour {
  readonly group: string
  readonly resource: string
  /**
   * Seconds that the object is given to end; undefined if it is deleted at once. `requested` is what the client asked for.
   */
  gracePeriodSeconds?(object: ApiObject, requested: number | undefined): number | undefined
  /** Whether something beside `metadata.finalizers` keeps the object (a namespace's `spec.finalizers`). */
  isHeld?(object: ApiObject): boolean
  /** What else changes in an object that begins to be deleted: its fields, and those of its metadata, may be replaced; the rest is the stored object's own. */
  markDeleted?(object: Mutable<ApiObject>): void
  /** Refuses a delete by throwing, before its preconditions are looked at. */
  checkDelete?(object: ApiObject, options: DeleteOptions): void
  /** What a client should know of the delete it asked for: the texts of `Warning` headers. */
  deleteWarnings?(options: DeleteOptions): readonly string[]
  /** Seconds after which objects vanish by themselves. */
  readonly lifetimeSeconds?: number
  /** Runs on a create or update after defaults and admission, before validation: allocates. `old` undefined is a create. */
  begin?(
    object: Mutable<ApiObject>,
    old: ApiObject | undefined,
    request: WriteRequest,
  ): Promise<Allocation | undefined> | Allocation | undefined
  /** After the object is gone. */
  afterDelete?(object: ApiObject): void | Promise<void>
}

/** What was taken for an object that is being written. */
export interface Allocation {
  /** The object is stored. */
  commit?(stored: ApiObject): void | Promise<void>
  /** It is not. */
  release?(): void | Promise<void>
}

/** Behaviours by group and resource of the stored kind. */
export class Behaviours {
  readonly #byResource = new Map<string, Behaviour>()

  constructor(behaviours: readonly Behaviour[]) {
    for (const behaviour of behaviours) this.#byResource.set(`${behaviour.group}/${behaviour.resource}`, behaviour)
  }

  of(kind: AnyKind): Behaviour | undefined {
    return this.#byResource.get(`${kind.group}/${kind.plural}`)
  }
}
