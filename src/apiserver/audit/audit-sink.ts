import type { AuditEvent } from './audit-event.ts'

/** A place that events go to. */
export interface AuditSink {
  /** As metrics name it: `log`, `webhook`. */
  readonly name: string
  /** Resolves once the events are kept; rejects if they are not. Takes events in the order of its calls. */
  process(events: readonly AuditEvent[]): Promise<void>
  /** Sends on what still waits, and ends. */
  stop(): Promise<void>
}
