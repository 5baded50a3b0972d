import { describe, expect, it } from 'vitest'
import { QueueSet, type Seated } from './queue-set.ts'

const QUEUING = { queues: 64, handSize: 6, queueLengthLimit: 50 }

describe('the queues of a priority level', () => {
  it('seat a request at once while there is room', () => {
    const queues = new QueueSet(QUEUING, 2)
    expect([enter(queues, 'a'), enter(queues, 'a')].map(request => request?.start)).toEqual([undefined, undefined])
    expect(enter(queues, 'a')?.start).toBeDefined()
    expect([queues.executing, queues.waiting]).toEqual([2, 1])
  })

  it('turn away at once where there are none', () => {
    const queues = new QueueSet({ queues: 0, handSize: 0, queueLengthLimit: 0 }, 1)
    enter(queues, 'a')
    expect(enter(queues, 'a')).toBeUndefined()
  })

  it('turn away who finds all queues of its hand full, and nobody else', () => {
    const queues = new QueueSet({ queues: 64, handSize: 2, queueLengthLimit: 5 }, 1)
    const elephant = Array.from({ length: 100 }, () => enter(queues, 'elephant'))
    expect(elephant.filter(request => request === undefined)).toHaveLength(100 - 1 - 10)
    expect(enter(queues, 'mouse')).toBeDefined()
  })

  it('give the next seat to the flow that has had the least', () => {
    const queues = new QueueSet(QUEUING, 1)
    const order: string[] = []
    let now = 0
    let sitting = enter(queues, 'elephant')!
    const wait = (flow: string) => {
      const request: { it?: Seated } = {}
      request.it = queues.enter(flow, 1, now, () => {
        order.push(flow)
        sitting = request.it!
      })!
    }
    for (let n = 0; n < 20; n++) wait('elephant')
    wait('mouse')
    for (let n = 0; n < 10; n++) {
      now += 10
      queues.leave(sitting, now)
    }
    // The elephant's own queues are ahead of each other; the mouse comes in the first round of them.
    expect(order.indexOf('mouse')).toBeLessThanOrEqual(6)
    expect(order.indexOf('mouse')).toBeGreaterThanOrEqual(0)
  })

  it('count a long request as what it took', () => {
    const queues = new QueueSet({ queues: 2, handSize: 1, queueLengthLimit: 50 }, 1)
    const [one, other] = differentFlows(queues)
    const order: string[] = []
    let sitting = queues.enter(one, 1, 0, () => undefined)!
    const wait = (flow: string) => {
      const request: { it?: Seated } = {}
      request.it = queues.enter(flow, 1, 0, () => {
        order.push(flow === one ? 'one' : 'other')
        sitting = request.it!
      })!
    }
    for (let n = 0; n < 3; n++) wait(one)
    for (let n = 0; n < 3; n++) wait(other)
    queues.leave(sitting, 1000) // the first took a second; those that follow take a millisecond
    for (let n = 1; n <= 5; n++) queues.leave(sitting, 1000 + n)
    expect(order).toEqual(['other', 'other', 'other', 'one', 'one', 'one'])
  })

  it('let a request that needs all seats wait until it is alone, and not for ever', () => {
    const queues = new QueueSet(QUEUING, 3)
    const small = enter(queues, 'small')!
    let begun = false
    queues.enter('large', 10, 0, () => {
      begun = true
    })
    expect(begun).toBe(false)
    queues.leave(small, 1)
    expect(begun).toBe(true)
  })

  it('forget who gives up', () => {
    const queues = new QueueSet(QUEUING, 1)
    const first = enter(queues, 'a')!
    let begun = 0
    const second = queues.enter('a', 1, 0, () => begun++)!
    queues.giveUp(second)
    queues.leave(first, 1)
    expect([begun, queues.waiting, queues.executing]).toEqual([0, 0, 0])
  })
})

function enter(queues: QueueSet, flow: string): Seated | undefined {
  return queues.enter(flow, 1, 0, () => undefined)
}

/** Two flows whose hands of one are not the same queue. */
function differentFlows(queues: QueueSet): [string, string] {
  const queueOf = (flow: string) => {
    const seated = queues.enter(flow, 1, 0, () => undefined)!
    if (seated.start) queues.giveUp(seated)
    else queues.leave(seated, 3)
    return seated.queue
  }
  const first = queueOf('flow-0')
  for (let n = 1; ; n++) if (queueOf(`flow-${n}`) !== first) return ['flow-0', `flow-${n}`]
}
