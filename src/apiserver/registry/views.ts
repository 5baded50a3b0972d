import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { decodeObject } from './body.ts'

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
  return decodeObject(view.of, view.up(object as unknown as Record<string, unknown>))
}

/** As {@link show}, of an object that is still to change: nothing of it is kept. */
export function viewOf(kind: AnyKind, object: ApiObject): ApiObject {
  return kind.view ? convertDown(kind, object) : object
}

function convertDown(kind: AnyKind, object: ApiObject): ApiObject {
  const shown = decodeObject(kind, kind.view!.down(object as unknown as Record<string, unknown>))
  const { resourceVersion } = object.metadata
  return resourceVersion === undefined ? shown : { ...shown, metadata: { ...shown.metadata, resourceVersion } }
}
