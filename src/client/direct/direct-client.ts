import type { AnyKind, ObjectOf } from '#machinery/kind/kind.ts'
import { type Client, type ListOf, nameOf, type ObjectName, type WatchSink } from '../client.ts'
import type { ApiHandler, Caller, RequestTarget } from './api-handler.ts'

/**
 * A client of an API server in the same process. Nothing is encoded or copied: what comes back is the watch cache's object, an event is a
 * function call. `caller` is who asks; authorization and admission apply as over the wire.
 */
export function directClient(handler: ApiHandler, caller: Caller): Client {
  return {
    get: async (kind, name, options = {}) => (await handler.get(caller, target(kind, name), options)) as ObjectOf<typeof kind>,
    list: async (kind, options = {}) =>
      (await handler.list(caller, { kind, namespace: options.namespace ?? '', name: '' }, options)) as ListOf<typeof kind>,
    watch: (kind, options, sink) =>
      handler.watch(caller, { kind, namespace: options.namespace ?? '', name: '' }, options, sink as WatchSink<object>),
    create: async (kind, object, options = {}) =>
      (await handler.create(caller, { ...target(kind, objectName(object)), name: '' }, object as object, options)) as ObjectOf<typeof kind>,
    update: async (kind, object, options = {}) =>
      (await handler.update(caller, target(kind, objectName(object)), '', object as object, options)).object as ObjectOf<typeof kind>,
    updateStatus: async (kind, object, options = {}) =>
      (await handler.update(caller, target(kind, objectName(object)), 'status', object as object, options)).object as ObjectOf<typeof kind>,
    patch: async (kind, name, patch, options = {}) =>
      (await handler.patch(caller, target(kind, name), patch, options)).object as ObjectOf<typeof kind>,
    delete: async (kind, name, options = {}) => (await handler.delete(caller, target(kind, name), options)).object as ObjectOf<typeof kind>,
    deleteCollection: async (kind, options = {}) => {
      await handler.deleteCollection(caller, { kind, namespace: options.namespace ?? '', name: '' }, options, options)
    },
    subresource: (kind, name, request) => handler.subresource(caller, target(kind, name), request),
  }
}

function target(kind: AnyKind, name: ObjectName): RequestTarget {
  return { kind, ...nameOf(name) }
}

/** Drafts always have the shape of an object; a missing name is the server's to refuse. */
function objectName(object: unknown): ObjectName {
  return { metadata: (object as { metadata?: { namespace?: string; name?: string } }).metadata ?? {} }
}
