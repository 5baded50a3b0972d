import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { AdmissionChain } from '../admission/admission.ts'
import type { Behaviours } from './behaviour.ts'
import type { ComputedResource } from './computed-resource.ts'
import type { FieldOwnership } from './field-ownership.ts'
import type { Gates } from './gates.ts'
import type { ObjectStore } from './object-store.ts'
import type { Turns } from './turns.ts'

/** What every verb of the registry stands on. */
export interface Core {
  readonly objects: ObjectStore
  readonly kinds: KindRegistry
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly admission: AdmissionChain
  readonly behaviours: Behaviours
  readonly ownership: FieldOwnership
  readonly turns: Turns
  readonly gates: Gates
  /** Kinds that are not stored, but can be read. */
  readonly computed: ReadonlyMap<AnyKind, ComputedResource>
}

/** The time as objects carry it: RFC 3339 to the second. What is written within a second carries the very same text. */
export function timestamp(nowMs: number): string {
  const second = Math.floor(nowMs / 1000)
  if (second !== last.second) last = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` }
  return last.text
}

let last = { second: Number.NaN, text: '' }
