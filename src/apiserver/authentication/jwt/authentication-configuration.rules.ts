import { certificatesOf } from '#base/pki/client-certificate.ts'
import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { AuthenticationConfiguration, JwtAuthenticatorConfig } from './authentication-configuration.ts'
import { claimsExpression, readsClaim, userExpression } from './claim-expressions.ts'

const MAX_ISSUERS = 64

/** Reports what a configuration cannot mean, in upstream's words. `disallowed`: issuers that are believed in another way, as the server itself. */
export function validateAuthenticationConfiguration(
  { jwt = [], anonymous }: AuthenticationConfiguration,
  errors: FieldErrors,
  disallowed: readonly string[] = [],
): void {
  const at = errors.at('jwt')
  if (jwt.length > MAX_ISSUERS) {
    at.tooMany(jwt.length, MAX_ISSUERS)
    return
  }
  const issuers = new Set<string>()
  const discoveries = new Set<string>()
  jwt.forEach((one, index) => {
    validateJwt(one, at.index(index), disallowed)
    const { url = '', discoveryURL = '' } = one.issuer
    const issuer = at.index(index).at('issuer')
    if (issuers.has(url)) issuer.at('url').duplicate(url)
    issuers.add(url)
    if (discoveryURL !== '' && discoveries.has(discoveryURL)) issuer.at('discoveryURL').duplicate(discoveryURL)
    discoveries.add(discoveryURL)
  })
  if (anonymous && !anonymous.enabled && anonymous.conditions?.length) {
    errors.at('anonymous').at('conditions').invalid(anonymous.conditions, 'enabled should be set to true when conditions are defined')
  }
}

function validateJwt(config: JwtAuthenticatorConfig, errors: FieldErrors, disallowed: readonly string[]): void {
  validateIssuer(config.issuer, errors.at('issuer'), disallowed)
  validateClaimRules(config, errors.at('claimValidationRules'))
  validateMappings(config, errors.at('claimMappings'))
  validateUserRules(config, errors.at('userValidationRules'))
}

function validateIssuer(issuer: JwtAuthenticatorConfig['issuer'], errors: FieldErrors, disallowed: readonly string[]): void {
  const {
    url = '',
    discoveryURL = '',
    audiences = [],
    audienceMatchPolicy = '',
    certificateAuthority = '',
    egressSelectorType = '',
  } = issuer
  if (url === '') errors.at('url').required()
  else validateUrl(url, errors.at('url'), disallowed)
  if (discoveryURL !== '') {
    if (url !== '' && url.replace(/\/+$/, '') === discoveryURL.replace(/\/+$/, '')) {
      errors.at('discoveryURL').invalid(discoveryURL, 'discoveryURL must be different from URL')
    }
    validateUrl(discoveryURL, errors.at('discoveryURL'), [])
  }
  const at = errors.at('audiences')
  if (audiences.length === 0) at.required(`at least one ${at.path} is required`)
  audiences.forEach((audience, index) => {
    if (audience === '') at.index(index).required()
    if (audiences.indexOf(audience) < index) at.index(index).duplicate(audience)
  })
  const policy = errors.at('audienceMatchPolicy')
  if (audiences.length > 1 && audienceMatchPolicy !== 'MatchAny') {
    policy.invalid(audienceMatchPolicy, 'audienceMatchPolicy must be MatchAny for multiple audiences')
  }
  if (audiences.length === 1 && audienceMatchPolicy !== '' && audienceMatchPolicy !== 'MatchAny') {
    policy.invalid(audienceMatchPolicy, 'audienceMatchPolicy must be empty or MatchAny for single audience')
  }
  if (certificateAuthority !== '' && !isBundle(certificateAuthority)) {
    errors.at('certificateAuthority').invalid('<omitted>', 'data does not contain any valid RSA or ECDSA certificates')
  }
  // Upstream takes the names of its proxies here. There are none: every issuer is asked directly.
  if (egressSelectorType !== '')
    errors.at('egressSelectorType').invalid(egressSelectorType, 'issuers are asked directly here: leave it out')
}

function isBundle(text: string): boolean {
  try {
    return certificatesOf(text).length > 0
  } catch {
    return false
  }
}

function validateUrl(text: string, errors: FieldErrors, disallowed: readonly string[]): void {
  if (disallowed.includes(text)) {
    errors.invalid(text, `URL must not overlap with disallowed issuers: [${[...disallowed].sort().join(' ')}]`)
  }
  if (!URL.canParse(text)) {
    errors.invalid(text, 'it is no URL')
    return
  }
  const { protocol, username, password, search, hash } = new URL(text)
  if (protocol !== 'https:') errors.invalid(text, 'URL scheme must be https')
  if (username !== '' || password !== '') errors.invalid(text, 'URL must not contain a username or password')
  if (search !== '') errors.invalid(text, 'URL must not contain a query')
  if (hash !== '') errors.invalid(text, 'URL must not contain a fragment')
}

