import type { AnyKind } from '#machinery/kind/kind.ts'
import type { Store } from '#store/store.ts'
import type { Timeline } from '#store/timeline.ts'
import type { ComputedResource } from '../registry/computed-resource.ts'
import { type MomentFacts, moments } from './moments.ts'
import { stores } from './stores.ts'

/** What the group `typernetes.dev` is answered from. Its reference: docs/reference/typernetes.dev.md. */
export interface TypernetesParts {
  readonly store: Store
  readonly timeline: Timeline
  now(): number
  unreadableKeys(): readonly string[]
}

/** The kinds of the group that are made up when they are read, as far as they are served. */
export function computedResources(parts: TypernetesParts, served: Iterable<AnyKind>): ReadonlyMap<AnyKind, ComputedResource> {
  const all = [moments(momentFacts(parts)), stores(parts.store, parts.unreadableKeys)]
  const kinds = new Set(served)
  return new Map(all.filter(({ kind }) => kinds.has(kind)).map(resource => [resource.kind, resource]))
}

export function momentFacts({ store, timeline, now }: TypernetesParts): MomentFacts {
  return { timeline, now, oldestRevision: async () => (await store.status()).compactRevision }
}
