import type { Client } from '#client/client.ts'
import type { AnyKind, DraftObjectOf } from '#machinery/kind/kind.ts'

/** Makes an object of the cluster's own what it should be, by server-side apply: what others added to it stays. */
export async function applyAddon<K extends AnyKind>(client: Client, kind: K, object: DraftObjectOf<K>): Promise<void> {
  const draft = object as { readonly metadata: { readonly namespace?: string; readonly name: string } }
  const body = { apiVersion: kind.apiVersion, kind: kind.kind, ...object }
  await client.patch(kind, { ...draft.metadata }, { type: 'apply', body, force: true }, { fieldManager: 't8s' })
}
