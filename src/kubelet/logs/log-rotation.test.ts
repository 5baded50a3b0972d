import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { containerLogFile } from '../pods/pod-directories.ts'
import { container, pod, state } from '../pods/pod-samples.ts'
import { memoryRuntime } from '../runtime/memory/memory-runtime.ts'
import { rotateLogs } from './log-rotation.ts'

it('a log that has grown too long is renamed and opened anew; the oldest go', async () => {
  const logsDirectory = mkdtempSync(join(tmpdir(), 't8s-rotation-'))
  const of = pod(['a', 'b'])
  const path = containerLogFile(logsDirectory, of, 'a', 0)
  const reopened: string[] = []
  const runtime = { ...memoryRuntime(virtualClock()), reopenLog: async (id: string) => void reopened.push(id) }
  const workers = [{ pod: of, state: state([container('a', 'running'), container('b', 0)]) }]
  mkdirSync(dirname(path), { recursive: true })
  for (let minute = 0; minute < 4; minute++) {
    writeFileSync(path, 'x'.repeat(10))
    await rotateLogs({ runtime, logsDirectory, workers, maxBytes: 10, maxFiles: 3, now: Date.UTC(2026, 0, 1, 0, minute) })
  }
  expect(reopened).toEqual(['a-0', 'a-0', 'a-0', 'a-0'])
  expect(readdirSync(dirname(path)).sort()).toEqual(['0.log.20260101-000200', '0.log.20260101-000300'])
  writeFileSync(path, 'short')
  await rotateLogs({ runtime, logsDirectory, workers, maxBytes: 10, maxFiles: 3, now: Date.UTC(2026, 0, 2) })
  expect(existsSync(path)).toBe(true)
  rmSync(logsDirectory, { recursive: true })
})
