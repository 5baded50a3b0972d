import { Counter, type Registry } from 'prom-client'
import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { internalError } from '#machinery/status/failures.ts'
import type { Attributes } from '../authorization/authorizer.ts'
import type { Exchange } from '../http/exchange.ts'
import type { AuditEvent } from './audit-event.ts'
import type { AuditPolicy } from './audit-policy.ts'
import { AuditRecord } from './audit-record.ts'
import type { AuditSink } from './audit-sink.ts'
import { policyEvaluator } from './policy-evaluator.ts'

/**
 * Whether a request waits for its events: `batch` does not; `blocking` waits until the one that it was received is kept; with
 * `blocking-strict` a request whose event cannot be kept is refused.
 */
export type AuditMode = 'batch' | 'blocking' | 'blocking-strict'

export interface AuditOptions {
  readonly policy: AuditPolicy
  readonly sinks: readonly { readonly sink: AuditSink; readonly mode: AuditMode }[]
  readonly clock: Clock
  readonly log: Logger
  readonly registry?: Registry
}

/** A request as the audit sees it. */
export interface AuditedRequest {
  readonly exchange: Exchange
  readonly auditId: string
  /** Undefined: it is not known who asks. */
  readonly user: UserInfo | undefined
  readonly attributes: Attributes
  readonly receivedMs: number
}

const NOBODY: UserInfo = { name: '', groups: [] }

/** Records who asked for what, as a policy says, in one or two places. */
export class Audit {
  readonly #options: AuditOptions
  readonly #evaluate: ReturnType<typeof policyEvaluator>
  readonly #counters: ReturnType<typeof countersIn>

  constructor(options: AuditOptions) {
    this.#options = options
    this.#evaluate = policyEvaluator(options.policy)
    this.#counters = countersIn(options.registry)
  }

  /** The record of a request; undefined if nothing of it is recorded. */
  recordOf({ exchange, auditId, user, attributes, receivedMs }: AuditedRequest): AuditRecord | undefined {
    const asked = user ? attributes : { ...attributes, user: NOBODY }
    const decision = this.#evaluate(asked)
    this.#counters?.levels.inc({ level: decision.level })
    if (decision.level === 'None') return undefined
    return new AuditRecord({
      decision,
      auditId,
      exchange,
      attributes: asked,
      isKnown: user !== undefined,
      receivedMs,
      now: () => this.#options.clock.now(),
      emit: event => this.#emit(event),
    })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#options.sinks.map(({ sink }) => sink.stop()))
  }

  #emit(event: AuditEvent): Promise<void> | undefined {
    this.#counters?.events.inc()
    const waiting = this.#options.sinks.flatMap(({ sink, mode }) => {
      const kept = sink.process([event]).catch((error: unknown) => {
        this.#counters?.errors.inc({ plugin: sink.name })
        this.#options.log.error('an audit event was lost', { sink: sink.name, auditID: event.auditID, error: textOf(error) })
        if (mode !== 'blocking-strict' || event.stage !== 'RequestReceived') return
        this.#counters?.rejected.inc()
        throw internalError(new Error('failed to store audit event'))
      })
      return mode === 'batch' || event.stage !== 'RequestReceived' ? [] : [kept]
    })
    return waiting.length > 0 ? Promise.all(waiting).then(() => undefined) : undefined
  }
}

function countersIn(registry: Registry | undefined) {
  if (!registry) return undefined
  const registers = [registry]
  return {
    events: new Counter({ name: 'apiserver_audit_event_total', help: 'Audit events that were made.', registers }),
    errors: new Counter({ name: 'apiserver_audit_error_total', help: 'Audit events that were lost.', labelNames: ['plugin'], registers }),
    levels: new Counter({ name: 'apiserver_audit_level_total', help: 'Requests by their level.', labelNames: ['level'], registers }),
    rejected: new Counter({
      name: 'apiserver_audit_requests_rejected_total',
      help: 'Requests refused since their event could not be kept.',
      registers,
    }),
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
