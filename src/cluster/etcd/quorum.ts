/** What is known of one member of etcd. */
export interface MemberHealth {
  readonly name: string
  /** Whether it has a vote. */
  readonly isLearner: boolean
  /** Whether it answers and knows a leader; undefined: it does not answer. */
  readonly hasLeader: boolean | undefined
}

/** How many members with a vote must be there. */
export function quorumOf(members: readonly MemberHealth[]): number {
  return Math.floor(members.filter(({ isLearner }) => !isLearner).length / 2) + 1
}

/** What the state of the members means, in a sentence or two; undefined if all is well. */
export function explainQuorum(members: readonly MemberHealth[]): string | undefined {
  const voters = members.filter(({ isLearner }) => !isLearner)
  const gone = voters.filter(({ hasLeader }) => hasLeader === undefined)
  const needed = quorumOf(members)
  const answering = voters.length - gone.length
  if (answering < needed) {
    return (
      `${answering} of ${voters.length} members of etcd ${answering === 1 ? 'answers' : 'answer'} (not ${namesOf(gone)}), and ${needed} are needed to write or to read consistently: ` +
      `the cluster stands still, and running pods run on. Start ${needed - answering === 1 ? 'one' : needed - answering} of them again; ` +
      'if their disks are lost, "t8s server --cluster-reset" on a server that has its data goes on with that alone'
    )
  }
  if (voters.every(({ hasLeader }) => hasLeader !== true))
    return 'the members of etcd answer, and have not chosen a leader yet: this should take a second'
  if (gone.length === 0) return undefined
  const spare = answering - needed
  return (
    `${namesOf(gone)} ${gone.length === 1 ? 'does' : 'do'} not answer; the others go on, and ${spare === 0 ? 'no further one may be lost' : `${spare} more may be lost`}. ` +
    `Start ${gone.length === 1 ? 'it' : 'them'} again, or take a machine that is gone for good out with "t8s server remove ${gone[0]!.name}" and join another`
  )
}

/** Why a member must not be removed; undefined if it may be. */
export function removalProblem(members: readonly MemberHealth[], name: string): string | undefined {
  const member = members.find(one => one.name === name)
  if (!member) return `there is no server "${name}": the cluster has ${members.map(one => one.name || '(not started)').join(', ')}`
  const voters = members.filter(({ isLearner }) => !isLearner)
  if (member.isLearner) return undefined
  if (voters.length === 1) return `"${name}" is the only server: with it the cluster would end`
  const rest = voters.filter(one => one !== member)
  const healthy = rest.filter(({ hasLeader }) => hasLeader).length
  const needed = Math.floor(rest.length / 2) + 1
  if (healthy >= needed) return undefined
  return `without "${name}" ${needed} of the remaining ${rest.length} servers would be needed, and ${healthy} ${healthy === 1 ? 'is' : 'are'} well: bring ${namesOf(rest.filter(({ hasLeader }) => !hasLeader))} back first`
}

function namesOf(members: readonly MemberHealth[]): string {
  return members.map(({ name }) => name || 'one that has not started').join(', ')
}
