import type { Clock } from '#base/time/clock.ts'
import { type EtcdMember, EtcdMembers } from '#store/etcd/etcd-members.ts'
import type { MemberHealth } from './quorum.ts'

export interface EtcdAccess {
  readonly authority: string
  readonly certificate: string
  readonly privateKey: string
}

const ANSWER_MS = 3_000

/** A member of etcd and how it is. */
export interface KnownMember extends EtcdMember, MemberHealth {
  readonly isLeader: boolean
  readonly sizeBytes: number | undefined
}

/** Asks any of the members for all of them, and each of these how it is. Undefined if none answers. */
export async function inspectMembers(endpoints: readonly string[], tls: EtcdAccess, clock: Clock): Promise<KnownMember[] | undefined> {
  const members = await firstAnswer(endpoints, tls, clock, one => one.list())
  if (!members) return undefined
  return Promise.all(
    members.map(async member => {
      const said = await firstAnswer(member.clientURLs, tls, clock, one => one.status())
      return {
        ...member,
        hasLeader: said && said.leader !== '',
        isLeader: said?.leader === member.id,
        sizeBytes: said?.sizeBytes,
      }
    }),
  )
}

/** What the first of these endpoints says that says anything. */
export async function firstAnswer<T>(
  endpoints: readonly string[],
  tls: EtcdAccess,
  clock: Clock,
  question: (members: EtcdMembers) => Promise<T>,
): Promise<T | undefined> {
  for (const endpoint of endpoints) {
    using members = new EtcdMembers(endpoint, tls, clock, ANSWER_MS)
    try {
      return await question(members)
    } catch {
      // the next one may know
    }
  }
  return undefined
}
