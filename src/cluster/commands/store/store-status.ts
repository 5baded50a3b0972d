import { Command } from 'commander'
import { storeStatus } from '#apiserver/typernetes/stores.ts'
import { type StoreStatus as KindStatus, Store as StoreKind } from '#kinds/typernetes/v1/store.ts'
import { outputOption, type Verb, type VerbContext } from '../verb.ts'
import { clientOf, explained, openPlace, type PlaceFlags, placeOf, withPlaceFlags } from './store-place.ts'

export const storeStatusVerb: Verb = context =>
  withPlaceFlags(new Command('status'))
    .description('Show how a store is: its engine, size, history and what is wrong with it.')
    .addOption(outputOption('for programs'))
    .action(async (flags: PlaceFlags & { output?: string }) => {
      const status = await explained(() => statusOf(flags, context))
      context.stdout.write(flags.output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : textOf(status))
      if ((status.problems?.length ?? 0) > 0) process.exitCode = 1
    })

async function statusOf(flags: PlaceFlags, context: VerbContext): Promise<KindStatus> {
  const place = placeOf(flags, context)
  if (place.engine === 'lmdb' && place.running) {
    using client = clientOf(place.running.kubeconfig)
    return (await client.get(StoreKind, { name: 'cluster' })).status
  }
  const store = await openPlace(place)
  try {
    return await storeStatus(store)
  } finally {
    await store.close()
  }
}

function textOf(status: KindStatus): string {
  const { engine, resourceVersion, compactedResourceVersion, keys, sizeBytes, sizeInUseBytes } = status
  const lines = [
    `engine           ${engine}`,
    `resourceVersion  ${resourceVersion}, ${readableFrom(compactedResourceVersion)}`,
    `keys             ${keys}`,
    `size             ${sizeBytes} bytes, ${sizeInUseBytes} in use`,
    ...(status.problems ?? []).map(problem => `problem          ${problem}`),
    ...(status.unreadableKeys ?? []).map(key => `cannot be read   ${key}`),
  ]
  return `${lines.join('\n')}\n`
}

/** A store that never forgot anything has no revision from which on it can be read. */
function readableFrom(compactedResourceVersion: string): string {
  return compactedResourceVersion === '0' ? 'readable from the first on' : `readable from ${compactedResourceVersion} on`
}
