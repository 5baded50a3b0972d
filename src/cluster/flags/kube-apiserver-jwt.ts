import type { Registry } from 'prom-client'
import { validateAuthenticationConfiguration } from '#apiserver/authentication/jwt/authentication-configuration.rules.ts'
import { AuthenticationConfiguration, type JwtAuthenticatorConfig } from '#apiserver/authentication/jwt/authentication-configuration.ts'
import type { Fetch } from '#apiserver/authentication/jwt/issuer-keys.ts'
import { JwtAuthenticators } from '#apiserver/authentication/jwt/jwt-authenticators.ts'
import type { AnonymousAccess } from '#apiserver/http/identification.ts'
import { httpsClient } from '#apiserver/webhooks/https-client.ts'
import type { Logger } from '#base/log/logger.ts'
import { SIGNING_ALGORITHMS } from '#base/pki/json-web-key-set.ts'
import type { Clock } from '#base/time/clock.ts'
import { bodyOf } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { SetupError } from '../setup-error.ts'
import { type ConfigKind, readCheckedConfig } from './config-file.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeApiserver } from './kube-apiserver.ts'
import { namedFile } from './named-file.ts'
import { reloadedConfig } from './reloaded-config.ts'

type Flags = FlagValues<typeof kubeApiserver.sections>

interface Parts {
  readonly clock: Clock
  readonly log: Logger
  readonly registry: Registry
  /** Of this API server, for metrics. */
  readonly serverId: string
}

/** Whose JSON Web Tokens are believed, and who may come without proof. Dispose to stop following the file and the issuers. */
export interface JwtAuthentication extends Disposable {
  readonly authenticator: JwtAuthenticators | undefined
  readonly anonymous: AnonymousAccess
}

const FETCH_MS = 30_000
const CONFIGURATION: ConfigKind<AuthenticationConfiguration> = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  olderVersions: ['apiserver.config.k8s.io/v1beta1', 'apiserver.config.k8s.io/v1alpha1'],
  kind: 'AuthenticationConfiguration',
  schema: AuthenticationConfiguration,
}

/**
 * What `--authentication-config` or the older `--oidc-…` ask for. The file is read again when it changes: issuers count from then on, and who
 * may come without proof stays as it was at the start. Throws a ConfigFileError or a SetupError that names the file or flag.
 */
export function jwtAuthentication(flags: Flags, given: ReadonlySet<string>, parts: Parts): JwtAuthentication {
  const file = flags['authentication-config']
  const oidc = [...given].filter(flag => flag.startsWith('oidc-'))
  const text = namedFile('--authentication-config', file)
  if (text === undefined) {
    const authenticator = oidc.length > 0 ? fromFlags(flags, parts) : undefined
    return { authenticator, anonymous: flags['anonymous-auth'], [Symbol.dispose]: () => authenticator?.stop() }
  }
  if (oidc.length > 0) {
    throw new SetupError('authentication-config file and oidc-* flags are mutually exclusive', `move what --${oidc[0]} says into ${file}`)
  }
  const validate = (config: AuthenticationConfiguration, errors: FieldErrors) =>
    validateAuthenticationConfiguration(config, errors, flags['service-account-issuer'])
  const read = (content: string) => readCheckedConfig(CONFIGURATION, file, content, validate)
  const config = read(text)
  if (config.anonymous && given.has('anonymous-auth')) {
    throw new SetupError(
      '--anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
      `leave the flag out, or anonymous out of ${file}`,
    )
  }
  const authenticator = new JwtAuthenticators(config.jwt ?? [], { ...parts, fetch: fetcher(parts.clock) })
  const reloads = reloadedConfig({
    ...parts,
    file,
    text,
    what: 'authentication',
    apply: async content => authenticator.replace(read(content).jwt ?? []),
  })
  return {
    authenticator,
    anonymous: anonymousOf(config, flags['anonymous-auth']),
    [Symbol.dispose]() {
      reloads[Symbol.dispose]()
      authenticator.stop()
    },
  }
}

function anonymousOf({ anonymous }: AuthenticationConfiguration, byFlag: boolean): AnonymousAccess {
  if (!anonymous) return byFlag
  if (!anonymous.enabled) return false
  return anonymous.conditions?.length ? anonymous.conditions.map(({ path }) => path) : true
}

function fromFlags(flags: Flags, parts: Parts): JwtAuthenticators {
  const url = flags['oidc-issuer-url']
  const clientId = flags['oidc-client-id']
  if (url === '' || clientId === '') {
    throw new SetupError(
      'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set',
      'give both, or no --oidc-… at all',
    )
  }
  const algorithms = flags['oidc-signing-algs']
  const unknown = algorithms.find(algorithm => !(SIGNING_ALGORITHMS as readonly string[]).includes(algorithm))
  if (unknown !== undefined) {
    throw new SetupError(`--oidc-signing-algs: unsupported signing alg: ${JSON.stringify(unknown)}`, `use ${SIGNING_ALGORITHMS.join(', ')}`)
  }
  const config = configOfFlags(flags)
  const errors = new FieldErrors()
  validateAuthenticationConfiguration({ jwt: [config] }, errors, flags['service-account-issuer'])
  const [wrong] = errors.all
  if (wrong) throw new SetupError(`the --oidc-… flags say something that cannot be: ${wrong.field}: ${bodyOf(wrong)}`, 'correct the flag')
  return new JwtAuthenticators([config], { ...parts, algorithms, fetch: fetcher(parts.clock) })
}

function configOfFlags(flags: Flags): JwtAuthenticatorConfig {
  const url = flags['oidc-issuer-url']
  const claim = flags['oidc-username-claim']
  const given = flags['oidc-username-prefix']
  const groups = flags['oidc-groups-claim']
  const certificateAuthority = namedFile('--oidc-ca-file', flags['oidc-ca-file'])
  // Names but those that are addresses are told apart by their issuer; `-` says that they need not be.
  const prefix = given === '-' ? '' : given === '' && claim !== 'email' ? `${url}#` : given
  return {
    issuer: { url, audiences: [flags['oidc-client-id']], ...(certificateAuthority === undefined ? {} : { certificateAuthority }) },
    claimMappings: {
      username: { claim, prefix },
      groups: groups === '' ? {} : { claim: groups, prefix: flags['oidc-groups-prefix'] },
      uid: {},
    },
    claimValidationRules: Object.entries(flags['oidc-required-claim']).map(([name, value]) => ({ claim: name, requiredValue: value })),
  }
}

/** GETs documents of issuers. */
function fetcher(clock: Clock): Fetch {
  const client = httpsClient(clock)
  return async (url, ca) => {
    const { hostname, port, pathname, search } = new URL(url)
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const answer = await client.call({
      method: 'GET',
      host,
      port: Number(port || 443),
      path: `${pathname}${search}`,
      serverName: host,
      authority: new URL(url).host,
      ...(ca ? { tls: { ca } } : {}),
      timeoutMs: FETCH_MS,
    })
    return { status: answer.status, body: new TextDecoder().decode(answer.body) }
  }
}
