import type { Informer } from '#client/informers/informer.ts'
import type { AnyKind, ApiObject, ObjectOf } from '#machinery/kind/kind.ts'
import { controllerOf, groupVersionOf } from '#machinery/meta/object-meta.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { keyOf } from './keys.ts'

/** Objects whose changes make others due for reconciliation. */
export interface Watch {
  readonly kind: AnyKind
  /** The indexes that it needs on the watched kind. */
  readonly indexes?: Readonly<Record<string, (object: ApiObject) => readonly string[]>>
  /** Makes due the keys of the reconciled objects that a change concerns; absent where changes make nothing due. Hot: bench/loops. */
  noticed?(change: WatchedChange, world: WatchWorld, due: (key: string) => void): void
}

/** A change of an object: `object` is undefined when it was deleted, `old` when it was added. */
export interface WatchedChange {
  readonly object: ApiObject | undefined
  readonly old: ApiObject | undefined
}

/** What a mapping may look at. */
export interface WatchWorld {
  /** The kind that is reconciled. */
  readonly kind: AnyKind
  readonly reconciled: Informer
  /** The shared cache of another kind that the controller watches. */
  readonly cacheOf: <K extends AnyKind>(kind: K) => Informer<ObjectOf<K>>
}

/** The index that files objects under the uid of their controller. */
export const BY_CONTROLLER = 'controllerUid'
/** The index that files objects without a controller under their namespace. */
export const ORPHANS = 'orphansIn'

export const byController = (object: ApiObject): readonly string[] => {
  const owner = controllerOf(object)
  return owner ? [owner.uid] : NONE
}

const NONE: readonly string[] = []

/** Objects that a reconciled object controls (by `ownerReferences`). */
export function owned(kind: AnyKind): Watch {
  return {
    kind,
    indexes: { [BY_CONTROLLER]: byController },
    noticed: ({ object, old }, world, due) => {
      const key = object && ownerKey(object, world.kind)
      const oldKey = old && ownerKey(old, world.kind)
      if (key !== undefined) due(key)
      if (oldKey !== undefined && oldKey !== key) due(oldKey)
    },
  }
}

/** Objects that a reconciled object controls, and those without a controller that its selector asks it to adopt. */
export function claimed<O extends ApiObject>(kind: AnyKind, selectorOf: (owner: O) => LabelSelector): Watch {
  const watch = owned(kind)
  return {
    kind,
    indexes: {
      ...watch.indexes,
      [ORPHANS]: object => (controllerOf(object) ? NONE : [object.metadata.namespace ?? '']),
    },
    noticed: (change, world, due) => {
      watch.noticed?.(change, world, due)
      const { object, old } = change
      if (!object || controllerOf(object)) return
      const isNews = !old || controllerOf(old) !== undefined || old.metadata.labels !== object.metadata.labels
      if (!isNews) return
      for (const owner of world.reconciled.list(object.metadata.namespace ?? '')) {
        if (selectorOf(owner as O).matches(object.metadata.labels)) due(keyOf(owner))
      }
    },
  }
}

/** Objects that concern those that `map` names by key or object; it is asked about the object before and after each change. */
export function mapped<K extends AnyKind>(
  kind: K,
  map: (object: ObjectOf<K>, world: WatchWorld) => Iterable<string | ApiObject>,
  indexes: Readonly<Record<string, (object: ObjectOf<K>) => readonly string[]>> = {},
): Watch {
  return {
    kind,
    indexes: indexes as Readonly<Record<string, (object: ApiObject) => readonly string[]>>,
    noticed: ({ object, old }, world, due) => {
      if (object) for (const target of map(object as ObjectOf<K>, world)) due(typeof target === 'string' ? target : keyOf(target))
      if (old) for (const target of map(old as ObjectOf<K>, world)) due(typeof target === 'string' ? target : keyOf(target))
    },
  }
}

/** Objects that are only looked at: their changes make nothing due. */
export function consulted<K extends AnyKind>(
  kind: K,
  indexes: Readonly<Record<string, (object: ObjectOf<K>) => readonly string[]>> = {},
): Watch {
  return { kind, indexes: indexes as NonNullable<Watch['indexes']> }
}

/** The selector of an object's spec; one that breaks a rule selects nothing. */
export function selectorOf(selector: Parameters<typeof LabelSelector.ofObject>[0]): LabelSelector {
  if (!selector) return LabelSelector.nothing
  let parsed = parsedSelectors.get(selector)
  if (!parsed) {
    parsed = parseOrNothing(selector)
    parsedSelectors.set(selector, parsed)
  }
  return parsed
}

// Hot: bench/controllers — selectors are asked for every orphan; cached objects never change, so neither does their selector.
const parsedSelectors = new WeakMap<object, LabelSelector>()

function parseOrNothing(selector: object): LabelSelector {
  try {
    return LabelSelector.ofObject(selector)
  } catch {
    return LabelSelector.nothing
  }
}

function ownerKey(object: ApiObject, kind: AnyKind): string | undefined {
  const owner = controllerOf(object)
  if (owner?.kind !== kind.kind || groupVersionOf(owner.apiVersion).group !== kind.group) return undefined
  return keyOf({ metadata: { namespace: kind.scope === 'Cluster' ? '' : object.metadata.namespace, name: owner.name } })
}
