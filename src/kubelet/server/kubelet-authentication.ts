import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { TokenReview } from '#kinds/authentication/v1/token-review.ts'
import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'

/** Who asks the kubelet. */
export interface KubeletUser {
  readonly name: string
  readonly groups: readonly string[]
}

const ALLOWED_MS = 300_000
const REFUSED_MS = 30_000
const KNOWN_LIMIT = 1000
const MASTERS = 'system:masters'

/** Lets in who shows a certificate of the cluster or a token, and may do it on this node: the API server decides that, as for everything. */
export class KubeletAccess {
  readonly #client: Client
  readonly #clock: Clock
  readonly #nodeName: string
  readonly #known = new Map<string, { readonly allowed: boolean; readonly untilMs: number }>()

  constructor(options: { client: Client; clock: Clock; nodeName: string }) {
    this.#client = options.client
    this.#clock = options.clock
    this.#nodeName = options.nodeName
  }

  /** The user behind a request, or undefined if it shows nothing that is believed. */
  async userOf(request: IncomingMessage): Promise<KubeletUser | undefined> {
    const socket = request.socket as TLSSocket
    if (socket.authorized) {
      const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string; O?: string | string[] } }
      if (subject?.CN) return { name: subject.CN, groups: [subject.O ?? []].flat() }
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const review = await this.#client.create(TokenReview, { spec: { token } }).catch(() => undefined)
    const user = review?.status.user
    return review?.status.authenticated && user?.username ? { name: user.username, groups: user.groups ?? [] } : undefined
  }

  /** Whether the user may do this on the node: `nodes/proxy`, or a finer subresource. */
  async allows(user: KubeletUser, verb: string, subresource: string): Promise<boolean> {
    if (user.groups.includes(MASTERS)) return true
    const key = JSON.stringify([user.name, user.groups, verb, subresource])
    const known = this.#known.get(key)
    if (known && this.#clock.now() < known.untilMs) return known.allowed
    const allowed = await this.#ask(user, verb, subresource)
    if (this.#known.size >= KNOWN_LIMIT) this.#known.clear()
    this.#known.set(key, { allowed, untilMs: this.#clock.now() + (allowed ? ALLOWED_MS : REFUSED_MS) })
    return allowed
  }

  async #ask(user: KubeletUser, verb: string, subresource: string): Promise<boolean> {
    const resourceAttributes = { verb, version: 'v1', resource: 'nodes', subresource, name: this.#nodeName }
    const review = { spec: { user: user.name, groups: [...user.groups], resourceAttributes } }
    const answer = await this.#client.create(SubjectAccessReview, review).catch(() => undefined)
    return answer?.status.allowed ?? false
  }
}
