import { applyConfiguration, managedFieldsAfterUpdate } from '#machinery/apply/field-manager.ts'
import { ignoringTimes } from '#machinery/apply/managed.ts'
import type { TypedVersion } from '#machinery/apply/ownership.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { groupVersionOf, type ManagedFieldsEntry } from '#machinery/meta/object-meta.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { decodeObject } from './body.ts'
import type { FieldOwnership, OwnershipContext } from './field-ownership.ts'
import { show, toStored } from './views.ts'

/** Keeps `metadata.managedFields` as server-side apply needs them. */
export function managedOwnership(kinds: KindRegistry): FieldOwnership {
  return {
    afterUpdate(live, object, context) {
      const before = live && json(live)
      const entries = managedFieldsAfterUpdate(before, json(object), writerOf(context), typeOf(context.kind, kinds))
      const settled = ignoringTimes(live?.metadata.managedFields, entries)
      return withEntries(object, settled)
    },
    apply(live, applied, context) {
      const exists = live.metadata.uid !== undefined
      const result = applyConfiguration(
        exists ? json(live) : undefined,
        applied as JsonObject,
        { ...writerOf(context), force: context.force },
        typeOf(context.kind, kinds),
      )
      const object = decodeObject(context.kind, result.object)
      const entries = ignoringTimes(live.metadata.managedFields, result.managedFields)
      return withEntries(object, entries)
    },
  }
}

function writerOf({ manager, subresource, time }: OwnershipContext) {
  return { manager, subresource, now: time }
}

function withEntries(object: ApiObject, entries: readonly ManagedFieldsEntry[] | undefined): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata as Mutable<ApiObject['metadata']>
  return { ...object, metadata: entries?.length ? { ...metadata, managedFields: entries } : metadata } as ApiObject
}

const json = (object: ApiObject) => object as unknown as JsonObject

const types = new WeakMap<AnyKind, TypedVersion>()

function typeOf(kind: AnyKind, kinds: KindRegistry): TypedVersion {
  let type = types.get(kind)
  if (!type) {
    type = { apiVersion: kind.apiVersion, schema: kind.schema, in: apiVersion => inVersion(kind, apiVersion, kinds) }
    types.set(kind, type)
  }
  return type
}

/** The same objects in another version or group that they are served in. */
function inVersion(kind: AnyKind, apiVersion: string, kinds: KindRegistry) {
  const { group, version } = groupVersionOf(apiVersion)
  const other = kinds.byKind(group, version, kind.kind)
  if (!other || (other.view?.of ?? other) !== (kind.view?.of ?? kind)) return undefined
  const from = (source: AnyKind, target: AnyKind) => (object: JsonObject) => inOtherVersion(object, source, target)
  return { schema: other.schema, convert: from(kind, other), back: from(other, kind) }
}

/** Of a custom resource the other version is what its conversion makes, nothing added and nothing dropped. */
function inOtherVersion(object: JsonObject, source: AnyKind, target: AnyKind): JsonObject {
  if (source.view?.isIndependent && target.view?.isIndependent) return target.view.down(source.view.up({ ...object })) as JsonObject
  return json(show(target, toStored(source, object as unknown as ApiObject)))
}
