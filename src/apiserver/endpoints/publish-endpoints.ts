import type { Logger } from '#base/log/logger.ts'
import { type Clock, every, type Timer } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Store } from '#store/store.ts'
import { ensureKubernetesEndpoints } from './kubernetes-endpoints.ts'
import { ServerLease, serversOf, watchServers } from './server-lease.ts'

export interface PublishEndpointsOptions {
  readonly store: Store
  /** Acts as the server itself. */
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** Where this server is reached from inside the cluster. */
  readonly advertiseAddress: string
  readonly securePort: number
}

export interface PublishedEndpoints {
  /** Takes this server out of the endpoints. */
  stop(): Promise<void>
}

const RENEW_MS = 5_000
const FOLLOW_AGAIN_MS = 1_000

/**
 * Makes this server one of the endpoints of the Service `kubernetes` and keeps them right: each server renews a lease in the store, and whoever
 * sees one come or go writes the endpoints anew. So a server that dies is gone after at most 15 seconds, without a leader among the servers.
 * A store within this process has no other server: its address is written once.
 */
export async function publishEndpoints(options: PublishEndpointsOptions): Promise<PublishedEndpoints> {
  const { store, client, clock, log, advertiseAddress, securePort } = options
  if (store.revisionNow) {
    await ensureKubernetesEndpoints(client, [advertiseAddress], securePort)
    return { stop: async () => undefined }
  }
  const lease = new ServerLease(store, clock, advertiseAddress)
  let isStopped = false
  let again: Timer | undefined
  let following: Disposable | undefined
  const reconcile = async () => {
    try {
      const servers = await serversOf(store)
      // The last server to go leaves its address: whoever looks for one has better a wrong one than none, as upstream has it.
      if (servers.length > 0) await ensureKubernetesEndpoints(client, servers, securePort)
    } catch (error) {
      // Another server may have written the same at the same moment; what is still wrong is mended with the next renewal.
      log.verbose('the endpoints of the API servers could not be written', { error })
    }
  }
  const renew = async () => {
    try {
      await lease.renew()
    } catch (error) {
      log.warn("this server's lease could not be renewed: the others will take it out of the endpoints", { error })
      return
    }
    await reconcile()
  }
  const follow = () => {
    if (isStopped) return
    following = watchServers(
      store,
      () => void reconcile(),
      () => {
        again = clock.after(FOLLOW_AGAIN_MS, follow)
      },
    )
  }
  await lease.renew()
  follow()
  await reconcile()
  const renewing = every(clock, RENEW_MS, renew)
  return {
    async stop() {
      isStopped = true
      renewing[Symbol.dispose]()
      again?.cancel()
      following?.[Symbol.dispose]()
      await lease.release().catch(error => log.warn("this server's lease could not be given back: it expires by itself", { error }))
      await reconcile()
    },
  }
}
