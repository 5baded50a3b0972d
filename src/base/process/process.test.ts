import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lockFile } from './file-lock.ts'
import { oneLine, ProcessError } from './process-error.ts'
import { run } from './run.ts'
import { endProcess, findProcess, isAlive, isOfEarlierBoot, readPidFile, startDetached, writePidFile } from './running-process.ts'

const directory = mkdtempSync(join(tmpdir(), 't8s-process-'))
afterAll(() => rmSync(directory, { recursive: true }))

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('should have failed'),
    (error: unknown) => error as ProcessError,
  )

describe('run', () => {
  it('hands arguments to the program untouched, with no shell between', async () => {
    expect((await run('printf', ['%s|', '$HOME', 'a b', ';'])).stdout).toBe('$HOME|a b|;|')
  })

  it('writes the input and returns the output', async () => {
    expect((await run('cat', [], { input: 'hello' })).stdout).toBe('hello')
  })

  it('fails with the command, its exit code and what it said', async () => {
    const error = await failureOf(run('sh', ['-c', 'echo "no such device" >&2; exit 3']))
    expect(error).toBeInstanceOf(ProcessError)
    expect(error.failure).toMatchObject({ code: 3, stderr: 'no such device\n' })
    expect(error.message).toMatch(/exit code 3: no such device$/)
  })

  it('accepts an exit code the caller allows', async () => {
    expect((await run('sh', ['-c', 'exit 3'], { allowCodes: [3] })).code).toBe(3)
  })

  it('says that a program is absent', async () => {
    expect((await failureOf(run('no-such-program', []))).message).toBe(
      'cannot run "no-such-program": there is no such program on this machine',
    )
  })

  it('ends a program that takes too long', async () => {
    expect((await failureOf(run('sleep', ['60'], { timeoutMs: 20 }))).failure.reason).toBe('timeout')
  })

  it('ends the program when the work is called off', async () => {
    const stop = new AbortController()
    const error = failureOf(run('sleep', ['60'], { signal: stop.signal }))
    stop.abort(new Error('enough'))
    expect((await error).failure.reason).toBe('aborted')
  })

  it('tells lines as they come', async () => {
    const lines: string[] = []
    await run('printf', ['one\\ntwo\\nrest'], { onLine: line => lines.push(line) })
    expect(lines).toEqual(['one', 'two'])
  })
})

describe('oneLine', () => {
  it('removes escape sequences and control characters and joins lines', () => {
    expect(oneLine('\u001b[31mred\u001b[0m\n\u0007 bell\n')).toBe('red; bell')
  })
})

describe('a detached process', () => {
  it('is found by its pid file while it lives and not afterwards', async () => {
    const file = join(directory, 'sleep.pid')
    const running = await startDetached('sleep', ['60'], { logFile: join(directory, 'sleep.log') })
    writePidFile(file, running)
    expect(readPidFile(file)).toEqual(running)
    expect(await endProcess(running)).toBe(true)
    expect(readPidFile(file)).toBeUndefined()
  })

  it('is not mistaken for another process with the same number', () => {
    const self = findProcess(process.pid)!
    expect(isAlive(self)).toBe(true)
    expect(isAlive({ ...self, startTicks: '1' })).toBe(false)
    expect(isAlive({ ...self, bootId: 'another boot' })).toBe(false)
  })

  it('has a pid file whose first line is the bare number', () => {
    const file = join(directory, 'self.pid')
    writePidFile(file, findProcess(process.pid)!)
    expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(String(process.pid))
    expect(isOfEarlierBoot(file)).toBe(false)
    writeFileSync(file, `${process.pid}\n1 another-boot\n`)
    expect(isOfEarlierBoot(file)).toBe(true)
    writeFileSync(file, 'nonsense')
    expect(readPidFile(file)).toBeUndefined()
  })
})

describe('lockFile', () => {
  it('is held by one at a time and free again after release', async () => {
    const path = join(directory, 'lock')
    const first = await lockFile(path)
    expect(first).toBeDefined()
    expect(await lockFile(path)).toBeUndefined()
    await first!.release()
    const second = await lockFile(path)
    expect(second).toBeDefined()
    await second!.release()
  })
})
