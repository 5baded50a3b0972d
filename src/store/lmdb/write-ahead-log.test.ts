import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Operation } from './log-append.ts'
import { readLog } from './read-log.ts'
import { WriteAheadLog } from './write-ahead-log.ts'

const identity = Buffer.alloc(16, 7)
const operations = (n: number): Operation[] => [{ key: Buffer.from(`key-${n}`), value: Buffer.from(`value-${n}`) }]

describe('the log before LMDB', () => {
  let directory: string
  let log: WriteAheadLog
  let clock: VirtualClock
  let loop: { idle: number; active: number }
  /** How many appends can be read back. */
  const found = () => readLog(directory, identity, 0).operations.length
  const append = (n: number, isLone: boolean) => log.append(n, operations(n), isLone)
  /** After them it knows that the disk is prompt: by this clock it takes no time. */
  const prompt = async () => {
    for (let n = 1; n <= 100; n++) await append(n, false)
  }

  const passes = async (sort: 'idle' | 'active') => {
    loop[sort] += 100
    await clock.advance(100)
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'log-'))
    clock = virtualClock()
    loop = { idle: 0, active: 0 }
    log = WriteAheadLog.begin({ directory, identity, clock, loopTime: () => ({ ...loop }) })
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('[S19] has a lone append on disk at once where the disk is prompt and there is nothing else to do', async () => {
    await prompt()
    await passes('idle')
    const done = append(101, true)
    expect(found()).toBe(101)
    await done
    log.close()
  })

  it('[S19] has every append on disk once it is resolved, on whatever thread it was written', async () => {
    await prompt()
    for (let n = 101; n <= 150; n++) {
      await passes(n % 3 > 0 ? 'idle' : 'active')
      await append(n, n % 2 > 0)
      expect(found()).toBe(n)
    }
    log.close()
  })
})
