import type { Claims } from '#base/pki/json-web-token.ts'
import type { Clock } from '#base/time/clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import type { Authenticated } from '../authenticator.ts'
import type { JwtAuthenticatorConfig } from './authentication-configuration.ts'
import { type Compiled, claimsExpression, type Expression, textsOf, userExpression } from './claim-expressions.ts'
import type { IssuerKeys } from './issuer-keys.ts'

/** How far an issuer's clock may be ahead. */
const NOT_BEFORE_LEEWAY_SECONDS = 300

type ClaimsExpression = Expression<Readonly<Record<string, unknown>>>

/** Makes users of the tokens of one issuer, as a configuration says that was checked before. */
export class JwtAuthenticator {
  readonly #config: JwtAuthenticatorConfig
  readonly #clock: Clock
  readonly #expressions: ReturnType<typeof expressionsOf>
  readonly keys: IssuerKeys

  constructor(config: JwtAuthenticatorConfig, keys: IssuerKeys, clock: Clock) {
    this.#config = config
    this.#clock = clock
    this.#expressions = expressionsOf(config)
    this.keys = keys
  }

  get issuer(): string {
    return this.#config.issuer.url ?? ''
  }

  /** Whose token of this issuer it is. Rejects with what is wrong with it. */
  async authenticate(token: string): Promise<Authenticated> {
    const claims = await this.keys.verify(token)
    this.#checkTimes(claims)
    this.#checkAudience(claims)
    const user = this.#userOf(claims)
    this.#checkClaims(claims)
    this.#checkUser(user)
    return { user, expiresAt: claims.exp! * 1000 }
  }

  #checkTimes({ exp, nbf }: Claims): void {
    const seconds = this.#clock.now() / 1000
    if (typeof exp !== 'number' || seconds >= exp) throw new Error('oidc: verify token: oidc: token is expired')
    if (nbf !== undefined && (typeof nbf !== 'number' || seconds + NOT_BEFORE_LEEWAY_SECONDS < nbf)) {
      throw new Error('oidc: verify token: oidc: current time is before the nbf (not before) time')
    }
  }

  #checkAudience({ aud = [] }: Claims): void {
    const { audiences = [] } = this.#config.issuer
    const named = [aud].flat()
    if (!named.some(audience => audiences.includes(audience))) {
      throw new Error(`oidc: verify token: oidc: expected audience in ${JSON.stringify(audiences)} got ${JSON.stringify(named)}`)
    }
  }

  #userOf(claims: Claims): UserInfo {
    const { username, groups, uid, extra } = this.#expressions
    const mappings = this.#config.claimMappings
    const name = username ? textOf(username(claims), 'username') : nameIn(claims, mappings.username)
    const found = mappings.groups.claim ? groupsIn(claims, mappings.groups) : groups ? textsOf(groups(claims)) : []
    const id = mappings.uid.claim ? textIn(claims, mappings.uid.claim, 'uid') : uid ? textOf(uid(claims), 'uid') : ''
    const facts = extra.map(({ key, evaluate }) => [key, textsOf(evaluate(claims))] as const).filter(([, values]) => values.length > 0)
    return {
      name,
      ...(id === '' ? {} : { uid: id }),
      groups: found,
      ...(facts.length > 0 ? { extra: Object.fromEntries(facts) } : {}),
    }
  }

  #checkClaims(claims: Claims): void {
    for (const { claim, requiredValue = '' } of this.#config.claimValidationRules ?? []) {
      if (!claim) continue
      if (!Object.hasOwn(claims, claim)) throw new Error(`oidc: required claim ${claim} not present in ID token`)
      const value = claims[claim]
      if (value !== requiredValue) {
        throw new Error(`oidc: required claim ${claim} value does not match. Got = ${String(value)}, want = ${requiredValue}`)
      }
    }
    for (const { source, message, evaluate } of this.#expressions.claimRules) {
      if (evaluate(claims) !== true) {
        throw new Error(`oidc: error evaluating claim validation expression: validation expression '${source}' failed: ${message}`)
      }
    }
  }

  #checkUser(user: UserInfo): void {
    for (const { source, message, evaluate } of this.#expressions.userRules) {
      if (evaluate(user) !== true) {
        throw new Error(`oidc: error evaluating user info validation rule: validation expression '${source}' failed: ${message}`)
      }
    }
  }
}

function expressionsOf({ claimMappings, claimValidationRules = [], userValidationRules = [] }: JwtAuthenticatorConfig) {
  const { username, groups, uid, extra = [] } = claimMappings
  const mapping = (source: string | undefined): ClaimsExpression | undefined =>
    source ? evaluator(claimsExpression(source, 'any')) : undefined
  return {
    username: mapping(username.expression),
    groups: mapping(groups.expression),
    uid: mapping(uid.expression),
    extra: extra.map(({ key = '', valueExpression = '' }) => ({ key, evaluate: evaluator(claimsExpression(valueExpression, 'any')) })),
    claimRules: claimValidationRules
      .filter(({ expression }) => expression)
      .map(({ expression: source = '', message = '' }) => ({ source, message, evaluate: evaluator(claimsExpression(source, 'bool')) })),
    userRules: userValidationRules.map(({ expression: source = '', message = '' }) => ({
      source,
      message,
      evaluate: evaluator(userExpression(source)),
    })),
  }
}

function evaluator<T>(compiled: Compiled<T>): Expression<T> {
  if (compiled.problem !== undefined) throw new Error(compiled.problem)
  return compiled.evaluate
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  throw new Error(`oidc: error evaluating ${what} claim expression: ${what} claim expression must return a string`)
}

function textIn(claims: Claims, claim: string, what: string): string {
  if (!Object.hasOwn(claims, claim)) throw new Error(`oidc: parse ${what} claim ${JSON.stringify(claim)}: claim not present`)
  const value = claims[claim]
  if (typeof value !== 'string') throw new Error(`oidc: parse ${what} claim ${JSON.stringify(claim)}: it is no string`)
  return value
}

function nameIn(claims: Claims, { claim = '', prefix = '' }: JwtAuthenticatorConfig['claimMappings']['username']): string {
  const name = textIn(claims, claim, 'username')
  if (claim === 'email' && Object.hasOwn(claims, 'email_verified') && claims['email_verified'] !== true) {
    throw new Error('oidc: email not verified')
  }
  return `${prefix}${name}`
}

function groupsIn(claims: Claims, { claim = '', prefix = '' }: JwtAuthenticatorConfig['claimMappings']['groups']): string[] {
  if (!Object.hasOwn(claims, claim)) return []
  const values = [claims[claim]].flat()
  if (!values.every(value => typeof value === 'string')) {
    throw new Error(`oidc: parse groups claim ${JSON.stringify(claim)}: it is neither a string nor a list of strings`)
  }
  return values.map(group => `${prefix}${group}`)
}
