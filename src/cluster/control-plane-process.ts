import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { environment } from '#base/process/run.ts'
import { endProcess, findProcess, type RunningProcess, readPidFile, writePidFile } from '#base/process/running-process.ts'
import { NODE_FLAGS } from './node-flags.ts'
import type { Progress } from './progress/progress.ts'
import { relayProgress } from './progress/relay.ts'
import type { ProgressStream } from './progress/text-progress.ts'
import { SetupError } from './setup-error.ts'

/** The files of a process that runs apart: of a cluster, a server or an agent. */
export interface ProcessLayout {
  readonly dataDir: string
  readonly pidFile: string
  readonly logFile: string
}

/** Names the descriptor on which a cluster's process tells the `t8s up` that started it how far it is. */
const PROGRESS_DESCRIPTOR = 'T8S_PROGRESS_FD'
const LOG_LIMIT_BYTES = 64 << 20
const LOG_TAIL = 16 << 10

/**
 * Starts the process that runs a cluster's control plane and nodes, apart from this one, and shows its progress until it says that it is
 * ready. One that runs already is left as it is.
 *
 * @throws SetupError when it ends before it was ready.
 */
export async function startClusterProcess(
  layout: ProcessLayout,
  program: string,
  args: readonly string[],
  progress: Progress,
): Promise<'started' | 'running'> {
  if (readPidFile(layout.pidFile)) return 'running'
  mkdirSync(layout.dataDir, { recursive: true })
  limitLog(layout.logFile)
  const log = openSync(layout.logFile, 'a', 0o640)
  const child = spawn(process.execPath, [...NODE_FLAGS, program, ...args], {
    cwd: '/',
    env: environment({ [PROGRESS_DESCRIPTOR]: '3', LC_ALL: undefined }),
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
  })
  closeSync(log)
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  const running = findProcess(child.pid!)
  if (running) writePidFile(layout.pidFile, running)
  const lines = child.stdio[3] as Readable
  const ready = await relayProgress(lines, progress)
  lines.destroy()
  child.unref()
  if (ready) return 'started'
  if (running) await endProcess(running)
  rmSync(layout.pidFile, { force: true })
  throw new SetupError(`The process ended before it was ready (${lastWords(layout.logFile)})`, `see ${layout.logFile}`)
}

/** The process that runs the cluster, if it does. */
export function clusterProcess(layout: ProcessLayout): RunningProcess | undefined {
  return readPidFile(layout.pidFile)
}

/** Ends the cluster's process; containers run on. */
export async function stopClusterProcess(layout: ProcessLayout): Promise<void> {
  const running = readPidFile(layout.pidFile)
  if (running) await endProcess(running, 20_000)
  rmSync(layout.pidFile, { force: true })
}

/**
 * In the cluster's process: where to write progress (with `jsonProgress`) and at the end `{"event":"ready"}`. Undefined when nobody asked.
 * Writing never fails: whoever started the process may have gone.
 */
export function progressToStarter(variables: NodeJS.ProcessEnv): ProgressStream | undefined {
  const descriptor = Number(variables[PROGRESS_DESCRIPTOR])
  if (!Number.isInteger(descriptor) || descriptor < 3) return undefined
  return {
    write(text) {
      try {
        writeSync(descriptor, text)
      } catch {
        // nobody listens any more
      }
    },
  }
}

function limitLog(path: string): void {
  if (existsSync(path) && statSync(path).size > LOG_LIMIT_BYTES) renameSync(path, `${path}.old`)
}

/** The last line that names an error, else the last of all. */
function lastWords(path: string): string {
  const lines = readFileSync(path, 'utf8').slice(-LOG_TAIL).trim().split('\n')
  return (lines.filter(line => /error/i.test(line)).at(-1) ?? lines.at(-1) ?? '').trim().slice(0, 300) || 'it wrote nothing'
}
