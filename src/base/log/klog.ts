import type { Clock } from '../time/clock.ts'
import type { LogFields, Logger } from './logger.ts'

export interface KlogOptions {
  /** Takes whole lines, each with its newline. */
  write(line: string): void
  readonly clock: Clock
  /** `verbose` lines are written from 4 on, as developers set it with `--v=4`. */
  readonly verbosity?: number
  readonly format?: 'text' | 'json'
  /** The process id, which text lines carry. */
  readonly pid?: number
}

const VERBOSE = 4

/** A logger that writes as upstream's components do: klog's text format, or one JSON object a line. Control characters never reach the output. */
export function klog(options: KlogOptions, fields: LogFields = {}): Logger {
  const { write, clock, verbosity = 2, format = 'text', pid = 0 } = options
  const line = (severity: Severity, message: string, own: LogFields | undefined) => {
    const all = own === undefined ? fields : { ...fields, ...own }
    write(format === 'json' ? jsonLine(clock.now(), severity, message, all) : textLine(clock.now(), severity, pid, message, all))
  }
  return {
    info: (message, own) => line('I', message, own),
    warn: (message, own) => line('W', message, own),
    error: (message, own) => line('E', message, own),
    verbose: (message, own) => {
      if (verbosity >= VERBOSE) line('I', message, own)
    },
    with: own => klog(options, { ...fields, ...own }),
  }
}

type Severity = 'I' | 'W' | 'E'

/** `I1120 21:42:01.123456    1234 scheduler: bound a pod pod="a/b"` */
function textLine(nowMs: number, severity: Severity, pid: number, message: string, fields: LogFields): string {
  const time = new Date(nowMs).toISOString()
  const stamp = `${severity}${time.slice(5, 7)}${time.slice(8, 10)} ${time.slice(11, 23)}000`
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(plain(value))}`)
  return `${stamp} ${String(pid).padStart(7)} ${JSON.stringify(message)}${rest.join('')}\n`
}

function jsonLine(nowMs: number, severity: Severity, message: string, fields: LogFields): string {
  const entries = Object.entries(fields).map(([name, value]) => [name, plain(value)])
  return `${JSON.stringify({ ts: nowMs, severity, msg: message, ...Object.fromEntries(entries) })}\n`
}

/** Errors say what they are about and what caused them; where they were made is for verbose logs and debuggers. */
function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return typeof value === 'bigint' ? String(value) : value
  const cause = value.cause instanceof Error ? `: ${String(plain(value.cause))}` : ''
  return `${value.message}${cause}`
}
