import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type VirtualClock, virtualClock } from '../time/virtual-clock.ts'
import { RotatingFile, type Rotation } from './rotating-file.ts'

let directory: string
let clock: VirtualClock
beforeEach(() => {
  clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  directory = mkdtempSync(join(tmpdir(), 'rotating-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const open = (rotation: Partial<Rotation> = {}) =>
  RotatingFile.open(join(directory, 'audit.log'), { maxBytes: 10, maxBackups: 0, maxAgeMs: 0, compresses: false, ...rotation }, clock)
const names = () => readdirSync(directory).sort()
const text = (name: string) => readFileSync(join(directory, name), 'utf8')

describe('a rotating file', () => {
  it('is begun anew before it grows too large, and never divides a line', async () => {
    const file = await open()
    await file.append('one\n')
    await file.append('two\n')
    await file.append('three\n')
    await file.close()
    expect(names()).toEqual(['audit-2026-11-20T12-00-00.000.log', 'audit.log'])
    expect(text('audit-2026-11-20T12-00-00.000.log')).toBe('one\ntwo\n')
    expect(text('audit.log')).toBe('three\n')
  })

  it('goes on where it was, readable by its owner alone', async () => {
    const first = await open()
    await first.append('one\n')
    await first.close()
    const second = await open()
    await second.append('two\n')
    await second.append('three\n')
    await second.close()
    expect(names()).toHaveLength(2)
    expect(statSync(join(directory, 'audit.log')).mode & 0o777).toBe(0o600)
  })

  it('keeps as many old files as it may, for as long as it may', async () => {
    const file = await open({ maxBackups: 2, maxAgeMs: 86_400_000 })
    for (const line of ['aaaaaaaa\n', 'bbbbbbbb\n', 'cccccccc\n', 'dddddddd\n']) {
      await file.append(line)
      await clock.advance(1000)
    }
    await file.close()
    expect(names()).toHaveLength(3)
    const later = await open({ maxBackups: 2, maxAgeMs: 86_400_000 })
    await clock.advance(2 * 86_400_000)
    await later.append('eeeeeeee\n')
    await later.close()
    expect(names().map(name => text(name))).toEqual(['dddddddd\n', 'eeeeeeee\n'])
  })

  it('compresses old files', async () => {
    const file = await open({ compresses: true })
    await file.append('aaaaaaaa\n')
    await file.append('bbbbbbbb\n')
    await file.close()
    const old = names().find(name => name.endsWith('.gz'))!
    expect(gunzipSync(readFileSync(join(directory, old))).toString()).toBe('aaaaaaaa\n')
    expect(names()).toHaveLength(2)
  })

  it('keeps the order of what is appended at once, and tells of failures', async () => {
    const file = await open({ maxBytes: 0 })
    await Promise.all(['1\n', '2\n', '3\n'].map(line => file.append(line)))
    await file.close()
    expect(text('audit.log')).toBe('1\n2\n3\n')
    await expect(
      RotatingFile.open(join(directory, 'none', 'audit.log'), { maxBytes: 0, maxBackups: 0, maxAgeMs: 0, compresses: false }, clock),
    ).rejects.toThrow('ENOENT')
  })
})
