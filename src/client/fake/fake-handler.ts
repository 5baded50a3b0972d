import type { ApiHandler } from '../direct/api-handler.ts'
import type { FakeApi } from './fake-api.ts'

/** The handler of a {@link FakeApi}, as the direct transport speaks to one. */
export function fakeHandler(api: FakeApi): ApiHandler {
  const client = api.client()
  return {
    get: (_caller, { kind, namespace, name }, options) => client.get(kind, { namespace, name }, options),
    list: (_caller, { kind, namespace }, options) => client.list(kind, { ...options, namespace }),
    watch: (_caller, { kind, namespace }, options, sink) => client.watch(kind, { ...options, namespace }, sink as never),
    create: (_caller, { kind }, object, options) => client.create(kind, object, options),
    update: async (_caller, { kind }, subresource, object, options) => ({
      object: subresource === 'status' ? await client.updateStatus(kind, object, options) : await client.update(kind, object, options),
      created: false,
    }),
    patch: async (_caller, { kind, namespace, name }, patch, options) => ({
      object: await client.patch(kind, { namespace, name }, patch, options),
      created: false,
    }),
    delete: async (_caller, { kind, namespace, name }, options) => {
      const object = await client.delete(kind, { namespace, name }, options)
      return { object: object as object, gone: api.find(kind, name, namespace) === undefined }
    },
    deleteCollection: async (_caller, { kind, namespace }, list, options) => {
      await client.deleteCollection(kind, { ...list, ...options, namespace })
      return []
    },
    subresource: (_caller, { kind, namespace, name }, request) => client.subresource(kind, { namespace, name }, request),
  }
}
