import { realClock } from '#base/time/real-clock.ts'
import { oneOf } from '../etcd/join-members.ts'
import { explainQuorum, removalProblem } from '../etcd/quorum.ts'
import type { Progress } from '../progress/progress.ts'
import { SetupError } from '../setup-error.ts'
import { localServer } from './local-server.ts'
import { serverCertificates } from './server-certificates.ts'
import { serverMembers } from './server-members.ts'

/**
 * Takes a server out of the cluster: its etcd member first of all, whether or not its machine is still there. Its place among the endpoints
 * goes by itself, when its lease ends. Refuses where the rest would have no majority.
 */
export async function removeServer(dataDir: string, name: string, progress: Progress): Promise<void> {
  const layout = localServer(dataDir)
  const clock = realClock({ keepAlive: true })
  const members = await serverMembers(layout, clock)
  if (!members) throw new SetupError('No member of etcd answers', 'run "t8s status" to see how this server is')
  const problem = removalProblem(members, name)
  if (problem) throw new SetupError(`The server "${name}" is not removed`, problem)
  const member = members.find(one => one.name === name)!
  const others = members.filter(one => one !== member && one.hasLeader)
  const { etcdAccess } = await serverCertificates(layout, clock)
  await progress.step(`remove ${name}`, async note => {
    await oneOf(
      others.flatMap(({ clientURLs }) => clientURLs),
      etcdAccess,
      clock,
      one => one.remove(member.id),
    )
    const rest = (await serverMembers(layout, clock)) ?? []
    note(`${rest.length} ${rest.length === 1 ? 'server is' : 'servers are'} left`)
    const words = explainQuorum(rest)
    if (words) progress.warn(words)
  })
}
