import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ApiServerProcess } from './api-server-process.ts'

/** One of the programs of bin/, as a process of its own. */
export interface ProgramProcess extends AsyncDisposable {
  readonly name: string
  readonly child: ChildProcess
  /** Everything that it has written. */
  log(): string
  isAlive(): boolean
}

/** Starts `bin/<name>`; with `inside`, by a command that runs it elsewhere (`['nsenter', …]`). */
export function startProgram(name: string, flags: readonly string[], inside: readonly string[] = []): ProgramProcess {
  const path = fileURLToPath(new URL(`../../bin/${name}`, import.meta.url))
  const [command = path, ...args] = [...inside, path, ...flags]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const isAlive = () => child.exitCode === null && child.signalCode === null
  return {
    name,
    child,
    log: () => log,
    isAlive,
    async [Symbol.asyncDispose]() {
      if (!isAlive()) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Writes a kubeconfig of a user with a token that knows all these servers. */
export function writeKubeconfig(file: string, token: string, servers: readonly Pick<ApiServerProcess, 'url' | 'authority'>[]): void {
  const [first, ...others] = servers
  const extension = { servers: others.map(({ url }) => url) }
  const cluster = {
    server: first!.url,
    'certificate-authority-data': Buffer.from(servers.map(({ authority }) => authority).join('\n')).toString('base64'),
    ...(others.length > 0 ? { extensions: [{ name: 'typernetes.dev/servers', extension }] } : {}),
  }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
}

/** Asks again and again until the answer is what is wanted; `explain` says what else is known if it never is. */
export async function until<T>(
  ask: () => Promise<T>,
  isWanted: (answer: T) => boolean,
  { timeoutMs = 60_000, explain = (): string => '' } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (isWanted(answer)) return answer
    if (performance.now() > deadline) throw new Error(`it did not come to what was wanted: ${JSON.stringify(answer)}\n${explain()}`)
    await delay(50)
  }
}
