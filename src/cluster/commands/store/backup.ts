import { resolve } from 'node:path'
import { Command } from 'commander'
import type { Store } from '#store/store.ts'
import { outputOption, progressOf, type Verb, type VerbContext } from '../verb.ts'
import { type PlaceFlags, placeOf, type StorePlace, withPlaceFlags } from './store-place.ts'

interface BackupFlags extends PlaceFlags {
  readonly at?: string
  readonly force?: boolean
  readonly salvage?: boolean
  readonly output?: string
}

/** What came of a backup, as `-o json` prints it. */
export interface Backup {
  readonly file: string
  readonly resourceVersion: string
  readonly keys: number
  readonly sizeBytes: number
  /** Of the whole file. */
  readonly sha256: string
}

export const backupVerb: Verb = context =>
  withPlaceFlags(new Command('backup'))
    .description('Write a snapshot of the store to a file, while the cluster runs or when it is down.')
    .argument('<file>', 'where to; it appears once it is whole')
    .option('--at <moment>', 'of a running cluster: as of a time, a resourceVersion or so long ago (-2m)', 'newest')
    .option('--force', 'replace the file if it is there')
    .option('--salvage', 'of an embedded store whose log is damaged: leave out what it held from there on')
    .addOption(outputOption('the result for programs'))
    .action(async (file: string, flags: BackupFlags) => {
      const { explained } = await import('./store-place.ts')
      const backup = await explained(() => takeBackup(resolve(file), flags, context))
      if (flags.output === 'json') context.stdout.write(`${JSON.stringify(backup, null, 2)}\n`)
      else
        context.stdout.write(
          `${backup.file}: ${backup.keys} keys as of resourceVersion ${backup.resourceVersion}, ${backup.sizeBytes} bytes\n`,
        )
    })

async function takeBackup(file: string, flags: BackupFlags, context: VerbContext): Promise<Backup> {
  const { writeSnapshotFile } = await import('./snapshot-on-disk.ts')
  const place = placeOf(flags, context)
  const progress = progressOf(undefined, context)
  return progress.step(`back up ${place.name}`, note =>
    writeSnapshotFile(file, { replaces: flags.force === true, signal: context.signal, note }, sink =>
      produce(place, flags, sink, context.signal),
    ),
  )
}

/** Hands on the parts of a snapshot. */
async function produce(place: StorePlace, flags: BackupFlags, sink: (part: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  const moment = flags.at ?? 'newest'
  const { clientOf, openPlace } = await import('./store-place.ts')
  if (place.running && (place.engine === 'lmdb' || moment !== 'newest')) {
    using client = clientOf(place.running.kubeconfig)
    return await client.download(`/apis/typernetes.dev/v1/moments/${encodeURIComponent(moment)}/snapshot`, sink, { signal })
  }
  const store = await openPlace(place, { salvages: flags.salvage ?? false })
  try {
    await encode(store, moment, sink, signal)
  } finally {
    await store.close()
  }
}

async function encode(store: Store, moment: string, sink: (part: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  const { encodeSnapshot } = await import('#store/snapshot/snapshot-file.ts')
  const { SetupError } = await import('../../setup-error.ts')
  if (moment !== 'newest' && !/^\d+$/.test(moment))
    throw new SetupError('--at takes a time only of a running cluster', 'give a resourceVersion, or bring the cluster up')
  for await (const part of encodeSnapshot(store, moment === 'newest' ? undefined : Number(moment))) {
    signal.throwIfAborted()
    sink(part)
  }
}
