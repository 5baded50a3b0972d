import type { AnyKind } from './kind.ts'

/** The kinds that a server or client knows: the built-in ones, and custom ones that come and go at run time. */
export interface KindRegistry {
  add(kind: AnyKind): void
  remove(kind: AnyKind): void
  /** Whether this very kind is registered. */
  has(kind: AnyKind): boolean
  byKind(group: string, version: string, kind: string): AnyKind | undefined
  byResource(group: string, version: string, plural: string): AnyKind | undefined
  /** Every kind, in the order it was added. */
  all(): Iterable<AnyKind>
  /** One kind for all that is stored: views are left out, and of a custom resource's versions all but one. */
  stored(): Iterable<AnyKind>
  /** Calls back after every change. */
  onChange(callback: () => void): Disposable
}

/** A registry that starts with `kinds`. */
export function kindRegistry(kinds: Iterable<AnyKind>): KindRegistry {
  const byKind = new Map<string, AnyKind>()
  const byResource = new Map<string, AnyKind>()
  const watchers = new Set<() => void>()
  const changed = () => {
    for (const callback of watchers) callback()
  }
  const put = (kind: AnyKind) => {
    byKind.set(keyOf(kind.group, kind.version, kind.kind), kind)
    byResource.set(keyOf(kind.group, kind.version, kind.plural), kind)
  }
  for (const kind of kinds) put(kind)
  return {
    add(kind) {
      put(kind)
      changed()
    },
    remove(kind) {
      byKind.delete(keyOf(kind.group, kind.version, kind.kind))
      byResource.delete(keyOf(kind.group, kind.version, kind.plural))
      changed()
    },
    has: kind => byResource.get(keyOf(kind.group, kind.version, kind.plural)) === kind,
    byKind: (group, version, kind) => byKind.get(keyOf(group, version, kind)),
    byResource: (group, version, plural) => byResource.get(keyOf(group, version, plural)),
    all: () => byResource.values(),
    *stored() {
      const custom = new Map<AnyKind, AnyKind>()
      for (const kind of byResource.values()) {
        if (!kind.view) yield kind
        else if (kind.view.isIndependent && (!custom.has(kind.view.of) || kind.apiVersion === kind.view.of.apiVersion)) {
          custom.set(kind.view.of, kind)
        }
      }
      yield* custom.values()
    },
    onChange(callback) {
      watchers.add(callback)
      return { [Symbol.dispose]: () => watchers.delete(callback) }
    },
  }
}

const keyOf = (group: string, version: string, name: string) => `${group}/${version}/${name}`
