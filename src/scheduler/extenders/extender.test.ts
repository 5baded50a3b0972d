import { describe, expect, it } from 'vitest'
import { cluster, node, pod, requesting } from '../scheduler.fixture.ts'
import type { CallExtender } from './extender.ts'

const settings = { urlPrefix: 'http://e/s/', filterVerb: 'filter', prioritizeVerb: 'prioritize', weight: 5, nodeCacheCapable: true }
const nodes = [node('n1'), node('n2'), node('n3')]

/** A cluster with one extender; `answers` are by verb. */
async function withExtender(answers: Readonly<Record<string, (body: never) => unknown>>, more: object = {}, pods = [pod('p')]) {
  const calls: [string, unknown][] = []
  const callExtender: CallExtender = async (url, body) => {
    calls.push([url, body])
    const answer = answers[url.split('/').at(-1)!]
    if (!answer) throw new Error('nobody answers')
    return answer(body as never)
  }
  const one = await cluster(nodes, pods, { options: { callExtender, configuration: { extenders: [{ ...settings, ...more }] } } })
  await one.clock.advance(0)
  return { one, calls }
}

describe('an extender', () => {
  it('leaves nodes and prefers some', async () => {
    const { one, calls } = await withExtender({
      filter: () => ({ nodenames: ['n2', 'n3'], failedNodes: { n1: 'no licence' } }),
      prioritize: () => [
        { host: 'n2', score: 1 },
        { host: 'n3', score: 10 },
      ],
    })
    await using _ = one
    expect(one.nodeOf('p')).toBe('n3')
    expect(calls[0]).toMatchObject(['http://e/s/filter', { pod: { metadata: { name: 'p' } }, nodenames: ['n1', 'n2', 'n3'] }])
  })

  it('says why it refuses nodes', async () => {
    const { one } = await withExtender({
      filter: () => ({ nodenames: [], failedNodes: { n1: 'no licence', n2: 'no licence' }, failedAndUnresolvableNodes: { n3: 'too old' } }),
    })
    await using _ = one
    expect(one.events.join('\n')).toContain('0/3 nodes are available: 1 too old, 2 no licence.')
  })

  it('holds pods up when it does not answer, unless it may be ignored', async () => {
    const first = await withExtender({})
    await using _ = first.one
    expect(first.one.nodeOf('p')).toBeUndefined()
    const second = await withExtender({}, { ignorable: true })
    await using __ = second.one
    expect(second.one.nodeOf('p')).toBeDefined()
  })

  it('is asked only about pods with the resources it manages', async () => {
    const { one, calls } = await withExtender({}, { managedResources: [{ name: 'example.com/gpu' }] }, [pod('p', requesting('1'))])
    await using _ = one
    expect(one.nodeOf('p')).toBeDefined()
    expect(calls).toEqual([])
  })

  it('binds if that is its part', async () => {
    const bound: unknown[] = []
    const { one } = await withExtender(
      {
        filter: () => ({ nodenames: ['n1'] }),
        bind: body => {
          bound.push(body)
          return {}
        },
      },
      { bindVerb: 'bind', prioritizeVerb: '' },
    )
    await using _ = one
    expect(bound).toEqual([{ podName: 'p', podNamespace: 'a', podUID: 'uid-p', node: 'n1' }])
  })
})
