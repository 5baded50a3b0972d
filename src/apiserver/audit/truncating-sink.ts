import type { AuditEvent } from './audit-event.ts'
import type { AuditSink } from './audit-sink.ts'

const TRUNCATED = 'audit.k8s.io/truncated'

/** Cuts the bodies out of events beyond `maxEventBytes`, and divides batches beyond `maxBatchBytes`. What is still too large then is lost. */
export function truncatingSink(sink: AuditSink, limits: { readonly maxEventBytes: number; readonly maxBatchBytes: number }): AuditSink {
  const { maxEventBytes, maxBatchBytes } = limits
  return {
    ...sink,
    async process(events) {
      let batch: AuditEvent[] = []
      let batchBytes = 0
      let tooLarge = 0
      for (const event of events) {
        const fitting = truncated(event, maxEventBytes)
        const bytes = sizeOf(fitting)
        if (bytes > maxEventBytes) {
          tooLarge++
          continue
        }
        if (batch.length > 0 && batchBytes + bytes > maxBatchBytes) {
          await sink.process(batch)
          batch = []
          batchBytes = 0
        }
        batch.push(fitting)
        batchBytes += bytes
      }
      if (batch.length > 0) await sink.process(batch)
      if (tooLarge > 0) throw new Error(`${tooLarge} audit events are larger than ${maxEventBytes} bytes even without bodies`)
    },
  }
}

function truncated(event: AuditEvent, maxBytes: number): AuditEvent {
  if (sizeOf(event) <= maxBytes) return event
  const { requestObject: _, responseObject: __, ...rest } = event
  return { ...rest, annotations: { ...event.annotations, [TRUNCATED]: 'true' } }
}

function sizeOf(event: AuditEvent): number {
  return Buffer.byteLength(JSON.stringify(event))
}
