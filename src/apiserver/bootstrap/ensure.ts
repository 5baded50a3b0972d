import type { Client } from '#client/client.ts'
import type { AnyKind, ApiObject, DraftObjectOf } from '#machinery/kind/kind.ts'

const MANAGER = 'kube-apiserver'

/** Creates the objects that are not there yet; others are changed as `mend` says (undefined: left alone). One list, and writes side by side. */
export async function ensureAll<K extends AnyKind>(
  client: Client,
  kind: K,
  wanted: readonly (DraftObjectOf<K> & { readonly metadata: { readonly name: string; readonly namespace?: string } })[],
  mend: (present: ApiObject, wanted: DraftObjectOf<K>) => DraftObjectOf<K> | undefined = () => undefined,
): Promise<void> {
  const namespace = wanted[0]?.metadata.namespace
  const { items } = await client.list(kind, { ...(namespace === undefined ? {} : { namespace }) })
  const present = new Map((items as readonly ApiObject[]).map(object => [object.metadata.name, object]))
  await Promise.all(
    wanted.map(async object => {
      const found = present.get(object.metadata.name)
      if (!found) return createUnlessThere(client, kind, object)
      const mended = mend(found, object)
      if (mended) await client.update(kind, mended, { fieldManager: MANAGER })
    }),
  )
}

/** Another server may have been faster. */
async function createUnlessThere<K extends AnyKind>(client: Client, kind: K, object: DraftObjectOf<K>): Promise<void> {
  try {
    await client.create(kind, object, { fieldManager: MANAGER })
  } catch (error) {
    if ((error as { reason?: unknown }).reason !== 'AlreadyExists') throw error
  }
}
