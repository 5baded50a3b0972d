import type { Clock } from '#base/time/clock.ts'
import { prefix, type Store } from '#store/store.ts'
import { LeaseNotFoundError } from '#store/store-errors.ts'

/** Upstream's own keys and time: servers of both kinds on one etcd see each other. */
const LEASES = '/registry/masterleases/'
const TTL_SECONDS = 15

/** An API server's word that it is there: a key in the store that goes some seconds after the server no longer renews it. */
export class ServerLease {
  readonly #store: Store
  readonly #clock: Clock
  readonly #address: string
  #lease: number | undefined

  constructor(store: Store, clock: Clock, address: string) {
    this.#store = store
    this.#clock = clock
    this.#address = address
  }

  /** Says that the server is there, for the next 15 seconds. */
  async renew(): Promise<void> {
    if (this.#lease !== undefined) {
      try {
        await this.#store.keepLeaseAlive(this.#lease)
        return
      } catch (error) {
        if (!(error instanceof LeaseNotFoundError)) throw error
      }
    }
    const { id } = await this.#store.grantLease(TTL_SECONDS)
    const key = LEASES + this.#address
    await this.#store.txn({ success: [{ type: 'put', key, value: leaseValue(this.#address, this.#clock), lease: id }] })
    this.#lease = id
  }

  /** Says that the server is going. */
  async release(): Promise<void> {
    if (this.#lease !== undefined) await this.#store.revokeLease(this.#lease)
    this.#lease = undefined
  }
}

/** The addresses of all servers that are there. */
export async function serversOf(store: Store): Promise<string[]> {
  const { kvs } = await store.range({ ...prefix(LEASES), keysOnly: true })
  return kvs.map(({ key }) => key.slice(LEASES.length))
}

/** Calls `changed` whenever a server comes or goes, and `ended` once if that can no longer be followed. */
export function watchServers(store: Store, changed: () => void, ended: () => void): Disposable {
  return store.watch(prefix(LEASES), { events: changed, end: ended })
}

/** As upstream keeps it: an Endpoints object with the address. */
function leaseValue(ip: string, clock: Clock): Uint8Array {
  const creationTimestamp = new Date(clock.now()).toISOString().replace(/\.\d+/, '')
  const endpoints = { kind: 'Endpoints', apiVersion: 'v1', metadata: { creationTimestamp }, subsets: [{ addresses: [{ ip }] }] }
  return new TextEncoder().encode(`${JSON.stringify(endpoints)}\n`)
}
