import type { Snapshot } from '#store/snapshot/snapshot.ts'

const SERVERS = '/registry/masterleases/'

/** A snapshot without the API servers that were there when it was taken: they would be endpoints of the Service `kubernetes` until their leases end. */
export function withoutServers(snapshot: Snapshot): Snapshot {
  return { ...snapshot, kvs: snapshot.kvs.filter(({ key }) => !key.startsWith(SERVERS)) }
}
