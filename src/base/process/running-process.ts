import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ProcessError } from './process-error.ts'
import { environment } from './run.ts'

/** One process of this machine, told apart from a later one that was given the same number. */
export interface RunningProcess {
  readonly pid: number
  /** When it began, in clock ticks since boot (field 22 of /proc/<pid>/stat). */
  readonly startTicks: string
  readonly bootId: string
}

export interface StartOptions {
  /** Receives stdout and stderr, appended. */
  readonly logFile: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Starts a program in a session of its own, so that it lives on when this process ends, and returns at once.
 *
 * @throws ProcessError when it cannot be started.
 */
export function startDetached(command: string, args: readonly string[], options: StartOptions): Promise<RunningProcess> {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const log = openSync(options.logFile, 'a', 0o640)
  return new Promise<RunningProcess>((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: environment(options.env), detached: true, stdio: ['ignore', log, log] })
    child.on('error', error => {
      const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'unstartable'
      reject(new ProcessError({ command, args, stdout: '', stderr: '', reason }, { cause: error }))
    })
    child.on('spawn', () => {
      child.unref()
      resolve(findProcess(child.pid!) ?? { pid: child.pid!, startTicks: '', bootId: bootId() })
    })
  }).finally(() => closeSync(log))
}

/** The process with this number, or undefined when there is none (a zombie is none). */
export function findProcess(pid: number): RunningProcess | undefined {
  const stat = readStat(pid)
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? { pid, startTicks: stat.startTicks, bootId: bootId() } : undefined
}

/** True while exactly this process lives. */
export function isAlive(running: RunningProcess): boolean {
  const found = findProcess(running.pid)
  return found !== undefined && found.startTicks === running.startTicks && found.bootId === running.bootId
}

/**
 * Sends SIGTERM, waits for the end, and after `graceMs` sends SIGKILL. Returns once the process is gone; false if even SIGKILL did not
 * help within five seconds (it hangs in the kernel).
 */
export async function endProcess(running: RunningProcess, graceMs = 10_000): Promise<boolean> {
  if (await signalAndWait(running, 'SIGTERM', graceMs)) return true
  return signalAndWait(running, 'SIGKILL', 5_000)
}

/** Sends a signal to exactly this process, if it still lives. */
export function sendSignal(running: RunningProcess, signal: NodeJS.Signals): void {
  if (!isAlive(running)) return
  try {
    process.kill(running.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Writes a pid file whose first line is the number (for people and shells), the second what tells the process apart. */
export function writePidFile(path: string, running: RunningProcess): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, `${running.pid}\n${running.startTicks} ${running.bootId}\n`)
  renameSync(`${path}.new`, path)
}

/** The living process a pid file names, or undefined: no file, an ended process, or another one under the same number. */
export function readPidFile(path: string): RunningProcess | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  const [pid, startTicks, boot] = text.split(/\s+/)
  const running = { pid: Number(pid), startTicks: startTicks ?? '', bootId: boot ?? '' }
  return running.pid > 0 && isAlive(running) ? running : undefined
}

/** True when a pid file was written before the machine last started: what it and its neighbours speak of is gone. */
export function isOfEarlierBoot(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').split(/\s+/)[2] !== bootId()
  } catch {
    return false
  }
}

export function removePidFile(path: string): void {
  rmSync(path, { force: true })
}

/** Changes with every boot of the machine. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

async function signalAndWait(running: RunningProcess, signal: NodeJS.Signals, waitMs: number): Promise<boolean> {
  sendSignal(running, signal)
  const deadline = performance.now() + waitMs
  while (isAlive(running)) {
    if (performance.now() > deadline) return false
    await new Promise(resolve => setTimeout(resolve, 15))
  }
  return true
}

function readStat(pid: number): { state: string; startTicks: string } | undefined {
  try {
    // "pid (name) state ppid …": the name may hold anything, so count from the last parenthesis.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0] ?? '', startTicks: fields[19] ?? '' }
  } catch {
    return undefined
  }
}
