import type { Logger } from '#base/log/logger.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { type KeyValue, prefix, type Store } from '#store/store.ts'
import { identity, type ValueTransformer } from '../encryption/transformer.ts'
import { REGISTRY } from './store-feed.ts'

export interface FormerKeys {
  readonly store: Store
  readonly kinds: Iterable<AnyKind>
  /** How values are encrypted, by group and resource; undefined: not at all. */
  readonly transformerOf?: (group: string, resource: string) => ValueTransformer | undefined
  readonly log: Logger
}

/**
 * Moves objects that an earlier version stored under keys which upstream does not use to where they are looked for now; nobody would see them
 * else. Each is moved in one transaction: it may be interrupted anywhere, and several servers may do it at once. Where there is an object of
 * that name already, it was made since, and is the one that is served: it stays, and the former one goes.
 */
export async function moveFormerKeys({ store, kinds, transformerOf, log }: FormerKeys): Promise<void> {
  for (const kind of kinds) {
    if (kind.formerStoragePrefix === undefined) continue
    const former = `${REGISTRY}${kind.formerStoragePrefix}/`
    const transformer = transformerOf?.(kind.group, kind.plural) ?? identity
    for (const found of (await store.range(prefix(former))).kvs) {
      const key = `${REGISTRY}${kind.storagePrefix}/${found.key.slice(former.length)}`
      try {
        const became = await move(store, found, key, transformer)
        if (became !== 'gone') log.warn(`an object of an earlier version ${BECAME[became]}`, { kind: kind.kind, from: found.key, to: key })
      } catch (error) {
        const problem = 'an object of an earlier version could not be moved to its key, so it is not served; the next start tries again'
        log.error(problem, { kind: kind.kind, from: found.key, to: key, error })
      }
    }
  }
}

const BECAME = {
  moved: 'was moved to the key where it is looked for now',
  superseded: 'was removed, since there is one of that name already',
}

async function move(store: Store, found: KeyValue, key: string, transformer: ValueTransformer): Promise<'moved' | 'superseded' | 'gone'> {
  await transformer.prepare?.(found.value)
  const { value } = transformer.fromStorage(found.key, found.value)
  const asFound = { key: found.key, modRevision: found.modRevision }
  const remove = { type: 'delete', key: found.key } as const
  const moved = await store.txn({
    compare: [asFound, { key, exists: false }],
    success: [{ type: 'put', key, value: transformer.toStorage(key, value) }, remove],
  })
  if (moved.succeeded) return 'moved'
  const superseded = await store.txn({ compare: [asFound, { key, exists: true }], success: [remove] })
  return superseded.succeeded ? 'superseded' : 'gone'
}
