import { Command } from 'commander'
import { outputOption, progressOf, type Verb, type VerbContext } from '../verb.ts'
import { explained, type PlaceFlags, placeOf, refuseRunning, withPlaceFlags } from './store-place.ts'

/** What defragmenting gave back, as `-o json` prints it. */
interface Defragmented {
  readonly stores: readonly { readonly name: string; readonly beforeBytes: number; readonly afterBytes: number }[]
}

export const defragmentVerb: Verb = context =>
  withPlaceFlags(new Command('defragment'))
    .description(
      'Give the space back that a store no longer needs. An embedded one must be down; members of etcd stand still one after another.',
    )
    .addOption(outputOption('the result for programs'))
    .action(async (flags: PlaceFlags & { output?: string }) => {
      const done = await explained(() => defragment(flags, context))
      if (flags.output === 'json') context.stdout.write(`${JSON.stringify(done, null, 2)}\n`)
      else
        for (const { name, beforeBytes, afterBytes } of done.stores)
          context.stdout.write(`${name}: ${beforeBytes} bytes before, ${afterBytes} now\n`)
    })

async function defragment(flags: PlaceFlags, context: VerbContext): Promise<Defragmented> {
  const place = placeOf(flags, context)
  refuseRunning(place)
  const progress = progressOf(undefined, context)
  if (place.engine === 'lmdb') {
    const { defragmentDirectory } = await import('#store/lmdb/defragment-directory.ts')
    const sizes = await progress.step(`defragment ${place.name}`, () => defragmentDirectory(place.directory))
    return { stores: [{ name: place.directory, ...sizes }] }
  }
  const [{ EtcdChannel }, { realClock }] = await Promise.all([import('#store/etcd/etcd-channel.ts'), import('#base/time/real-clock.ts')])
  const stores: Defragmented['stores'][number][] = []
  for (const endpoint of place.address.endpoints) {
    const channel = new EtcdChannel({ ...place.address, endpoints: [endpoint] }, realClock())
    try {
      const size = async () => (await channel.call<{ dbSize: number }>('Maintenance', 'status', {})).dbSize
      const beforeBytes = await size()
      await progress.step(`defragment ${endpoint}`, () => channel.call('Maintenance', 'defragment', {}, DEFRAGMENT_MS))
      stores.push({ name: endpoint, beforeBytes, afterBytes: await size() })
    } finally {
      channel.close()
    }
  }
  return { stores }
}

/** It rewrites the whole database. */
const DEFRAGMENT_MS = 10 * 60_000
