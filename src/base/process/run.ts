import { spawn } from 'node:child_process'
import { ProcessError } from './process-error.ts'

export interface RunOptions {
  /** Ends the program with SIGKILL after this long; default 60,000. */
  readonly timeoutMs?: number
  /** Ends the program with SIGKILL when aborted. */
  readonly signal?: AbortSignal | undefined
  /** Written to its standard input, which is otherwise empty. */
  readonly input?: string | Uint8Array
  readonly cwd?: string
  /** Added to the environment; `undefined` removes a variable. `LC_ALL=C` is always set, so that messages can be read. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Each of the two outputs keeps at most this much (its start); default 64 MiB. */
  readonly maxOutputBytes?: number
  /** Called with each line of output as it comes, of both streams: for showing progress. */
  readonly onLine?: (line: string) => void
  /** Exit codes that are no failure; default only 0. */
  readonly allowCodes?: readonly number[]
}

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program to its end and returns what it wrote. There is no shell: arguments reach the program as they are.
 *
 * @throws ProcessError when it cannot be started, ends with another code than those allowed, takes too long or is aborted.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const stdout = new Output(options.maxOutputBytes ?? 64 << 20, options.onLine)
    const stderr = new Output(options.maxOutputBytes ?? 64 << 20, options.onLine)
    let reason: 'timeout' | 'aborted' | undefined
    const fail = (more: { code?: number; signal?: string; reason?: 'timeout' | 'aborted' | 'absent' | 'unstartable' }, cause?: unknown) =>
      reject(new ProcessError({ command, args, stdout: stdout.text(), stderr: stderr.text(), ...more }, { cause }))
    if (options.signal?.aborted) return fail({ reason: 'aborted' }, options.signal.reason)

    const child = spawn(command, args, {
      cwd: options.cwd,
      env: environment(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const end = (why: 'timeout' | 'aborted') => {
      reason ??= why
      child.kill('SIGKILL')
    }
    const timer = setTimeout(end, options.timeoutMs ?? 60_000, 'timeout')
    const abort = () => end('aborted')
    options.signal?.addEventListener('abort', abort, { once: true })
    const settle = () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
    }

    child.stdout!.on('data', (chunk: Buffer) => stdout.add(chunk))
    child.stderr!.on('data', (chunk: Buffer) => stderr.add(chunk))
    child.stdin?.on('error', () => {}) // a program that does not read its input says so by its exit code
    child.stdin?.end(options.input)
    child.on('error', error => {
      settle()
      fail({ reason: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unstartable' }, error)
    })
    child.on('close', (code, signal) => {
      settle()
      if (reason) return fail({ reason }, reason === 'aborted' ? options.signal?.reason : undefined)
      if (code !== null && (code === 0 || options.allowCodes?.includes(code))) {
        return resolve({ code, stdout: stdout.text(), stderr: stderr.text() })
      }
      fail(code === null ? { signal: signal ?? 'a signal' } : { code })
    })
  })
}

/** The environment of this process with `changes` applied and messages in plain English. */
export function environment(changes: Readonly<Record<string, string | undefined>> = {}): NodeJS.ProcessEnv {
  const merged: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C', ...changes }
  for (const [name, value] of Object.entries(merged)) if (value === undefined) delete merged[name]
  return merged
}

class Output {
  readonly #limit: number
  readonly #onLine: ((line: string) => void) | undefined
  readonly #chunks: Buffer[] = []
  #size = 0
  #partial = ''

  constructor(limit: number, onLine?: (line: string) => void) {
    this.#limit = limit
    this.#onLine = onLine
  }

  add(chunk: Buffer): void {
    if (this.#size < this.#limit) this.#chunks.push(chunk.subarray(0, this.#limit - this.#size))
    this.#size += chunk.length
    if (!this.#onLine) return
    const lines = (this.#partial + chunk.toString('utf8')).split(/\r?\n|\r/)
    this.#partial = lines.pop()!.slice(-4096)
    for (const line of lines) this.#onLine(line)
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}
