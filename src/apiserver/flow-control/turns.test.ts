import { describe, expect, it } from 'vitest'
import { Turns, type TurnTaker } from './turns.ts'

const LOW: TurnTaker = { level: 'low', shares: 10, flow: 'elephant' }

describe('turns on the one thread', () => {
  it('are not needed while there is time', () => {
    const world = new World()
    expect(Array.from({ length: 10 }, () => world.ask(LOW, 0.1))).toEqual(new Array(10).fill(true))
    expect(world.turns.waiting).toBe(0)
  })

  it('make those wait who come when a slice is over', () => {
    const world = new World()
    expect(world.ask(LOW, 6)).toBe(true)
    expect(world.ask(LOW, 1)).toBe(false)
    world.run()
    expect(world.done).toEqual(['elephant', 'elephant'])
  })

  it('let input in between slices', () => {
    const world = new World()
    world.ask(LOW, 6)
    for (let n = 0; n < 30; n++) world.ask(LOW, 1)
    world.run()
    expect(world.done).toHaveLength(31)
    expect(world.polls).toBeGreaterThanOrEqual(6)
  })

  it('go to the flow of a level that has had the least', () => {
    const world = new World()
    world.ask(LOW, 6)
    for (let n = 0; n < 50; n++) world.ask(LOW, 10)
    world.ask({ ...LOW, flow: 'mouse' }, 1)
    world.run()
    expect(world.done.indexOf('mouse')).toBeLessThanOrEqual(2)
  })

  it('go to the levels by their shares', () => {
    const world = new World()
    world.ask(LOW, 6)
    for (let n = 0; n < 400; n++) world.ask(LOW, 1)
    for (let n = 0; n < 400; n++) world.ask({ level: 'high', shares: 30, flow: 'node' }, 1)
    world.run()
    const early = world.done.slice(1, 201)
    expect(early.filter(flow => flow === 'node').length).toBeGreaterThan(140)
    expect(early.filter(flow => flow === 'elephant').length).toBeGreaterThan(40)
  })

  it('measure what a request takes and not how many there are', () => {
    const world = new World()
    world.ask({ ...LOW, flow: 'start' }, 6)
    for (let n = 0; n < 20; n++) world.ask({ ...LOW, flow: 'lists' }, 20)
    for (let n = 0; n < 200; n++) world.ask({ ...LOW, flow: 'gets' }, 1)
    world.run()
    const tenth = world.done.indexOf('lists') >= 0 ? nth(world.done, 'lists', 5) : -1
    expect(world.done.slice(0, tenth).filter(flow => flow === 'gets').length).toBeGreaterThan(60)
  })
})

function nth(all: readonly string[], wanted: string, n: number): number {
  let seen = 0
  return all.findIndex(one => one === wanted && ++seen === n)
}

/** A loop and a clock of which only the work of requests takes time. */
class World {
  readonly done: string[] = []
  polls = 0
  #now = 0
  readonly #ticks: (() => void)[] = []
  readonly #immediates: (() => void)[] = []
  readonly turns = new Turns({
    monotonic: () => this.#now,
    loop: { afterThis: callback => void this.#ticks.push(callback), afterOthers: callback => void this.#immediates.push(callback) },
  })

  /** A request that takes so many milliseconds of the thread. */
  ask(taker: TurnTaker, ms: number): boolean {
    const work = () => {
      this.#now += ms
      this.done.push(taker.flow)
    }
    const isNow = this.turns.enter(taker, work)
    if (isNow) work()
    return isNow
  }

  run(): void {
    while (this.#ticks.length > 0 || this.#immediates.length > 0) {
      while (this.#ticks.length > 0) this.#ticks.shift()!()
      this.polls++
      for (const immediate of this.#immediates.splice(0)) {
        immediate()
        while (this.#ticks.length > 0) this.#ticks.shift()!()
      }
    }
  }
}
