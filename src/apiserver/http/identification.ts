import type { Clock } from '#base/time/clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { unauthorized } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { Authenticator } from '../authentication/authenticator.ts'
import { ANONYMOUS } from '../authentication/authenticator-chain.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** Who may come without saying who they are, as `system:anonymous`: nobody, everybody, or whoever asks for one of some paths. */
export type AnonymousAccess = boolean | readonly string[]

export interface IdentificationOptions {
  readonly authenticator: Authenticator
  readonly anonymous: AnonymousAccess
  readonly clock: Clock
}

/** Finds out who sends a request; remembers it on the connection, since most of a connection's requests bring the same proof. */
export class Identification {
  readonly #authenticator: Authenticator
  readonly #anonymous: AnonymousAccess
  readonly #clock: Clock

  constructor({ authenticator, anonymous, clock }: IdentificationOptions) {
    this.#authenticator = authenticator
    this.#anonymous = anonymous
    this.#clock = clock
  }

  /** The sender of a request for `path` (unescaped). Rejects with 401. */
  identify(exchange: Exchange, path: string): UserInfo | Promise<UserInfo> {
    const proof = headerOf(exchange, 'authorization') ?? headerOf(exchange, 'sec-websocket-protocol') ?? ''
    const known = exchange.connection.memory.get(this) as Remembered | undefined
    if (known && known.proof === proof && known.until > this.#clock.monotonic() && !this.#authenticator.looksAt?.(exchange.headers)) {
      return known.user
    }
    return this.#ask(exchange, proof, path)
  }

  async #ask(exchange: Exchange, proof: string, path: string): Promise<UserInfo> {
    const { connection, headers, rawHeaders } = exchange
    const bearerToken = bearerTokenOf(exchange)
    const { certificate } = connection
    const found = await this.#authenticator
      .authenticate({
        headers,
        rawHeaders,
        ...(bearerToken === undefined ? {} : { bearerToken }),
        ...(certificate ? { certificate } : {}),
      })
      .catch((error: unknown) => {
        throw new StatusError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized', cause: error })
      })
    if (!found) {
      if (bearerToken !== undefined || !this.#lets(path)) throw unauthorized('Unauthorized')
      return ANONYMOUS
    }
    connection.trust()
    if (!this.#authenticator.looksAt?.(headers)) {
      const lastsMs = Math.min(REMEMBERED_MS, (found.expiresAt ?? Number.POSITIVE_INFINITY) - this.#clock.now())
      connection.memory.set(this, { proof, user: found.user, until: this.#clock.monotonic() + lastsMs })
    }
    return found.user
  }

  #lets(path: string): boolean {
    return typeof this.#anonymous === 'boolean' ? this.#anonymous : this.#anonymous.includes(path)
  }
}

interface Remembered {
  readonly proof: string
  readonly user: UserInfo
  readonly until: number
}

const REMEMBERED_MS = 2000

/** A browser cannot set `Authorization` on a WebSocket: its token is one of the protocols it names. */
const WEBSOCKET_TOKEN = /^base64url\.bearer\.authorization\.k8s\.io\.([\w-]+)$/

function bearerTokenOf(exchange: Exchange): string | undefined {
  const token = /^bearer\s+(\S+)\s*$/i.exec(headerOf(exchange, 'authorization') ?? '')?.[1]
  if (token !== undefined || !exchange.upgrade) return token
  const protocols = (headerOf(exchange, 'sec-websocket-protocol') ?? '').split(',').map(protocol => protocol.trim())
  const encoded = protocols.map(protocol => WEBSOCKET_TOKEN.exec(protocol)?.[1]).find(Boolean)
  // Beside the token there has to be a protocol that the server can choose: it must never answer with the token.
  return encoded !== undefined && protocols.length > 1 ? Buffer.from(encoded, 'base64url').toString('utf8') : undefined
}
