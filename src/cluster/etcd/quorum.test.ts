import { describe, expect, it } from 'vitest'
import { explainQuorum, type MemberHealth, removalProblem } from './quorum.ts'

const member = (name: string, hasLeader: boolean | undefined = true, isLearner = false): MemberHealth => ({ name, hasLeader, isLearner })
const gone = (name: string) => ({ name, hasLeader: undefined, isLearner: false })

describe('what is said of the members of etcd', () => {
  it('is nothing while all are well, learners or not', () => {
    expect(explainQuorum([member('a'), member('b'), member('c')])).toBeUndefined()
    expect(explainQuorum([member('a'), { ...gone('b'), isLearner: true }])).toBeUndefined()
  })

  it('is how many more may be lost, and what to do, when one is gone', () => {
    const words = explainQuorum([member('a'), gone('b'), member('c')])
    expect(words).toContain('b does not answer; the others go on, and no further one may be lost')
    expect(words).toContain('t8s server remove b')
    expect(explainQuorum([member('a'), gone('b'), member('c'), member('d'), member('e')])).toContain('1 more may be lost')
  })

  it('is what still works and what brings the cluster back when the majority is gone', () => {
    const words = explainQuorum([member('a', false), gone('b'), gone('c')])
    expect(words).toContain('1 of 3 members of etcd answers (not b, c), and 2 are needed to write')
    expect(words).toContain('running pods run on')
    expect(words).toContain('Start one of them again')
    expect(words).toContain('t8s server --cluster-reset')
  })

  it('is that a leader is being chosen when all answer and none leads', () => {
    expect(explainQuorum([member('a', false), member('b', false), member('c', false)])).toContain('have not chosen a leader yet')
  })
})

describe('a server', () => {
  it('may be removed when the rest has a majority, gone or not', () => {
    expect(removalProblem([member('a'), member('b'), member('c')], 'b')).toBeUndefined()
    expect(removalProblem([member('a'), gone('b'), member('c')], 'b')).toBeUndefined()
    expect(removalProblem([member('a'), { ...member('d'), isLearner: true }], 'd')).toBeUndefined()
  })

  it('is kept when the rest would stand still', () => {
    expect(removalProblem([member('a'), gone('b'), member('c')], 'c')).toBe(
      'without "c" 2 of the remaining 2 servers would be needed, and 1 is well: bring b back first',
    )
  })

  it('is kept when it is the only one, and named when it is none', () => {
    expect(removalProblem([member('a')], 'a')).toContain('is the only server')
    expect(removalProblem([member('a'), member('b')], 'x')).toBe('there is no server "x": the cluster has a, b')
  })
})
