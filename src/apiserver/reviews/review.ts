import type { Caller } from '#client/direct/api-handler.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'

/** A kind whose objects are questions: a POST is answered with the object, its status filled in, and nothing is stored. */
export interface Review {
  readonly group: string
  readonly resource: string
  /** The status, or a rejection with StatusError where the question is ill put. `object` was decoded, with defaults. */
  answer(object: ApiObject, caller: Caller): Promise<object>
}
