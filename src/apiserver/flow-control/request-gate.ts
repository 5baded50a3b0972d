import type { UserInfo } from '#client/direct/api-handler.ts'
import type { RequestInfo } from '../http/request-info.ts'

/** A request that wants to be served. */
export interface Arrival {
  readonly user: UserInfo
  /** As authorization calls it: a watch is `watch`; of a path that is no resource it is the method in small letters. */
  readonly verb: string
  readonly info: RequestInfo
  /** How many seats it takes. */
  seats(): number
  /** Calls back when the client has gone. */
  onAbort(callback: () => void): void
}

/** A request that may be served. */
export interface Admitted {
  /** What the answer says of it. */
  readonly headers: Readonly<Record<string, string>>
  /** To be called once: when the request is done; for a watch, when it has begun. */
  leave(): void
}

/** Lets requests in, some later than others. */
export interface RequestGate {
  /** @throws TooManyRequests, or rejects with it */
  enter(arrival: Arrival): Admitted | Promise<Admitted>
}

/** The 429 of a server that has more to do than it can. */
export class TooManyRequests extends Error {
  override readonly name = 'TooManyRequests'
  readonly headers: Readonly<Record<string, string>>

  constructor(headers: Readonly<Record<string, string>> = {}) {
    super('Too many requests, please try again later.')
    this.headers = { 'retry-after': '1', ...headers }
  }
}
