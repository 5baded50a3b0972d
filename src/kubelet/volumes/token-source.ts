import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { epochMs } from '#machinery/time/time.ts'
import { namespaceOf, podNameOf, uidOf } from '../pods/pod-names.ts'
import { type TokenSource, VolumeError } from './volume-plugin.ts'

interface Known {
  readonly token: string
  readonly expiresAtMs: number
  readonly renewAtMs: number
}

/** Asks the API for tokens, and again once four fifths of a token's life are over. */
export class ApiTokenSource implements TokenSource {
  readonly #client: Client
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  async request(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<{ token: string; expiresAtMs: number }> {
    const account = pod.spec.serviceAccountName || 'default'
    const key = [uidOf(pod), account, audience ?? '', expirationSeconds].join('|')
    const known = this.#known.get(key)
    const now = this.#clock.now()
    if (known && now < known.renewAtMs) return known
    try {
      const fresh = await this.#fetch(pod, account, audience, expirationSeconds, now)
      this.#forgetExpired(now)
      this.#known.set(key, fresh)
      return fresh
    } catch (error) {
      if (known && now < known.expiresAtMs) return known
      throw new VolumeError(`failed to fetch token: ${(error as Error).message}`, { cause: error })
    }
  }

  async #fetch(pod: Pod, account: string, audience: string | undefined, expirationSeconds: number, now: number): Promise<Known> {
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: podNameOf(pod), uid: uidOf(pod) },
      },
    }
    const name = { namespace: namespaceOf(pod), name: account }
    const answer = await this.#client.subresource(ServiceAccount, name, { subresource: 'token', verb: 'create', body })
    const { token = '', expirationTimestamp } = (answer as { status?: { token?: string; expirationTimestamp?: string } }).status ?? {}
    if (token === '') throw new Error('the answer holds no token')
    const expiresAtMs = expirationTimestamp ? epochMs(expirationTimestamp) : now + expirationSeconds * 1000
    return { token, expiresAtMs, renewAtMs: now + 0.8 * (expiresAtMs - now) }
  }

  #forgetExpired(now: number): void {
    for (const [key, { expiresAtMs }] of this.#known) if (expiresAtMs < now) this.#known.delete(key)
  }
}
