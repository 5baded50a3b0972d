import type { UserInfo } from '#client/direct/api-handler.ts'

/** What a request brings to prove who sends it. */
export interface Credentials {
  /** The value behind `Authorization: Bearer`. */
  readonly bearerToken?: string
  /** For whom the proof has to be made; default: for this server. TokenReviews may ask for others. */
  readonly audiences?: readonly string[]
  /** The client's certificate, verified by TLS against no one yet: DER, leaf first. */
  readonly certificate?: { readonly raw: Uint8Array; readonly issuers: readonly Uint8Array[] }
  /** All headers, lower-case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Names and values in turn, as they were sent: request-header (front proxy) authentication reads some. */
  readonly rawHeaders?: readonly string[]
}

/** Who sends a request, and for which audiences the proof was made (empty: not bound to any). */
export interface Authenticated {
  readonly user: UserInfo
  readonly audiences?: readonly string[]
  /** Milliseconds since the epoch until when the answer may be reused. */
  readonly expiresAt?: number
}

/**
 * One way to find out who sends a request. Resolves to undefined when it has nothing to say of these credentials; rejects when they are of
 * its kind and wrong, with a sentence for the log (the client is told no more than 401).
 */
export interface Authenticator {
  readonly name: string
  authenticate(credentials: Credentials): Promise<Authenticated | undefined>
  /** Whether other headers than `Authorization` tell it who sends this request: then nothing is concluded for the next one. */
  looksAt?(headers: Credentials['headers']): boolean
}
