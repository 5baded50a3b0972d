import { type AuditEvent, legacyLine } from './audit-event.ts'
import type { AuditSink } from './audit-sink.ts'

/** Lines are added to it. */
export interface LineFile {
  /** Resolves once the text is in the file. */
  append(text: string): Promise<void>
  close(): Promise<void>
}

/** Events as lines of a file, JSON or upstream's legacy form (`--audit-log-path`, `--audit-log-format`). */
export function logSink(file: LineFile, format: 'json' | 'legacy' = 'json'): AuditSink {
  const lineOf = format === 'json' ? (event: AuditEvent) => JSON.stringify(event) : legacyLine
  return {
    name: 'log',
    process: events => file.append(events.map(event => `${lineOf(event)}\n`).join('')),
    stop: () => file.close(),
  }
}
