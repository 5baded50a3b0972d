import { beside } from '#base/collections/beside.ts'
import { type AnyKind, type ApiObject, ConversionPending } from '#machinery/kind/kind.ts'
import { decodeObject } from './body.ts'

/** The kind under which objects of `kind` are stored. */
export function storedKindOf(kind: AnyKind): AnyKind {
  return kind.view?.of ?? kind
}

/** The kind in which writes of `kind` are admitted and checked: the stored one, but for custom resources the very version. */
export function writtenKindOf(kind: AnyKind): AnyKind {
  return kind.view && !kind.view.isIndependent ? kind.view.of : kind
}

/** What `kind` shows, in the form in which writes are checked. */
export function toWritten(kind: AnyKind, object: ApiObject): ApiObject {
  return kind.view?.isIndependent ? object : toStored(kind, object)
}

/** A stored object in the form in which writes are checked. */
export function asWritten(kind: AnyKind, stored: ApiObject): ApiObject {
  return kind.view?.isIndependent ? show(kind, stored) : stored
}

/** A checked object in the form in which it is stored. */
export function writtenToStored(kind: AnyKind, written: ApiObject): ApiObject {
  return kind.view?.isIndependent ? toStored(kind, written) : written
}

/** A checked object as `kind` shows it. */
export function showWritten(kind: AnyKind, written: ApiObject): ApiObject {
  return kind.view?.isIndependent ? written : show(kind, written)
}

const shown = beside<WeakMap<AnyKind, ApiObject>>()

/** A stored object as `kind` shows it: the very object, or its one conversion. */
export function show(kind: AnyKind, object: ApiObject): ApiObject {
  if (!kind.view) return object
  let views = shown.get(object)
  if (!views) {
    views = new WeakMap()
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
  const up = view.up(object as unknown as Record<string, unknown>)
  return view.isIndependent ? (up as unknown as ApiObject) : decodeObject(view.of, up)
}

/** Gets the conversions of `objects` ready to be shown as `kind`; undefined where there is nothing to wait for. */
export function prepared(kind: AnyKind, objects: readonly ApiObject[]): Promise<void> | undefined {
  return kind.view?.prepare?.(objects as unknown as readonly Record<string, unknown>[])
}

/**
 * The result of `convert`, which may show or store objects and does nothing else: it is called again after each conversion that had to be
 * waited for. Answers at once where none had to.
 */
export function converted<T>(convert: () => T): T | Promise<T> {
  try {
    return convert()
  } catch (error) {
    if (error instanceof ConversionPending) return error.ready.then(() => converted(convert))
    throw error
  }
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
