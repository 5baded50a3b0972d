import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { badRequest, internalError } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { type Status, StatusError } from '#machinery/status/status-error.ts'
import { hostPortOf, type WebhookAddress, type WebhookCallOptions, type WebhookClient } from '../../webhooks/webhook-client.ts'
import { type WebhookUsers, webhookUserFor } from '../../webhooks/webhook-users.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { Hook } from './hooks.ts'
import { admissionReview, type Verdict, verdictOf } from './review.ts'
import type { Reviewed } from './reviewed.ts'
import type { WebhookMetrics } from './webhook-metrics.ts'

/** What both kinds of webhooks are asked with. */
export interface Asking {
  readonly webhooks: WebhookClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: WebhookMetrics
  /** Who the server is to webhooks; absent: it does not say. */
  readonly users?: WebhookUsers | undefined
}

/** A request that a webhook matches, in the version of `kind`. */
export interface Question {
  readonly type: 'admit' | 'validating'
  readonly hook: Hook
  readonly request: AdmissionRequest
  readonly kind: AnyKind
  readonly shown: Reviewed
}

/** There is no answer of the webhook that can be used: its failure policy decides. */
export class CallFailure extends Error {
  readonly code: number
  constructor(name: string, why: string, cause?: unknown) {
    super(`failed calling webhook ${quote(name)}: ${why}`, { cause })
    this.code = cause instanceof StatusError ? cause.code : 503
  }
}

/**
 * Asks a webhook and lets `use` act on what it says if it allows the request. Resolves to undefined where it cannot be asked and that is to
 * be ignored (`failurePolicy: Ignore`); rejects with the StatusError for the client where it says no, cannot be asked, or `use` throws.
 */
export async function askWebhook<T>(asking: Asking, question: Question, use: (verdict: Verdict) => T | Promise<T>): Promise<T | undefined> {
  const { clock, metrics, log } = asking
  const { webhook } = question.hook
  const { operation } = question.request
  const start = clock.monotonic()
  const observe = (rejected: boolean, code: number) => {
    metrics.observe({ name: webhook.name, type: question.type, operation, rejected, code }, (clock.monotonic() - start) / 1000)
  }
  const refuse = (errorType: RejectionCause, code: number) => {
    metrics.countRejection({ name: webhook.name, type: question.type, operation, error_type: errorType, rejection_code: String(code) })
    observe(true, code)
  }
  try {
    const verdict = await verdictFor(asking, question)
    if (!verdict.allowed) throw new Denial(deniedBy(webhook.name, verdict.status))
    const used = await use(verdict)
    observe(false, 200)
    return used
  } catch (error) {
    if (error instanceof Denial) {
      refuse('no_error', error.status.code)
      throw error.status
    }
    if (!(error instanceof CallFailure)) {
      refuse('apiserver_internal_error', 0)
      throw error
    }
    if (webhook.failurePolicy === 'Ignore') {
      observe(false, error.code)
      metrics.countFailOpen({ name: webhook.name, type: question.type })
      log.warn('a webhook could not be asked and is passed over', { webhook: webhook.name, reason: error.message })
      return undefined
    }
    refuse('calling_webhook_error', error.code)
    throw internalError(error)
  }
}

type RejectionCause = 'no_error' | 'calling_webhook_error' | 'apiserver_internal_error'

class Denial extends Error {
  readonly status: StatusError
  constructor(status: StatusError) {
    super(status.message)
    this.status = status
  }
}

async function verdictFor(
  { webhooks, random, users }: Asking,
  { type, hook: { webhook }, request, kind, shown }: Question,
): Promise<Verdict> {
  const { name, sideEffects, admissionReviewVersions: versions, timeoutSeconds } = webhook
  if (request.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${quote(name)} does not support dry run`)
  }
  const uid = random.uuid()
  let review: object
  try {
    review = admissionReview(request, { kind, shown, versions, uid })
  } catch (error) {
    throw new CallFailure(name, `could not create admission objects: ${(error as Error).message}`, error)
  }
  let answer: unknown
  try {
    const proof = users && (await proofFor(users, webhook.clientConfig))
    answer = await webhooks.post(webhook.clientConfig, review, { timeoutMs: timeoutSeconds * 1000, ...proof })
  } catch (error) {
    throw new CallFailure(name, `failed to call webhook: ${(error as Error).message}`, error)
  }
  try {
    const verdict = verdictOf(answer, review, uid, type === 'admit')
    for (const [key, value] of Object.entries(verdict.annotations)) request.annotate?.(`${name}/${key}`, String(value))
    for (const text of verdict.warnings) request.warn(text)
    return verdict
  } catch (error) {
    throw new CallFailure(name, `received invalid webhook response: ${(error as Error).message}`, error)
  }
}

/** The refusal as the webhook worded it, with its name; always a failure, whatever it says. */
function deniedBy(name: string, status: Partial<Status> = {}): StatusError {
  const why = status.message || status.reason
  const message = `admission webhook ${quote(name)} denied the request${why ? `: ${why}` : ' without explanation'}`
  const code = status.code !== undefined && status.code >= 400 ? status.code : 400
  return new StatusError({ code, reason: (status.reason ?? '') as StatusError['reason'], message, details: status.details })
}

async function proofFor(users: WebhookUsers, address: WebhookAddress): Promise<Pick<WebhookCallOptions, 'headers' | 'credential'>> {
  const user = webhookUserFor(users, hostPortOf(address))
  const authorization = await user?.authorization?.()
  return { ...(authorization ? { headers: { authorization } } : {}), credential: user?.certificate?.() }
}
