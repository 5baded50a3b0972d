import { Command, Option } from 'commander'
import type { Store } from '#store/store.ts'
import { SetupError } from '../../setup-error.ts'
import { outputOption, progressOf, type Verb, type VerbContext } from '../verb.ts'
import { putSnapshot, REVISION_BUMP, type Restored, report } from './restore.ts'
import { embeddedPlace, etcdPlace, explained, type PlaceFlags, refuseRunning, withPlaceFlags } from './store-place.ts'

interface MigrateFlags extends PlaceFlags {
  readonly to: 'etcd' | 'lmdb'
  readonly replace?: boolean
  readonly output?: string
}

export const migrateVerb: Verb = context =>
  withPlaceFlags(new Command('migrate'))
    .description('Move everything from the embedded store to an empty etcd cluster, or back. What it is moved from stays as it is.')
    .addOption(new Option('--to <engine>', 'where to').choices(['etcd', 'lmdb']).makeOptionMandatory())
    .option('--replace', 'to lmdb: in the place of the embedded store that is there, which is kept beside')
    .addOption(outputOption('the result for programs'))
    .action(async (flags: MigrateFlags) => report(await explained(() => migrate(flags, context)), flags.output, context))

async function migrate(flags: MigrateFlags, context: VerbContext): Promise<Restored> {
  const { etcdServers: _, ...embeddedFlags } = flags
  const embedded = embeddedPlace(embeddedFlags, context)
  const etcd = etcdPlace(flags)
  const [from, to] = flags.to === 'etcd' ? [embedded, etcd] : [etcd, embedded]
  refuseRunning(embedded)
  const { openPlace } = await import('./store-place.ts')
  const { takeSnapshot } = await import('#store/snapshot/snapshot.ts')
  const progress = progressOf(undefined, context)
  // An embedded store stays open, so that nobody writes to it meanwhile.
  const source = await openPlace(from)
  try {
    const snapshot = await progress.step(`read ${from.name}`, async note => {
      const found = await takeSnapshot(source)
      note(`${found.kvs.length} keys as of resourceVersion ${found.revision}`)
      return found
    })
    const restored = await progress.step(`write ${to.name}`, () =>
      putSnapshot(to, snapshot, { replaces: flags.replace === true, bump: flags.replace ? REVISION_BUMP : 0 }),
    )
    await progress.step('compare', async () => {
      const target = await openPlace(to)
      try {
        await refuseDifference(source, target, snapshot.revision)
      } finally {
        await target.close()
      }
    })
    return restored
  } finally {
    await source.close()
  }
}

/** Both hold the same, and the source was not written to since. */
async function refuseDifference(source: Store, target: Store, revision: number): Promise<void> {
  const { digestOf } = await import('#store/snapshot/snapshot.ts')
  const [before, after] = await Promise.all([digestOf(source), digestOf(target)])
  if (before.digest !== after.digest && before.revision !== revision)
    throw new SetupError('The store was written to while it was moved', 'stop every API server on it, empty the new store, and start again')
  if (before.digest !== after.digest)
    throw new SetupError('The new store is not the same as the old one', 'empty it and start again; the old one is as it was')
}
