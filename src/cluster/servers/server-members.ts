import type { Clock } from '#base/time/clock.ts'
import { inspectMembers, type KnownMember } from '../etcd/members.ts'
import { serverCertificates } from './server-certificates.ts'
import { clientUrl, type ServerLayout } from './server-record.ts'

/** All servers of a server's cluster, as members of etcd, and how they are; undefined if not even one answers. */
export async function serverMembers(layout: ServerLayout, clock: Clock): Promise<KnownMember[] | undefined> {
  const { etcdAccess } = await serverCertificates(layout, clock)
  return inspectMembers([clientUrl(layout), ...layout.etcd.peers], etcdAccess, clock)
}
