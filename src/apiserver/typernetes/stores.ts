import { Store as StoreKind, type StoreStatus } from '#kinds/typernetes/v1/store.ts'
import type { Store } from '#store/store.ts'
import type { ComputedResource } from '../registry/computed-resource.ts'

/** `stores.typernetes.dev`: how the store of this cluster is. */
export function stores(store: Store, unreadableKeys: () => readonly string[]): ComputedResource {
  const cluster = async (): Promise<StoreKind> => {
    const unreadable = unreadableKeys()
    const status = { ...(await storeStatus(store)), ...(unreadable.length > 0 ? { unreadableKeys: unreadable } : {}) }
    const { apiVersion, kind } = StoreKind
    return { apiVersion, kind, metadata: { name: 'cluster' }, status } as StoreKind
  }
  return { kind: StoreKind, get: async name => (name === 'cluster' ? cluster() : undefined), list: async () => [await cluster()] }
}

/** How a store is, in the words of the API. */
export async function storeStatus(store: Store): Promise<StoreStatus> {
  const { engine, revision, compactRevision, keys, sizeBytes, sizeInUseBytes, problems, corruptKeys } = await store.status()
  return {
    engine,
    resourceVersion: String(revision),
    compactedResourceVersion: String(compactRevision),
    keys,
    sizeBytes,
    sizeInUseBytes,
    ...(problems.length > 0 ? { problems } : {}),
    ...(corruptKeys.length > 0 ? { damagedKeys: corruptKeys } : {}),
  }
}
