import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import type { Logger } from '#base/log/logger.ts'
import { environment } from '#base/process/run.ts'
import { endProcess, findProcess, readPidFile, writePidFile } from '#base/process/running-process.ts'
import type { Clock, Timer } from '#base/time/clock.ts'

/** A member of etcd on this machine. Certificates are files. */
export interface EtcdProcessOptions {
  readonly name: string
  readonly dataDir: string
  readonly pidFile: string
  readonly logFile: string
  /** Where other machines reach it. */
  readonly address: string
  readonly clientPort: number
  readonly peerPort: number
  readonly tls: { readonly authority: string; readonly certificate: string; readonly key: string }
  /** Who is there when it starts for the first time: `name=peerURL` with commas; what it says later it has on disk. */
  readonly initialCluster: string
  readonly initialClusterState: 'new' | 'existing'
  /** The same for all members of a cluster: two that are not of one cluster refuse each other. */
  readonly clusterToken: string
  /** Once: makes this member the only one, with the data it has. */
  readonly forceNewCluster?: boolean
  /** How long old revisions are kept. Default: 5 minutes, as the API server of Kubernetes keeps them. */
  readonly historyMs?: number | undefined
  readonly clock: Clock
  readonly log: Logger
  /** It was removed from the cluster by the others: it never comes back. */
  removed(): void
}

export interface EtcdProcess {
  /** Ends it; others take the lead over at once. */
  stop(): Promise<void>
}

const HISTORY_MS = 5 * 60_000
const RESTART_FIRST_MS = 500
const RESTART_LIMIT_MS = 30_000
/** It has run well if it lived this long. */
const STEADY_MS = 60_000
const STOP_MS = 10_000
const LOG_LIMIT_BYTES = 16 << 20
const LOG_TAIL_CHARACTERS = 16 << 10

/**
 * Starts etcd and keeps it running: when it ends by itself it is started again, at growing distances. It ends together with this process, even
 * if that is killed, so that never two of them are at one directory.
 */
export async function startEtcd(options: EtcdProcessOptions): Promise<EtcdProcess> {
  const { clock, log, pidFile, logFile } = options
  const former = readPidFile(pidFile)
  if (former) await endProcess(former, STOP_MS)
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  let child: ChildProcess | undefined
  let timer: Timer | undefined
  let delayMs = RESTART_FIRST_MS
  let isStopping = false
  let isFirst = true
  const start = () => {
    limitLog(logFile)
    const loggedBytes = sizeOf(logFile)
    const output = openSync(logFile, 'a', 0o640)
    const startedMs = clock.monotonic()
    // The kernel tells it when this process has ended in whatever way.
    const args = ['--pdeathsig', 'TERM', 'etcd', ...flagsOf(options, isFirst)]
    isFirst = false
    const started = spawn('setpriv', args, {
      cwd: '/',
      env: environment({ ETCD_UNSUPPORTED_ARCH: process.arch }),
      stdio: ['ignore', output, output],
    })
    closeSync(output)
    child = started
    started.once('spawn', () => {
      const running = findProcess(started.pid!)
      if (running) writePidFile(pidFile, running)
    })
    started.once('error', error => log.error('etcd cannot be started', { error: error.message }))
    started.once('close', (code, signal) => {
      child = undefined
      if (isStopping) return
      const words = wordsSince(logFile, loggedBytes)
      if (/permanently removed from the cluster|data-dir used by this member must be removed/.test(words)) return options.removed()
      if (clock.monotonic() - startedMs > STEADY_MS) delayMs = RESTART_FIRST_MS
      log.error('etcd has ended and is started again', { code, signal, delayMs, said: words.trim().split('\n').at(-1)?.slice(0, 300) })
      timer = clock.after(delayMs, start)
      delayMs = Math.min(2 * delayMs, RESTART_LIMIT_MS)
    })
  }
  start()
  return {
    async stop() {
      isStopping = true
      timer?.cancel()
      const running = child?.pid === undefined ? undefined : findProcess(child.pid)
      if (running) await endProcess(running, STOP_MS)
      rmSync(pidFile, { force: true })
    },
  }
}

function flagsOf(options: EtcdProcessOptions, isFirst: boolean): string[] {
  const { address, clientPort, peerPort, tls } = options
  const url = (host: string, port: number) => `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  const flags = {
    name: options.name,
    'data-dir': options.dataDir,
    'listen-client-urls': `${url(address, clientPort)},${url('127.0.0.1', clientPort)}`,
    'advertise-client-urls': url(address, clientPort),
    'listen-peer-urls': url(address, peerPort),
    'initial-advertise-peer-urls': url(address, peerPort),
    'initial-cluster': options.initialCluster,
    'initial-cluster-state': options.initialClusterState,
    'initial-cluster-token': options.clusterToken,
    'trusted-ca-file': tls.authority,
    'cert-file': tls.certificate,
    'key-file': tls.key,
    'client-cert-auth': 'true',
    'peer-trusted-ca-file': tls.authority,
    'peer-cert-file': tls.certificate,
    'peer-key-file': tls.key,
    'peer-client-cert-auth': 'true',
    'auto-compaction-mode': 'periodic',
    'auto-compaction-retention': `${Math.round((options.historyMs ?? HISTORY_MS) / 1000)}s`,
    'quota-backend-bytes': String(8 * 1024 ** 3),
    // A member that comes back after it was cut off would else begin an election, for which all writes wait.
    'pre-vote': 'true',
    logger: 'zap',
    'log-level': 'warn',
    ...(options.forceNewCluster && isFirst ? { 'force-new-cluster': 'true' } : {}),
  }
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

function limitLog(path: string): void {
  if (sizeOf(path) > LOG_LIMIT_BYTES) renameSync(path, `${path}.old`)
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0
}

/** The end of what was logged since the file had `from` bytes. */
function wordsSince(path: string, from: number): string {
  return existsSync(path) ? readFileSync(path).subarray(from).toString('utf8').slice(-LOG_TAIL_CHARACTERS) : ''
}
