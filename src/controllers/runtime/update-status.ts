import type { Client } from '#client/client.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, DraftObjectOf, ObjectOf } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'

/** Writes `status` as the status of `object`, unless that is what it says already. */
export async function writeStatus<K extends AnyKind>(client: Client, kind: K, object: ObjectOf<K>, status: object): Promise<ObjectOf<K>> {
  const schema = kind.schema.fields['status']?.schema
  if (!schema) throw new Error(`${kind.kind} has no status that could be written`)
  const next = decode(schema, status, { defaults: true, unknown: [] })
  if (equal((object as ApiObject & { readonly status?: unknown }).status, next)) return object
  return client.updateStatus(kind, { ...(object as ApiObject), status: next } as DraftObjectOf<K>)
}
