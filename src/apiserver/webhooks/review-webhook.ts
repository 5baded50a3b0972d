import { type Clock, sleep } from '#base/time/clock.ts'
import type { TlsOptions } from '#client/http/connection.ts'
import type { HttpClientOptions } from '#client/http/http-client.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { WebhookClient } from './webhook-client.ts'

/** A webhook that a kubeconfig names: where it is, whom the server believes, and how the server proves itself. */
export type ReviewTarget = Pick<HttpClientOptions, 'server' | 'tls' | 'token'>

/** Sends a review (TokenReview, SubjectAccessReview) and resolves to what comes back of it. */
export type AskReview = (review: object) => Promise<JsonObject>

const TIMEOUT_MS = 30_000
/** A passing trouble is waited for this often, longer each time. */
const ATTEMPTS = 5
const FIRST_PAUSE_MS = 500
const GROWTH = 1.5

/** How reviews are sent to a target, and again after a growing pause. Rejects with an Error that says why there is no answer. */
export function reviewWebhook(
  webhooks: WebhookClient,
  target: ReviewTarget,
  clock: Clock,
  timeoutMs = TIMEOUT_MS,
  firstPauseMs = FIRST_PAUSE_MS,
): AskReview {
  const ask = async (review: object) => {
    const { ca, certificate, key, serverName, insecureSkipVerify } = tlsOf(target)
    const token = typeof target.token === 'function' ? await target.token() : target.token
    return webhooks.post({ url: target.server }, review, {
      timeoutMs,
      tellsTimeout: false,
      serverName,
      ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}),
      trust: {
        ...(ca ? { ca } : {}),
        ...(certificate && key ? { certificate, privateKey: key } : {}),
        insecure: insecureSkipVerify ?? false,
      },
    })
  }
  return async review => {
    for (let attempt = 1, pauseMs = firstPauseMs; ; attempt++, pauseMs *= GROWTH) {
      try {
        const answer = await ask(review)
        if (!isJsonObject(answer)) throw new Error(`${target.server} answered with something that is no object`)
        return answer
      } catch (error) {
        if (attempt === ATTEMPTS || !isPassing(error)) throw error
        await sleep(clock, pauseMs)
      }
    }
  }
}

function tlsOf({ tls = {} }: ReviewTarget): TlsOptions {
  return typeof tls === 'function' ? tls() : tls
}

/** The server or the way to it was busy. */
function isPassing(error: unknown): boolean {
  if (error instanceof StatusError)
    return error.code === 429 || error.reason === 'InternalError' || error.details?.retryAfterSeconds !== undefined
  return error instanceof Error && error.message.endsWith(': EOF')
}
