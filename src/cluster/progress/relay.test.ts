import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { relayProgress } from './relay.ts'
import { jsonProgress, textProgress } from './text-progress.ts'

function joined() {
  const pipe = new PassThrough()
  const shown: string[] = []
  const clock = virtualClock()
  const relayed = relayProgress(pipe, textProgress({ write: text => shown.push(text) }, clock))
  return { pipe, relayed, shown, sender: jsonProgress(pipe, clock) }
}

describe('relayProgress', () => {
  it("shows another process's steps as one's own and ends when it is ready", async () => {
    const { pipe, relayed, shown, sender } = joined()
    await sender.step('start the API server', async note => note('on 6443'))
    sender.warn('slow disk')
    pipe.write('{"event":"ready"}\n')
    expect(await relayed).toBe(true)
    expect(shown.join('')).toMatch(/✓ start the API server: on 6443 \(\d+ ms\)\n/)
    expect(shown.join('')).toContain('! slow disk')
  })

  it('says that the other ended without being ready, and marks its running step', async () => {
    const { pipe, relayed, shown, sender } = joined()
    void sender.step('start the API server', () => new Promise(() => {}))
    pipe.end('not a line of ours\n')
    expect(await relayed).toBe(false)
    expect(shown.join('')).toContain('✗ start the API server')
  })
})
