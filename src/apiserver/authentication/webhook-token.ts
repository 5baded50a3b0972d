import type { Clock } from '#base/time/clock.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'
import type { AskReview } from '../webhooks/review-webhook.ts'
import type { Authenticated, Authenticator } from './authenticator.ts'
import type { Digest } from './token-cache.ts'

export interface WebhookTokenOptions {
  readonly ask: AskReview
  readonly clock: Clock
  readonly digest: Digest
  /** Of the TokenReview. */
  readonly version?: 'v1' | 'v1beta1'
  /** The audiences of this server: tokens are for them if the webhook does not say for whom they are. */
  readonly audiences: readonly string[]
  /** How long an answer counts (`--authentication-token-webhook-cache-ttl`), yes or no. */
  readonly keptMs: number
}

const KEPT_LIMIT = 10_000

/** Knows tokens by asking a webhook, with a TokenReview. What it said is remembered by the token's digest. */
export function webhookTokenAuthenticator(options: WebhookTokenOptions): Authenticator {
  const { ask, clock, digest, keptMs } = options
  const kept = new Map<string, { readonly answer: Promise<Authenticated | undefined>; readonly until: number }>()
  return {
    name: 'webhook token',
    authenticate({ bearerToken, audiences }) {
      if (bearerToken === undefined) return Promise.resolve(undefined)
      const wanted = audiences ?? options.audiences
      const key = `${digest(bearerToken)} ${JSON.stringify(wanted)}`
      const known = kept.get(key)
      if (known && clock.monotonic() < known.until) return known.answer
      const answer = askAbout(ask, bearerToken, wanted, options)
      if (kept.size >= KEPT_LIMIT) kept.clear()
      if (keptMs > 0) kept.set(key, { answer, until: clock.monotonic() + keptMs })
      // That the webhook could not be asked says nothing of the token.
      answer.catch(() => kept.delete(key))
      return answer
    },
  }
}

async function askAbout(
  ask: AskReview,
  token: string,
  wanted: readonly string[],
  { version = 'v1', audiences }: WebhookTokenOptions,
): Promise<Authenticated | undefined> {
  const spec = { token, ...(wanted.length > 0 ? { audiences: wanted } : {}) }
  const answer = await ask({ kind: 'TokenReview', apiVersion: `authentication.k8s.io/${version}`, metadata: {}, spec })
  const status = isJsonObject(answer['status']) ? answer['status'] : {}
  if (status['authenticated'] !== true) {
    if (status['error']) throw new Error(`the token webhook says: ${String(status['error'])}`)
    return undefined
  }
  const user = userOf(isJsonObject(status['user']) ? status['user'] : {})
  if (wanted.length === 0) return { user }
  const told = textsIn(status['audiences'])
  const shared = wanted.filter(audience => (told.length > 0 ? told : audiences).includes(audience))
  return shared.length > 0 ? { user, audiences: shared } : undefined
}

function userOf({ username, uid, groups, extra }: JsonObject): Authenticated['user'] {
  const known = isJsonObject(extra) ? Object.entries(extra).map(([key, values]) => [key, textsIn(values)] as const) : []
  return {
    name: typeof username === 'string' ? username : '',
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    groups: textsIn(groups),
    ...(known.length > 0 ? { extra: Object.fromEntries(known) } : {}),
  }
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}
