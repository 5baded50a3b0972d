import { describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { duration, jsonProgress, textProgress } from './text-progress.ts'

const capture = (isTTY = false) => {
  const lines: string[] = []
  return { isTTY, columns: 80, write: (text: string) => lines.push(text), text: () => lines.join('') }
}

describe('textProgress', () => {
  it('prints one plain line per step, with its note and duration, into a pipe', async () => {
    const clock = virtualClock()
    const stream = capture()
    await textProgress(stream, clock).step('create the network', async note => {
      note('172.30.0.0/24')
      await clock.advance(1250)
    })
    expect(stream.text()).toBe('  ✓ create the network: 172.30.0.0/24 (1.3 s)\n')
  })

  it('marks a step that failed and passes the error on', async () => {
    const stream = capture()
    const failing = textProgress(stream, virtualClock()).step('start', () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    expect(stream.text()).toContain('✗ start')
  })

  it('shows the running step on a terminal before it ends', async () => {
    const stream = capture(true)
    await textProgress(stream, virtualClock()).step('wait', async () => expect(stream.text()).toContain('… wait'))
  })
})

describe('jsonProgress', () => {
  it('writes one object a line', async () => {
    const stream = capture()
    await jsonProgress(stream, virtualClock()).step('wait', async () => {})
    expect(
      stream
        .text()
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual([
      { event: 'started', step: 'wait' },
      { event: 'done', step: 'wait', durationMs: 0 },
    ])
  })
})

describe('duration', () => {
  it.each([
    [12.4, '12 ms'],
    [3200, '3.2 s'],
    [59_999, '1 min 0 s'],
    [125_000, '2 min 5 s'],
  ])('%d ms is "%s"', (milliseconds, text) => expect(duration(milliseconds)).toBe(text))
})
