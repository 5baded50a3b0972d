import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Snapshot } from '#store/snapshot/snapshot.ts'
import { withoutServers } from '../../servers/former-servers.ts'
import { SetupError } from '../../setup-error.ts'
import { outputOption, progressOf, type Verb, type VerbContext, wholeNumber } from '../verb.ts'
import { explained, type PlaceFlags, placeOf, refuseRunning, type StorePlace, withPlaceFlags } from './store-place.ts'

interface RestoreFlags extends PlaceFlags {
  readonly replace?: boolean
  readonly bumpRevision?: number
  readonly output?: string
}

/** What came of a restore or a migration, as `-o json` prints it. */
export interface Restored {
  readonly engine: 'lmdb' | 'etcd'
  readonly keys: number
  /** The newest one of the restored store. */
  readonly resourceVersion: string
  /** Where the store that was there before is now. */
  readonly replaced?: string
}

/** How long keys with a lease (Events) live on. */
const LEASE_SECONDS = 3600
const MAX_SIZE_BYTES = 16 * 2 ** 30
/** As etcd's documentation has it: more than was written after the snapshot. */
export const REVISION_BUMP = 1_000_000_000

export const restoreVerb: Verb = context =>
  withPlaceFlags(new Command('restore'))
    .description('Make a store of a snapshot: the embedded one of a cluster that is down, or an empty etcd.')
    .argument('<file>', 'what "t8s store backup" has written')
    .option('--replace', 'put it in the place of the embedded store that is there, which is kept beside')
    .option(
      '--bump-revision <count>',
      'how far resourceVersions go on from the snapshot, so that none comes twice (default: 1000000000 with --replace)',
      wholeNumber(0, Number.MAX_SAFE_INTEGER / 4),
    )
    .addOption(outputOption('the result for programs'))
    .action(async (file: string, flags: RestoreFlags) => {
      const restored = await explained(() => restore(resolve(file), flags, context))
      report(restored, flags.output, context)
    })

async function restore(file: string, flags: RestoreFlags, context: VerbContext): Promise<Restored> {
  const place = placeOf(flags, context)
  refuseRunning(place)
  if (place.engine === 'etcd' && place.isOfServer)
    throw new SetupError(
      'The etcd of servers is not restored while they are there',
      'take all of them down, and begin anew with "t8s server --cluster-init --from FILE": see docs/how-to/back-up-the-store.md',
    )
  const progress = progressOf(undefined, context)
  const { hasEncrypted, readSnapshotFile } = await import('./snapshot-on-disk.ts')
  const snapshot = await progress.step(`check ${file}`, async note => {
    const found = withoutServers(readSnapshotFile(file))
    note(`${found.kvs.length} keys as of resourceVersion ${found.revision}`)
    return found
  })
  if (place.engine === 'lmdb' && place.encryptionFile && hasEncrypted(snapshot) && !existsSync(place.encryptionFile))
    progress.warn(`The snapshot has encrypted values: put the cluster's ${place.encryptionFile} back before you bring it up.`)
  const bump = flags.bumpRevision ?? (flags.replace ? REVISION_BUMP : 0)
  return progress.step(`restore ${place.name}`, () => putSnapshot(place, snapshot, { replaces: flags.replace === true, bump }))
}

/** Makes a store of a snapshot: all of it, or nothing. */
export async function putSnapshot(
  place: StorePlace,
  snapshot: Snapshot,
  options: { readonly replaces: boolean; readonly bump: number },
): Promise<Restored> {
  const keys = snapshot.kvs.length
  if (place.engine === 'etcd') {
    const [{ openPlace }, { restoreInto }] = await Promise.all([import('./store-place.ts'), import('#store/snapshot/snapshot.ts')])
    const store = await openPlace(place)
    try {
      const revision = await restoreInto(store, snapshot, LEASE_SECONDS)
      return { engine: 'etcd', keys, resourceVersion: String(revision) }
    } finally {
      await store.close()
    }
  }
  const [{ restoreDirectory }, { realClock }] = await Promise.all([
    import('#store/lmdb/restore-directory.ts'),
    import('#base/time/real-clock.ts'),
  ])
  const { directory } = place
  const revision = snapshot.revision + options.bump
  const { replaced } = await restoreDirectory({
    directory,
    snapshot,
    revision,
    leaseSeconds: LEASE_SECONDS,
    maxSizeBytes: MAX_SIZE_BYTES,
    clock: realClock(),
    replaces: options.replaces,
  })
  return { engine: 'lmdb', keys, resourceVersion: String(revision), ...(replaced ? { replaced } : {}) }
}

export function report(restored: Restored, output: string | undefined, context: VerbContext): void {
  if (output === 'json') context.stdout.write(`${JSON.stringify(restored, null, 2)}\n`)
  else {
    const { keys, engine, resourceVersion, replaced } = restored
    context.stdout.write(`${keys} keys are in ${engine}, at resourceVersion ${resourceVersion}\n`)
    if (replaced) context.stdout.write(`the store before is ${replaced}\n`)
  }
}
