import type { Store, TxnResult } from '#store/store.ts'
import { prefix } from '#store/store.ts'
import { UnavailableError } from '#store/store-errors.ts'
import type { Answer, Call } from './history-checker.ts'
import type { Target } from './history-run.ts'

/** Calls of a history as transactions of a store. */
export async function callStore(store: Store, call: Call): Promise<Answer> {
  const { key } = call
  if (call.type === 'get') {
    const { kvs, revision } = await store.range({ key })
    const [kv] = kvs
    return { revision, ...(kv ? { kv: { value: text(kv.value), modRevision: kv.modRevision } } : {}) }
  }
  if (call.type === 'delete') {
    const { revision, results } = await store.txn({ success: [{ type: 'delete', key }] })
    return { revision, succeeded: deletedBy(results) > 0 }
  }
  const compare = call.expected === undefined ? [] : [{ key, modRevision: call.expected }]
  const { revision, succeeded } = await store.txn({ compare, success: [{ type: 'put', key, value: Buffer.from(call.value) }] })
  return { revision, succeeded }
}

/** Stores that this process has open: the one that a client uses. */
export function storeTarget(storeOf: (client: number) => Store, keys: string): Target {
  return {
    async call(client, call) {
      try {
        return await callStore(storeOf(client), call)
      } catch (error) {
        if (error instanceof UnavailableError && (error.outcomeUnknown || call.type === 'get')) return undefined
        throw error
      }
    },
    watch(from, told, ended) {
      const watch = storeOf(0).watch(
        { ...prefix(keys), revision: from },
        {
          events: events =>
            told({
              type: 'events',
              changes: events.map(({ type, kv }) => ({
                key: kv.key,
                revision: kv.modRevision,
                ...(type === 'put' ? { value: text(kv.value) } : {}),
              })),
            }),
          progress: revision => told({ type: 'progress', revision }),
          end: ended,
        },
      )
      return { stop: () => watch[Symbol.dispose](), requestProgress: () => watch.requestProgress() }
    },
  }
}

function deletedBy(results: TxnResult['results']): number {
  const [result] = results
  return result?.type === 'delete' ? result.deleted : 0
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString()
}
