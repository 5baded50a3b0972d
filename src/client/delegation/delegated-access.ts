import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#base/time/clock.ts'
import { TokenReview } from '#kinds/authentication/v1/token-review.ts'
import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import type { SubjectAccessReviewSpec } from '#kinds/authorization/v1/subject-access-review-spec.ts'
import type { Client } from '../client.ts'

/** Who calls a component. */
export interface Caller {
  readonly name: string
  readonly groups: readonly string[]
}

/** What a caller wants: one of the two. */
export type WantedAccess = Partial<Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>>

export interface DelegatedAccessOptions {
  /** Asks about tokens, and about permissions unless `permissions` does. */
  readonly client: Client
  readonly permissions?: Client
  readonly clock: Clock
  /** How long a yes counts, a no, and an answer about a token. */
  readonly allowedMs: number
  readonly refusedMs: number
  readonly tokenMs: number
}

/** Answers that are kept of each sort. */
const KNOWN_LIMIT = 1000
const MASTERS = 'system:masters'

/**
 * Who may call a component's own port: its server must ask for client certificates. Whoever shows a certificate of its authority is believed,
 * of tokens and permissions the API server knows: while it cannot be asked, no token is believed, and asking for a permission rejects.
 */
export class DelegatedAccess {
  readonly #options: DelegatedAccessOptions
  readonly #tokens: Answers<Caller | undefined>
  readonly #permissions: Answers<boolean>

  constructor(options: DelegatedAccessOptions) {
    this.#options = options
    this.#tokens = new Answers(options.clock)
    this.#permissions = new Answers(options.clock)
  }

  /** Who sent a request; undefined if it shows nothing that is believed. */
  async callerOf(request: IncomingMessage): Promise<Caller | undefined> {
    const socket = request.socket as TLSSocket
    if (socket.authorized) {
      const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string; O?: string | string[] } }
      if (subject?.CN) return { name: subject.CN, groups: [subject.O ?? [], 'system:authenticated'].flat() }
    }
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    return token === undefined ? undefined : this.#callerWith(token)
  }

  /** Whether the API server lets the caller do that; who is of `system:masters` may do everything. */
  async allows({ name, groups }: Caller, wanted: WantedAccess): Promise<boolean> {
    if (groups.includes(MASTERS)) return true
    const { client, permissions = client, allowedMs, refusedMs } = this.#options
    return this.#permissions.of(JSON.stringify([name, groups, wanted]), async () => {
      const review = await permissions.create(SubjectAccessReview, { spec: { user: name, groups: [...groups], ...wanted } })
      const isAllowed = review.status.allowed
      return { answer: isAllowed, forMs: isAllowed ? allowedMs : refusedMs }
    })
  }

  #callerWith(token: string): Promise<Caller | undefined> {
    const { client, tokenMs } = this.#options
    return this.#tokens
      .of(token, async () => {
        const { status } = await client.create(TokenReview, { spec: { token } })
        const { user } = status
        const caller = status.authenticated && user?.username ? { name: user.username, groups: user.groups ?? [] } : undefined
        return { answer: caller, forMs: tokenMs }
      })
      .catch(() => undefined)
  }
}

/** Answers that count for a while. A question that fails is asked again. */
class Answers<T> {
  readonly #clock: Clock
  readonly #known = new Map<string, { readonly answer: T; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async of(question: string, ask: () => Promise<{ readonly answer: T; readonly forMs: number }>): Promise<T> {
    const known = this.#known.get(question)
    if (known && this.#clock.monotonic() < known.untilMs) return known.answer
    const { answer, forMs } = await ask()
    if (this.#known.size >= KNOWN_LIMIT) this.#known.clear()
    this.#known.set(question, { answer, untilMs: this.#clock.monotonic() + forMs })
    return answer
  }
}
