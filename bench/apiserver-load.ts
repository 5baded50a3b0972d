/** The load of bench/apiserver.bench.ts and bench/loops.bench.ts: connections to a server in a process of its own, and rows of a table. */
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { h2load, hasH2load } from './h2load.ts'
import { LoadConnection } from './load-connection.ts'

const TICK_US = 10_000
/** As Go's client has it: an answer is not held up by the windows. */
const STREAM_WINDOW = 4 * 1024 * 1024
const CONNECTION_WINDOW = 1024 * 1024 * 1024

/** What stands beside the measured figures of a row. */
export interface Expected {
  readonly work: string
  readonly upstream: string
  readonly goal: string
}

/** What was measured of one kind of work. */
export interface Measured {
  readonly perSecond?: number
  readonly cpuUs?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
}

/** Connections to the server under test. */
export class Load {
  readonly #connections: readonly LoadConnection[]
  /** For streams, made once there is one. */
  #sessions: readonly ClientHttp2Session[] = []
  readonly #credentials: { readonly cert?: string; readonly key?: string }
  readonly #port: number
  readonly #pid: number
  readonly #authorization: Record<string, string>

  /** `credentials` are a client's certificate; without one it shows a token. */
  constructor(port: number, pid: number, connections: number, credentials: { readonly cert?: string; readonly key?: string } = {}) {
    this.#port = port
    this.#pid = pid
    this.#authorization = credentials.cert === undefined ? { authorization: 'Bearer token' } : {}
    this.#credentials = credentials
    this.#connections = Array.from({ length: connections }, () => new LoadConnection(port, credentials))
  }

  close(): void {
    for (const session of this.#sessions) session.close()
    for (const connection of this.#connections) connection.close()
  }

  /** One request on the n-th connection; the body of the answer is kept only if `keeps`. */
  async call(n: number, method: string, path: string, body?: object, more: Record<string, string> = {}, keeps = false): Promise<string> {
    const headers = { ...this.#authorization, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}), ...more }
    const request = { method, path, headers, body: body && JSON.stringify(body), keeps }
    const { status, text } = await this.#connections[n % this.#connections.length]!.request(request)
    if (status >= 300) throw new Error(`${method} ${path} was answered ${status}: ${text.slice(0, 300)}`)
    return text
  }

  /** A request whose answer goes on, by a client that is made for many of them on few connections. */
  stream(n: number, method: string, path: string, more: Record<string, string> = {}): ClientHttp2Stream {
    if (this.#sessions.length === 0) this.#sessions = this.#connections.map(() => this.#session())
    const session = this.#sessions[n % this.#sessions.length]!
    return session.request({ ':method': method, ':path': path, ...this.#authorization, accept: 'application/json', ...more })
  }

  /** Does `act` `count` times, by so many workers. */
  async measure(count: number, workers: number, act: (n: number) => Promise<unknown>): Promise<Measured> {
    let next = 0
    const timesMs: number[] = []
    const before = this.cpuUs()
    const start = performance.now()
    const worker = async () => {
      while (next < count) {
        const n = next++
        const begin = performance.now()
        await act(n)
        timesMs.push(performance.now() - begin)
      }
    }
    await Promise.all(Array.from({ length: workers }, worker))
    return { ...spread(timesMs), perSecond: count / ((performance.now() - start) / 1000), cpuUs: (this.cpuUs() - before) / count }
  }

  /** Gets `path` `count` times, by so many workers: by h2load, if it is there. */
  async gets(path: string, count: number, workers: number, more: Record<string, string> = {}): Promise<Measured> {
    if (!hasH2load) return this.measure(count, workers, n => this.call(n, 'GET', path, undefined, more))
    const before = this.cpuUs()
    const start = performance.now()
    const headers = { accept: 'application/json', ...this.#authorization, ...more }
    const timesMs = await h2load(`https://127.0.0.1:${this.#port}${path}`, count, workers, headers)
    return { ...spread(timesMs), perSecond: count / ((performance.now() - start) / 1000), cpuUs: (this.cpuUs() - before) / count }
  }

  /** Does `act` `count` times at a steady rate, whether or not those before are done. */
  async paced(count: number, perSecond: number, act: (n: number) => Promise<unknown>): Promise<Measured> {
    const timesMs: number[] = []
    const running: Promise<void>[] = []
    const before = this.cpuUs()
    const start = performance.now()
    for (let n = 0; n < count; n++) {
      const dueMs = start + (n / perSecond) * 1000
      if (dueMs > performance.now()) await new Promise(resolve => setTimeout(resolve, dueMs - performance.now()))
      // A timer may be up to a millisecond early; what is late has waited.
      const sinceMs = Math.min(dueMs, performance.now())
      running.push(act(n).then(() => void timesMs.push(performance.now() - sinceMs)))
    }
    await Promise.all(running)
    return { ...spread(timesMs), perSecond: count / ((performance.now() - start) / 1000), cpuUs: (this.cpuUs() - before) / count }
  }

  #session(): ClientHttp2Session {
    const session = connect(`https://127.0.0.1:${this.#port}`, {
      rejectUnauthorized: false,
      settings: { initialWindowSize: STREAM_WINDOW },
      ...this.#credentials,
    })
    session.on('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW))
    return session
  }

  /** User and system time of the server, or of another process, in microseconds. */
  cpuUs(pid = this.#pid): number {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_US
  }

  /** The most memory that the server had, in MB. */
  peakMemoryMb(): number {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))![1]) / 1024
  }

  /** Memory of the server, in MB; `all` with the pages of files that it has mapped. */
  memoryMb(what: 'all' | 'own' = 'all'): number {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8')
    return Number((what === 'all' ? /VmRSS:\s+(\d+)/ : /RssAnon:\s+(\d+)/).exec(status)![1]) / 1024
  }
}

export function printHead(): void {
  console.log('| work | per second | CPU each | p50 ms | p99 ms | upstream | to reach |\n| --- | --- | --- | --- | --- | --- | --- |')
}

export function printRow({ work, upstream, goal }: Expected, { perSecond, cpuUs, p50Ms, p99Ms }: Measured): void {
  const cpu = cpuUs === undefined ? '' : cpuUs >= 10_000 ? `${(cpuUs / 1000).toFixed(1)} ms` : `${cpuUs.toFixed(cpuUs < 100 ? 1 : 0)} µs`
  console.log(
    `| ${[work, perSecond?.toFixed(0) ?? '', cpu, p50Ms?.toFixed(1) ?? '', p99Ms?.toFixed(1) ?? '', upstream, goal].join(' | ')} |`,
  )
}

function spread(timesMs: number[]): Pick<Measured, 'p50Ms' | 'p99Ms'> {
  timesMs.sort((a, b) => a - b)
  const at = (share: number) => timesMs[Math.min(timesMs.length - 1, Math.floor(timesMs.length * share))]!
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}
