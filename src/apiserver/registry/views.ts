import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'

/** The kind under which objects of `kind` are stored. */
export function storedKindOf(kind: AnyKind): AnyKind {
  return kind.view?.of ?? kind
}

const shown = new WeakMap<object, Map<AnyKind, ApiObject>>()

/** A stored object as `kind` shows it: the very object, or its one conversion. */
export function show(kind: AnyKind, object: ApiObject): ApiObject {
  if (!kind.view) return object
  let views = shown.get(object)
  if (!views) {
    views = new Map()
    shown.set(object, views)
  }
  let view = views.get(kind)
  if (!view) {
    view = convertDown(kind, object)
    views.set(kind, view)
  }
  return view
}

/** What `kind` shows, in the form in which it is stored. A new value if `kind` is a view. */
export function toStored(kind: AnyKind, object: ApiObject): ApiObject {
  const { view } = kind
  if (!view) return object
  const stored = view.up(object as unknown as Record<string, unknown>) as unknown as ApiObject
  return { ...stored, apiVersion: view.of.apiVersion, kind: view.of.kind }
}

function convertDown(kind: AnyKind, object: ApiObject): ApiObject {
  const { kind: _, apiVersion: __, ...rest } = kind.view!.down(object as unknown as Record<string, unknown>) as unknown as ApiObject
  return { kind: kind.kind, apiVersion: kind.apiVersion, ...rest } as ApiObject
}
