import type { AnyKind } from '#machinery/kind/kind.ts'
import { Moment } from './v1/moment.ts'
import { SchedulingReview } from './v1/scheduling-review.ts'
import { Store } from './v1/store.ts'

/** The group `typernetes.dev`: what upstream has nothing for. Served beside the built-in kinds where it is switched on. */
export const typernetesKinds: readonly AnyKind[] = [Moment, Store, SchedulingReview]
