import { describe, expect, it } from 'vitest'
import { decode } from '#machinery/schema/decode.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateAuthenticationConfiguration } from './authentication-configuration.rules.ts'
import { AuthenticationConfiguration } from './authentication-configuration.ts'

const good = {
  issuer: { url: 'https://issuer.example.com', audiences: ['a'] },
  claimMappings: { username: { claim: 'sub', prefix: '' } },
}

function problems(config: object): string[] {
  const errors = new FieldErrors()
  const decoded = decode(AuthenticationConfiguration, config, { defaults: true, unknown: [] }) as AuthenticationConfiguration
  validateAuthenticationConfiguration(decoded, errors, ['https://kubernetes.default.svc'])
  return errors.all.map(({ field, detail }) => `${field}: ${detail}`)
}

const issuer = (more: object) => ({ jwt: [{ ...good, issuer: { ...good.issuer, ...more } }] })
const mappings = (more: object) => ({ jwt: [{ ...good, claimMappings: { ...good.claimMappings, ...more } }] })
const rules = (...claimValidationRules: object[]) => ({ jwt: [{ ...good, claimValidationRules }] })

describe('an AuthenticationConfiguration', () => {
  it('may have no issuer, or a good one', () => {
    expect(problems({})).toEqual([])
    expect(problems({ jwt: [good], anonymous: { enabled: true, conditions: [{ path: '/livez' }] } })).toEqual([])
  })

  it.each([
    [issuer({ url: '' }), 'jwt[0].issuer.url: '],
    [issuer({ url: 'http://x' }), 'jwt[0].issuer.url: URL scheme must be https'],
    [issuer({ url: 'https://u:p@x' }), 'jwt[0].issuer.url: URL must not contain a username or password'],
    [issuer({ url: 'https://x?a=b' }), 'jwt[0].issuer.url: URL must not contain a query'],
    [issuer({ url: 'https://x#a' }), 'jwt[0].issuer.url: URL must not contain a fragment'],
    [issuer({ url: 'https://kubernetes.default.svc' }), 'URL must not overlap with disallowed issuers: [https://kubernetes.default.svc]'],
    [issuer({ discoveryURL: 'https://issuer.example.com/' }), 'jwt[0].issuer.discoveryURL: discoveryURL must be different from URL'],
    [issuer({ audiences: [] }), 'jwt[0].issuer.audiences: at least one jwt[0].issuer.audiences is required'],
    [issuer({ audiences: ['a', 'a'], audienceMatchPolicy: 'MatchAny' }), 'jwt[0].issuer.audiences[1]: '],
    [issuer({ audiences: ['a', 'b'] }), 'audienceMatchPolicy must be MatchAny for multiple audiences'],
    [issuer({ audienceMatchPolicy: 'All' }), 'audienceMatchPolicy must be empty or MatchAny for single audience'],
    [
      issuer({ certificateAuthority: 'x' }),
      'jwt[0].issuer.certificateAuthority: data does not contain any valid RSA or ECDSA certificates',
    ],
    [issuer({ egressSelectorType: 'cluster' }), 'jwt[0].issuer.egressSelectorType: issuers are asked directly here: leave it out'],
    [{ jwt: [good, good] }, 'jwt[1].issuer.url: '],
    [{ anonymous: { enabled: false, conditions: [{ path: '/' }] } }, 'enabled should be set to true when conditions are defined'],
    [mappings({ username: {} }), 'jwt[0].claimMappings.username: claim or expression is required'],
    [mappings({ username: { claim: 'sub' } }), 'jwt[0].claimMappings.username.prefix: prefix is required when claim is set'],
    [mappings({ username: { claim: 'sub', expression: 'x', prefix: '' } }), "username: claim and expression can't both be set"],
    [mappings({ username: { expression: 'claims.' } }), 'jwt[0].claimMappings.username.expression: compilation failed: ERROR: <input>:1:8'],
    [mappings({ username: { expression: 'claims.email' } }), 'claims.email_verified must be used in claimMappings.username.expression'],
    [mappings({ uid: { claim: 'a', expression: 'b' } }), "jwt[0].claimMappings.uid: claim and expression can't both be set"],
    [mappings({ extra: [{ key: 'a', valueExpression: "'x'" }] }), 'extra[0].key: must be a domain-prefixed path'],
    [mappings({ extra: [{ key: 'a.org/B', valueExpression: "'x'" }] }), 'extra[0].key: must be lowercase'],
    [mappings({ extra: [{ key: 'x.k8s.io/b', valueExpression: "'x'" }] }), 'are reserved for Kubernetes use'],
    [mappings({ extra: [{ key: 'a.org/b' }] }), 'extra[0].valueExpression: '],
    [rules({}), 'jwt[0].claimValidationRules[0]: claim or expression is required'],
    [rules({ claim: 'a', message: 'm' }), 'claimValidationRules[0].message: may not be specified when claim is set'],
    [rules({ claim: 'a' }, { claim: 'a' }), 'claimValidationRules[1].claim: '],
    [rules({ expression: 'claims.a' }), 'claimValidationRules[0].expression: must evaluate to bool'],
    [rules({ expression: 'true', requiredValue: 'x' }), 'requiredValue: may not be specified when expression is set'],
    [
      { jwt: [{ ...good, userValidationRules: [{ expression: 'user.nobody == 1' }] }] },
      'userValidationRules[0].expression: compilation failed',
    ],
    [{ jwt: [{ ...good, userValidationRules: [{}] }] }, 'userValidationRules[0].expression: '],
  ])('%j is refused', (config, problem) => {
    expect(problems(config)).toContainEqual(expect.stringContaining(problem))
  })

  it('may use an address that is checked to be verified', () => {
    const username = { expression: 'claims.email' }
    expect(
      problems({
        jwt: [
          { ...good, claimMappings: { username }, claimValidationRules: [{ expression: 'claims.?email_verified.orValue(true) == true' }] },
        ],
      }),
    ).toEqual([])
    expect(problems(mappings({ username: { expression: "claims.email_verified == true ? claims.email : ''" } }))).toEqual([])
  })
})
