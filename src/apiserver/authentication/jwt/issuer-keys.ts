import type { Logger } from '#base/log/logger.ts'
import { type KeySet, keySet } from '#base/pki/json-web-key-set.ts'
import type { Claims } from '#base/pki/json-web-token.ts'
import type { Clock, Timer } from '#base/time/clock.ts'

/** GETs a document; rejects if there is no answer. `ca`: whom to believe, PEM; undefined: whom the machine believes. */
export type Fetch = (url: string, ca: string | undefined) => Promise<{ readonly status: number; readonly body: string }>

export interface IssuerKeysOptions {
  readonly issuer: string
  /** Where the issuer describes itself, if not below its URL. */
  readonly discoveryUrl: string | undefined
  readonly certificateAuthority: string | undefined
  readonly algorithms: readonly string[]
  readonly fetch: Fetch
  readonly clock: Clock
  readonly log: Logger
}

const RETRY_MS = 10_000
/** Keys may be withdrawn: what was read so long ago is read again, while it still counts. */
const FRESH_MS = 600_000
/** A token of an unknown key has them read again, but not all the time: anybody can make such a token. */
const AGAIN_MS = 2_000

/** The keys of an issuer, found by OpenID discovery and kept; read again when a token is signed by a key that is not known. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  #keysUrl: string | undefined
  #keys: KeySet | undefined
  #readMs = 0
  #reading: Promise<void> | undefined
  #retry: Timer | undefined
  #isOver = false
  readonly #first: Promise<void>
  #known!: () => void

  constructor(options: IssuerKeysOptions) {
    this.#options = options
    this.#first = new Promise(resolve => {
      this.#known = resolve
    })
    this.#begin()
  }

  /** Resolves once the issuer has been found. It is looked for until then. */
  ready(): Promise<void> {
    return this.#first
  }

  /** The claims of a token that the issuer has signed. Rejects if it has not, or cannot be asked. */
  async verify(token: string): Promise<Claims> {
    if (!this.#keys) throw new Error('oidc: authenticator not initialized')
    const claims = await this.#keys.verify(token)
    const ageMs = this.#options.clock.monotonic() - this.#readMs
    if (claims) {
      if (ageMs > FRESH_MS) void this.#read().catch(error => this.#tell(error))
      return claims
    }
    if (ageMs >= AGAIN_MS || this.#reading) {
      await this.#read()
      const again = await this.#keys.verify(token)
      if (again) return again
    }
    throw new Error('oidc: verify token: failed to verify signature: failed to verify id token signature')
  }

  stop(): void {
    this.#isOver = true
    this.#retry?.cancel()
  }

  #begin(): void {
    this.#read().then(this.#known, (error: unknown) => {
      this.#tell(error)
      if (!this.#isOver) this.#retry = this.#options.clock.after(RETRY_MS, () => this.#begin())
    })
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNow(): Promise<void> {
    const { algorithms, clock } = this.#options
    this.#keysUrl ??= await this.#discover()
    const keys = keySet(await this.#document(this.#keysUrl), algorithms)
    this.#keys = keys
    this.#readMs = clock.monotonic()
  }

  async #discover(): Promise<string> {
    const { issuer, discoveryUrl } = this.#options
    const url = discoveryUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const { issuer: named, jwks_uri: keysUrl } = ((await this.#document(url)) ?? {}) as { issuer?: unknown; jwks_uri?: unknown }
    if (named !== issuer) {
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(issuer)} got ${JSON.stringify(named ?? '')}`,
      )
    }
    if (typeof keysUrl !== 'string' || !keysUrl.startsWith('https://')) {
      throw new Error(`oidc: ${url} names no key set at an https URL (jwks_uri)`)
    }
    return keysUrl
  }

  async #document(url: string): Promise<unknown> {
    const { status, body } = await this.#options.fetch(url, this.#options.certificateAuthority)
    if (status !== 200) throw new Error(`oidc: ${url} answered ${status}`)
    try {
      return JSON.parse(body) as unknown
    } catch (error) {
      throw new Error(`oidc: ${url} answered with something that is no JSON`, { cause: error })
    }
  }

  #tell(error: unknown): void {
    this.#options.log.warn('the keys of an issuer could not be read', {
      issuer: this.#options.issuer,
      error: error instanceof Error ? error.message : String(error),
    })
  }
}
