import type { AnyKind } from '#machinery/kind/kind.ts'
import { type Client, nameOf } from '../client.ts'

/** What a client asks for, in the words in which roles grant it. */
export interface NotedRequest {
  /** get, list, watch, create, update, patch, delete or deletecollection. */
  readonly verb: string
  readonly kind: AnyKind
  /** '' for the object itself. */
  readonly subresource: string
  /** '' for cluster-wide kinds and for all namespaces. */
  readonly namespace: string
  /** '' for collections, and for what is only now being made. */
  readonly name: string
}

/** A client that tells `note` of everything before it asks `client` for it. `note` may throw: then nothing is asked. */
export function notingClient(client: Client, note: (request: NotedRequest) => void): Client {
  const of = (verb: string, kind: AnyKind, { namespace = '', name = '' }: { namespace?: string; name?: string }, subresource = '') =>
    note({ verb, kind, subresource, namespace, name })
  const within = (options: { readonly namespace?: string | undefined } | undefined) => ({ namespace: options?.namespace ?? '' })
  const named = (object: unknown) => nameOf(object as Parameters<typeof nameOf>[0])
  return {
    async get(kind, name, options) {
      of('get', kind, nameOf(name))
      return client.get(kind, name, options)
    },
    async list(kind, options) {
      of('list', kind, within(options))
      return client.list(kind, options)
    },
    watch(kind, options, sink) {
      of('watch', kind, within(options))
      return client.watch(kind, options, sink)
    },
    async create(kind, object, options) {
      of('create', kind, { namespace: named(object).namespace })
      return client.create(kind, object, options)
    },
    async update(kind, object, options) {
      of('update', kind, named(object))
      return client.update(kind, object, options)
    },
    async updateStatus(kind, object, options) {
      of('update', kind, named(object), 'status')
      return client.updateStatus(kind, object, options)
    },
    async patch(kind, name, patch, options) {
      of('patch', kind, nameOf(name), options?.subresource)
      return client.patch(kind, name, patch, options)
    },
    async delete(kind, name, options) {
      of('delete', kind, nameOf(name))
      return client.delete(kind, name, options)
    },
    async deleteCollection(kind, options) {
      of('deletecollection', kind, within(options))
      return client.deleteCollection(kind, options)
    },
    async subresource(kind, name, request) {
      of(request.verb, kind, nameOf(name), request.subresource)
      return client.subresource(kind, name, request)
    },
  }
}
