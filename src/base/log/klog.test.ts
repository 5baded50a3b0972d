import { describe, expect, it } from 'vitest'
import { virtualClock } from '../time/virtual-clock.ts'
import { klog } from './klog.ts'

function lines(options: { verbosity?: number; format?: 'text' | 'json' } = {}) {
  const written: string[] = []
  const log = klog({ write: line => written.push(line), clock: virtualClock(Date.UTC(2026, 10, 20, 21, 42, 1, 123)), pid: 77, ...options })
  return { written, log }
}

describe('klog', () => {
  it('writes a line as upstream does', () => {
    const { written, log } = lines()
    log.info('bound a pod', { pod: 'a/b', node: 'n1' })
    expect(written).toEqual(['I1120 21:42:01.123000      77 "bound a pod" pod="a/b" node="n1"\n'])
  })

  it('keeps what is verbose to itself until it is asked for', () => {
    const { written, log } = lines()
    log.verbose('x')
    expect(written).toEqual([])
    const loud = lines({ verbosity: 4 })
    loud.log.verbose('x')
    expect(loud.written).toHaveLength(1)
  })

  it('says what an error is about and what caused it', () => {
    const { written, log } = lines({ format: 'json' })
    log.with({ node: 'n1' }).error('failed', { error: new Error('no room', { cause: new Error('disk full') }) })
    expect(JSON.parse(written[0]!)).toMatchObject({ severity: 'E', msg: 'failed', node: 'n1', error: 'no room: disk full' })
  })

  it('lets no line break into a line', () => {
    const { written, log } = lines()
    log.info('a\nb', { name: 'c\nd' })
    expect(written[0]!.match(/\n/g)).toHaveLength(1)
  })
})
