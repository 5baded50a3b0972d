import { createHash } from 'node:crypto'
import { Histogram, type Registry } from 'prom-client'
import type { Logger } from '#base/log/logger.ts'
import { SIGNING_ALGORITHMS } from '#base/pki/json-web-key-set.ts'
import { unverifiedClaims } from '#base/pki/json-web-token.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { Authenticator } from '../authenticator.ts'
import type { JwtAuthenticatorConfig } from './authentication-configuration.ts'
import { type Fetch, IssuerKeys } from './issuer-keys.ts'
import { JwtAuthenticator } from './jwt-authenticator.ts'

export interface JwtAuthenticatorsOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  readonly log: Logger
  readonly registry?: Registry
  /** How tokens may be signed; default: in every way that needs a key pair. */
  readonly algorithms?: readonly string[]
}

/** How long new issuers are waited for before they take the place of the old ones. */
const REPLACE_MS = 60_000

/** Knows users by the tokens of issuers outside of the cluster, which may be replaced while the server runs. */
export class JwtAuthenticators implements Authenticator {
  readonly name = 'jwt'
  readonly #options: JwtAuthenticatorsOptions
  readonly #latency: Histogram | undefined
  #byIssuer: ReadonlyMap<string, JwtAuthenticator> = new Map()

  /** Issuers are looked for from now on; tokens of those that were not found yet are refused. */
  constructor(configs: readonly JwtAuthenticatorConfig[], options: JwtAuthenticatorsOptions) {
    this.#options = options
    this.#latency = options.registry && latencyIn(options.registry)
    this.#byIssuer = this.#made(configs)
  }

  async authenticate({ bearerToken }: Parameters<Authenticator['authenticate']>[0]) {
    if (bearerToken === undefined || this.#byIssuer.size === 0) return undefined
    const named = unverifiedClaims(bearerToken)?.iss
    const issuer = named === 'accounts.google.com' ? 'https://accounts.google.com' : named
    const one = typeof issuer === 'string' ? this.#byIssuer.get(issuer) : undefined
    if (!one) return undefined
    const startMs = this.#options.clock.monotonic()
    const note = (result: 'success' | 'failure') =>
      this.#latency?.observe({ result, jwt_issuer_hash: hashOf(one.issuer) }, (this.#options.clock.monotonic() - startMs) / 1000)
    try {
      const found = await one.authenticate(bearerToken)
      note('success')
      return found
    } catch (error) {
      note('failure')
      throw error
    }
  }

  /** Takes other issuers. Rejects, and keeps the old ones, if one of the new ones is not found in a minute. */
  async replace(configs: readonly JwtAuthenticatorConfig[]): Promise<void> {
    const next = this.#made(configs)
    const over = new AbortController()
    try {
      const all = Promise.all([...next.values()].map(one => one.keys.ready()))
      const late = sleep(this.#options.clock, REPLACE_MS, over.signal).then(() => {
        throw new Error('an issuer of the new configuration was not found in a minute')
      })
      await Promise.race([all, late])
    } catch (error) {
      for (const one of next.values()) one.keys.stop()
      throw error
    } finally {
      over.abort(new Error('it is decided'))
    }
    const before = this.#byIssuer
    this.#byIssuer = next
    for (const one of before.values()) one.keys.stop()
  }

  stop(): void {
    for (const one of this.#byIssuer.values()) one.keys.stop()
    this.#byIssuer = new Map()
  }

  #made(configs: readonly JwtAuthenticatorConfig[]): Map<string, JwtAuthenticator> {
    const { fetch, clock, log, algorithms = SIGNING_ALGORITHMS } = this.#options
    return new Map(
      configs.map(config => {
        const { url = '', discoveryURL, certificateAuthority } = config.issuer
        const keys = new IssuerKeys({ issuer: url, discoveryUrl: discoveryURL, certificateAuthority, algorithms, fetch, clock, log })
        return [url, new JwtAuthenticator(config, keys, clock)]
      }),
    )
  }
}

function latencyIn(registry: Registry): Histogram {
  return new Histogram({
    name: 'apiserver_authentication_jwt_authenticator_latency_seconds',
    help: 'Seconds that it took to check a token, by its issuer.',
    labelNames: ['result', 'jwt_issuer_hash'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
    registers: [registry],
  })
}

function hashOf(issuer: string): string {
  return `sha256:${createHash('sha256').update(issuer).digest('hex')}`
}
