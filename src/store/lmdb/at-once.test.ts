import { describe, expect, it } from 'vitest'
import { AtOnce, type LoopTime } from './at-once.ts'

describe('a lone write to the log', () => {
  const loop = { idle: 0, active: 0 }
  let nowMs = 0
  const passes = ({ idle, active }: LoopTime) => {
    loop.idle += idle
    loop.active += active
    nowMs += idle + active
  }
  const writes = (atOnce: AtOnce, count: number, durationMs: number) => {
    for (let n = 0; n < count; n++) atOnce.took(durationMs)
  }
  const begun = () => new AtOnce(() => ({ ...loop }))

  it('is handed over while nothing is known of the disk, and done at once when it has been prompt for a while', () => {
    const atOnce = begun()
    passes({ idle: 80, active: 20 })
    expect(atOnce.isBest(nowMs)).toBe(false)
    writes(atOnce, 10, 0.2)
    expect(atOnce.isBest(nowMs)).toBe(false)
    writes(atOnce, 100, 0.2)
    expect(atOnce.isBest(nowMs)).toBe(true)
  })

  it('is handed over on a disk that takes its time', () => {
    const atOnce = begun()
    passes({ idle: 80, active: 20 })
    writes(atOnce, 1000, 3)
    expect(atOnce.isBest(nowMs)).toBe(false)
  })

  it('is handed over for a while once the disk has stalled, and not for ever', () => {
    const atOnce = begun()
    passes({ idle: 80, active: 20 })
    writes(atOnce, 1000, 0.2)
    writes(atOnce, 1, 1000)
    expect(atOnce.isBest(nowMs)).toBe(false)
    writes(atOnce, 100, 0.2)
    expect(atOnce.isBest(nowMs)).toBe(false)
    writes(atOnce, 200, 0.2)
    expect(atOnce.isBest(nowMs)).toBe(true)
  })

  it('is done at once after an outlier that others do not notice', () => {
    const atOnce = begun()
    passes({ idle: 80, active: 20 })
    writes(atOnce, 1000, 0.2)
    writes(atOnce, 1, 20)
    expect(atOnce.isBest(nowMs)).toBe(true)
  })

  it('is handed over while the loop is busy, and done at once when it is at leisure again', () => {
    const atOnce = begun()
    writes(atOnce, 1000, 0.2)
    passes({ idle: 5, active: 95 })
    expect(atOnce.isBest(nowMs)).toBe(false)
    passes({ idle: 50, active: 50 })
    expect(atOnce.isBest(nowMs)).toBe(true)
    // Too short a time to tell.
    passes({ idle: 0, active: 5 })
    expect(atOnce.isBest(nowMs)).toBe(true)
  })
})
