import type { Operation, Store } from '#store/store.ts'
import { LeaseNotFoundError } from '#store/store-errors.ts'

/** A port of the nodes, for one protocol. */
export interface NodePort {
  readonly port: number
  readonly protocol: string
}

/** Ports that are being given to a Service: between the choice and the moment in which every server sees the Service. */
export interface PortReservations {
  /** Reserves all of the ports or none; resolves to one that another server has reserved, if there is one. */
  reserve(ports: readonly NodePort[]): Promise<NodePort | undefined>
  /** Gives them back, once the Service is stored or will not be. */
  release(ports: readonly NodePort[]): Promise<void>
}

const RESERVATIONS = '/registry/nodeportreservations/'
/** For a server that ends in between. */
const TTL_SECONDS = 60

/** Reservations in the store, for several API servers: each chooses ports by its own cache, which may be behind the others'. */
export function portReservations(store: Store): PortReservations {
  const keyOf = ({ port, protocol }: NodePort) => `${RESERVATIONS}${port}/${protocol}`
  let lease: Promise<number> | undefined
  /** One lease serves all reservations, as long as there is one. */
  const leased = async (): Promise<number> => {
    lease ??= store.grantLease(TTL_SECONDS).then(({ id }) => id)
    try {
      const id = await lease
      await store.keepLeaseAlive(id)
      return id
    } catch (error) {
      lease = undefined
      if (error instanceof LeaseNotFoundError) return leased()
      throw error
    }
  }
  return {
    async reserve(ports) {
      const id = await leased()
      const { succeeded, results } = await store.txn({
        compare: ports.map(port => ({ key: keyOf(port), exists: false })),
        success: ports.map((port): Operation => ({ type: 'put', key: keyOf(port), value: new Uint8Array(), lease: id })),
        failure: ports.map((port): Operation => ({ type: 'range', key: keyOf(port), countOnly: true })),
      })
      if (succeeded) return undefined
      return ports[results.findIndex(result => result.type === 'range' && result.count > 0)] ?? ports[0]
    },
    async release(ports) {
      await store.txn({ success: ports.map((port): Operation => ({ type: 'delete', key: keyOf(port) })) })
    },
  }
}
