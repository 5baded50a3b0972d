import { type Clock, sleep } from '#base/time/clock.ts'
import { type EtcdMember, EtcdMembers } from '#store/etcd/etcd-members.ts'
import { SetupError } from '../setup-error.ts'
import { type EtcdAccess, firstAnswer } from './members.ts'

const PAUSE_MS = 300
const DEADLINE_MS = 120_000

/**
 * Makes room among the members for a new one, which follows without a vote until it has caught up: adding it cannot cost the others their
 * majority. Returns `--initial-cluster` of the new member. What an interrupted attempt left is taken up.
 */
export async function announceMember(
  endpoints: readonly string[],
  tls: EtcdAccess,
  clock: Clock,
  member: { readonly name: string; readonly peerURL: string },
): Promise<string> {
  const added = await patiently(clock, async () => {
    const present = await firstAnswer(endpoints, tls, clock, members => members.list())
    if (!present) throw new Error('no member of etcd answers')
    const own = present.find(({ peerURLs }) => peerURLs.includes(member.peerURL))
    const namesake = present.find(({ name }) => name === member.name)
    if (namesake || own?.name) {
      throw new SetupError(
        `There is a server "${(namesake ?? own)!.name}" already, at ${(namesake ?? own)!.peerURLs.join()}, and its data is not on this machine`,
        `if its machine is gone or was set up anew, run "t8s server remove ${(namesake ?? own)!.name}" on another server first; else choose another --server-name`,
      )
    }
    if (own) return present
    return oneOf(endpoints, tls, clock, members => members.addLearner(member.peerURL))
  })
  return added.map(one => `${one.peerURLs.includes(member.peerURL) ? member.name : one.name}=${one.peerURLs[0]}`).join(',')
}

/** Gives a member its vote once it has caught up. Does nothing if it has one. */
export async function promoteMember(endpoints: readonly string[], tls: EtcdAccess, clock: Clock, peerURL: string): Promise<void> {
  const own = (members: readonly EtcdMember[]) => members.find(({ peerURLs }) => peerURLs.includes(peerURL))
  await patiently(clock, async () => {
    const present = await firstAnswer(endpoints, tls, clock, members => members.list())
    if (!present) throw new Error('no member of etcd answers')
    const member = own(present)
    if (!member) throw new SetupError('This server is no member of etcd any more', 'run "t8s down --purge" here and join again')
    if (member.isLearner) await oneOf(endpoints, tls, clock, members => members.promote(member.id))
  })
}

/** Does something at the first member that can; what all of them refuse is refused. */
export async function oneOf<T>(
  endpoints: readonly string[],
  tls: EtcdAccess,
  clock: Clock,
  work: (members: EtcdMembers) => Promise<T>,
): Promise<T> {
  let failure: unknown
  for (const endpoint of endpoints) {
    using members = new EtcdMembers(endpoint, tls, clock)
    try {
      return await work(members)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Tries again for a while: members that choose a leader, or are joined by another one, refuse for seconds. */
async function patiently<T>(clock: Clock, attempt: () => Promise<T>): Promise<T> {
  const deadline = clock.monotonic() + DEADLINE_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (error instanceof SetupError) throw error
      if (clock.monotonic() > deadline) {
        throw new SetupError(
          `The members of etcd did not let this server in for ${DEADLINE_MS / 1000} s (${(error as Error).message})`,
          'run "t8s status" on a server to see how they are',
          { cause: error },
        )
      }
      await sleep(clock, PAUSE_MS)
    }
  }
}
