import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { type LogQuery, readLog } from './log-reader.ts'

let folder: string
let path: string
let running: boolean
let abort: AbortController

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't8s-log-'))
  path = join(folder, '0.log')
  running = false
  abort = new AbortController()
})
afterEach(() => {
  abort.abort()
  rmSync(folder, { recursive: true })
})

const line = (second: number, text: string, stream = 'stdout', tag = 'F') => `2026-01-01T00:00:0${second}.5Z ${stream} ${tag} ${text}\n`
const pieces = (query: LogQuery = {}) => readLog(path, query, { clock: virtualClock(), signal: abort.signal, isRunning: () => running })
const all = async (query?: LogQuery) => {
  let text = ''
  for await (const piece of pieces(query)) text += piece
  return text
}

describe('reading a log', () => {
  beforeEach(() => writeFileSync(path, line(1, 'one') + line(2, 'two', 'stderr') + line(3, 'thr', 'stdout', 'P') + line(3, 'ee ü')))

  it.each<[string, LogQuery, string]>([
    ['gives all of it, parts of a line joined', {}, 'one\ntwo\nthree ü\n'],
    ['gives the last lines', { tailLines: 2 }, 'three ü\n'],
    ['gives no line of none', { tailLines: 0 }, ''],
    ['gives what is there when more is asked for', { tailLines: 99 }, 'one\ntwo\nthree ü\n'],
    ['gives times', { tailLines: 3, timestamps: true, stream: 'stderr' }, '2026-01-01T00:00:02.5Z two\n'],
    ['gives what is not too old', { sinceMs: Date.UTC(2026, 0, 1, 0, 0, 2) }, 'two\nthree ü\n'],
    ['stops at so many bytes', { limitBytes: 6 }, 'one\ntw'],
    ['gives one of the outputs', { stream: 'stderr' }, 'two\n'],
  ])('%s', async (_, query, expected) => {
    expect(await all(query)).toBe(expected)
  })

  it('reads on while the container runs, over a rotation, to its end', async () => {
    running = true
    const reader = pieces({ follow: true })[Symbol.asyncIterator]()
    const next = async () => String((await reader.next()).value)
    expect([await next(), await next(), await next(), await next()].join('')).toBe('one\ntwo\nthree ü\n')
    const first = next()
    appendFileSync(path, line(4, 'four'))
    expect(await first).toBe('four\n')
    const second = next()
    renameSync(path, `${path}.1`)
    writeFileSync(path, line(5, 'five'))
    expect(await second).toBe('five\n')
    running = false
    appendFileSync(path, line(6, 'six'))
    expect(await next()).toBe('six\n')
    expect((await reader.next()).done).toBe(true)
  })

  it('ends when its reader has gone', async () => {
    running = true
    const reader = pieces({ follow: true, tailLines: 0 })[Symbol.asyncIterator]()
    const next = reader.next()
    abort.abort()
    expect((await next).done).toBe(true)
  })
})