function validateClaimRules({ claimValidationRules = [] }: JwtAuthenticatorConfig, errors: FieldErrors): void {
  const claims = new Set<string>()
  const expressions = new Set<string>()
  for (const [index, { claim = '', expression = '', message = '', requiredValue = '' }] of claimValidationRules.entries()) {
    const at = errors.index(index)
    if (claim !== '' && expression !== '') {
      at.invalid(claim, "claim and expression can't both be set")
      continue
    }
    if (claim === '' && expression === '') {
      at.required('claim or expression is required')
      continue
    }
    if (claim !== '') {
      if (message !== '') at.at('message').invalid(message, 'may not be specified when claim is set')
      if (claims.has(claim)) at.at('claim').duplicate(claim)
      claims.add(claim)
      continue
    }
    if (requiredValue !== '') at.at('requiredValue').invalid(requiredValue, 'may not be specified when expression is set')
    if (expressions.has(expression)) {
      at.at('expression').duplicate(expression)
      continue
    }
    expressions.add(expression)
    validateExpression(expression, at.at('expression'), source => claimsExpression(source, 'bool'))
  }
}

function validateMappings(config: JwtAuthenticatorConfig, errors: FieldErrors): void {
  const { username, groups, uid, extra = [] } = config.claimMappings
  validatePrefixed(username, errors.at('username'), true)
  validatePrefixed(groups, errors.at('groups'), false)
  if (uid.claim && uid.expression) errors.at('uid').invalid('', "claim and expression can't both be set")
  else if (uid.expression) validateExpression(uid.expression, errors.at('uid').at('expression'), source => claimsExpression(source, 'any'))
  const keys = new Set<string>()
  for (const [index, { key = '', valueExpression = '' }] of extra.entries()) {
    const at = errors.at('extra').index(index)
    validateExtraKey(key, at.at('key'))
    if (keys.has(key)) {
      at.at('key').duplicate(key)
      continue
    }
    keys.add(key)
    if (valueExpression === '') {
      at.at('valueExpression').required()
      continue
    }
    validateExpression(valueExpression, at.at('valueExpression'), source => claimsExpression(source, 'any'))
  }
  validateEmail(config, errors)
}

/** An address that the issuer has not verified is anybody's to claim. */
function validateEmail(
  { claimMappings: { username, extra = [] }, claimValidationRules = [] }: JwtAuthenticatorConfig,
  errors: FieldErrors,
) {
  const name = username.expression ?? ''
  if (name === '' || !readsClaim(name, 'email')) return
  const others = [...extra.map(({ valueExpression }) => valueExpression), ...claimValidationRules.map(({ expression }) => expression)]
  if ([name, ...others].some(source => source && readsClaim(source, 'email_verified'))) return
  errors
    .at('username')
    .at('expression')
    .invalid(
      name,
      'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
    )
}

function validatePrefixed(
  { claim = '', prefix, expression = '' }: JwtAuthenticatorConfig['claimMappings']['username'],
  errors: FieldErrors,
  isRequired: boolean,
): void {
  if (expression !== '' && claim !== '') errors.invalid('', "claim and expression can't both be set")
  else if (expression !== '') {
    if (prefix !== undefined) errors.at('prefix').invalid(prefix, 'may not be specified when expression is set')
    validateExpression(expression, errors.at('expression'), source => claimsExpression(source, 'any'))
  } else if (claim === '') {
    if (isRequired) errors.required('claim or expression is required')
  } else if (prefix === undefined) {
    errors.at('prefix').required('prefix is required when claim is set. It can be set to an empty string to disable prefixing')
  }
}

function validateExtraKey(key: string, errors: FieldErrors): void {
  if (key === '') {
    errors.required()
    return
  }
  const slash = key.indexOf('/')
  const domain = key.slice(0, Math.max(0, slash))
  if (slash <= 0 || slash === key.length - 1) errors.invalid(key, 'must be a domain-prefixed path (such as "acme.io/foo")')
  else errors.invalidEach(domain, isDNS1123Subdomain(domain))
  if (key !== key.toLowerCase()) errors.invalid(key, 'must be lowercase')
  if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain)) {
    errors.invalid(key, 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use')
  }
}

function validateUserRules({ userValidationRules = [] }: JwtAuthenticatorConfig, errors: FieldErrors): void {
  const seen = new Set<string>()
  for (const [index, { expression = '' }] of userValidationRules.entries()) {
    const at = errors.index(index).at('expression')
    if (expression === '') {
      at.required()
      continue
    }
    if (seen.has(expression)) {
      at.duplicate(expression)
      continue
    }
    seen.add(expression)
    validateExpression(expression, at, userExpression)
  }
}

function validateExpression(
  source: string,
  errors: FieldErrors,
  compile: (source: string) => { readonly problem?: string | undefined },
): void {
  const { problem } = compile(source)
  if (problem !== undefined) errors.invalid(source, problem)
}
