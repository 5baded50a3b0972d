import type { Encryption } from '#apiserver/encryption/encryption.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { keepCompacted } from '#store/etcd/keep-compacted.ts'
import { refuseUnfinished } from '#store/snapshot/snapshot.ts'
import type { Store } from '#store/store.ts'
import { SetupError } from '../setup-error.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeApiserver } from './kube-apiserver.ts'
import { namedFile, neededFile } from './named-file.ts'

type Flags = FlagValues<typeof kubeApiserver.sections>

interface World {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** The store of an API server, which ends with it. */
export interface OpenStore extends AsyncDisposable {
  readonly store: Store
}

/** The etcd that `--etcd-servers` names, compacted from here, or the embedded store in `--data-dir`. A store that fails for good ends the process. */
export async function openStore(flags: Flags, world: World): Promise<OpenStore> {
  const store = flags['etcd-servers'].length > 0 ? await openEtcd(flags, world) : await openEmbedded(flags, world)
  await refuseUnfinished(store)
  const intervalMs = flags['etcd-compaction-interval']
  const isCompacted = flags['etcd-servers'].length > 0 && intervalMs > 0
  const compaction = isCompacted ? keepCompacted(store, world.clock, world.log, intervalMs) : undefined
  return {
    store,
    async [Symbol.asyncDispose]() {
      compaction?.[Symbol.dispose]()
      await store.close()
    },
  }
}

/** `--encryption-provider-config`; undefined if there is none. */
export async function openEncryption(flags: Flags, world: World): Promise<Encryption | undefined> {
  const file = flags['encryption-provider-config']
  if (file === '') return undefined
  const { encryptionFromFile } = await import('../components/encryption-from-file.ts')
  return encryptionFromFile({ file, reloads: flags['encryption-provider-config-automatic-reload'], ...world })
}

async function openEtcd(flags: Flags, { clock, random }: World): Promise<Store> {
  const { EtcdStore } = await import('#store/etcd/etcd-store.ts')
  const endpoints = flags['etcd-servers']
  const authority = namedFile('--etcd-cafile', flags['etcd-cafile'])
  if (authority === undefined) return new EtcdStore({ endpoints, clock, random })
  const certificate = neededFile('--etcd-certfile', flags['etcd-certfile'])
  const privateKey = neededFile('--etcd-keyfile', flags['etcd-keyfile'])
  return new EtcdStore({ endpoints, tls: { authority, certificate, privateKey }, clock, random })
}

async function openEmbedded(flags: Flags, { clock, log }: World): Promise<Store> {
  const directory = flags['data-dir']
  if (directory === '') throw new SetupError('There is nowhere to keep the cluster', 'give --data-dir=DIRECTORY, or --etcd-servers')
  const { LmdbStore } = await import('#store/lmdb/lmdb-store.ts')
  const intervalMs = flags['etcd-compaction-interval']
  return LmdbStore.open({
    directory,
    clock,
    logger: log,
    retention: { forMs: intervalMs > 0 ? intervalMs : Number.MAX_SAFE_INTEGER },
    onFatal: error => {
      log.error('the store has failed', { error: error.message })
      process.exit(1)
    },
  })
}
