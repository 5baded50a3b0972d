import type { Registry } from 'prom-client'
import { abacPolicies } from '#apiserver/authorization/abac/abac-authorizer.ts'
import {
  AUTHORIZER_TYPES,
  validateAuthorizationConfiguration,
} from '#apiserver/authorization/configuration/authorization-configuration.rules.ts'
import {
  AuthorizationConfiguration,
  type WebhookConfiguration,
} from '#apiserver/authorization/configuration/authorization-configuration.ts'
import { matchConditions } from '#apiserver/authorization/configuration/match-conditions.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import type { AuthorizerSpec } from '../components/authorization.ts'
import { SetupError } from '../setup-error.ts'
import { ConfigFileError, type ConfigKind, readCheckedConfig } from './config-file.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeApiserver } from './kube-apiserver.ts'
import { namedFile } from './named-file.ts'
import { reloadedConfig } from './reloaded-config.ts'
import { reviewTarget } from './review-target.ts'

type Flags = FlagValues<typeof kubeApiserver.sections>

interface Parts {
  readonly clock: Clock
  readonly log: Logger
  readonly registry: Registry
  /** Of this API server, for metrics. */
  readonly serverId: string
}

/** Who is asked whether a request may be. */
export interface AuthorizationByFlags {
  readonly authorizers: readonly AuthorizerSpec[]
  /** Has others decide once the file with the chain has changed. */
  follow(use: (authorizers: readonly AuthorizerSpec[]) => void): Disposable
}

const CONFIGURATION: ConfigKind<AuthorizationConfiguration> = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  olderVersions: ['apiserver.config.k8s.io/v1beta1', 'apiserver.config.k8s.io/v1alpha1'],
  kind: 'AuthorizationConfiguration',
  schema: AuthorizationConfiguration,
}
const AUTHORIZED_TTL = '5m0s'
const UNAUTHORIZED_TTL = '30s'

/**
 * The chain of authorizers that `--authorization-config` or the older `--authorization-mode` ask for. Throws a ConfigFileError or a SetupError
 * that names the file or flag: a name that is not understood never lets anybody in.
 */
export function authorizationByFlags(flags: Flags, given: ReadonlySet<string>, parts: Parts): AuthorizationByFlags {
  const file = flags['authorization-config']
  const text = namedFile('--authorization-config', file)
  if (text === undefined) return { authorizers: byModes(flags, parts.clock), follow: () => ({ [Symbol.dispose]() {} }) }
  if ([...given].some(flag => flag === 'authorization-mode' || flag.startsWith('authorization-webhook-'))) {
    throw new SetupError(
      '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
      `move what they say into ${file}`,
    )
  }
  const authorizers = byFile(flags, file, text, parts.clock)
  return {
    authorizers,
    follow: use =>
      reloadedConfig({
        ...parts,
        file,
        text,
        what: 'authorization',
        async apply(content) {
          const next = byFile(flags, file, content, parts.clock)
          // What has to watch the cluster is there from the start, or never.
          if (fixedTypes(next) !== fixedTypes(authorizers)) {
            throw new Error('Node and RBAC authorizers may be reordered, and cannot be added or removed without a restart')
          }
          use(next)
        },
      }),
  }
}

function fixedTypes(specs: readonly AuthorizerSpec[]): string {
  return specs
    .map(({ type }) => type)
    .filter(type => type === 'Node' || type === 'RBAC')
    .sort()
    .join()
}

function byFile(flags: Flags, file: string, text: string, clock: Clock): AuthorizerSpec[] {
  const { authorizers = [] } = readCheckedConfig(CONFIGURATION, file, text, validateAuthorizationConfiguration)
  return authorizers.map(({ type = '', name = '', webhook }, index) => {
    if (webhook) return webhookSpec(name, webhook, `${file}: authorizers[${index}].connectionInfo.kubeConfigFile`, clock)
    return plainSpec(type, flags)
  })
}

function webhookSpec(name: string, webhook: WebhookConfiguration, at: string, clock: Clock): AuthorizerSpec {
  const { connectionInfo, matchConditions: conditions = [], failurePolicy, subjectAccessReviewVersion } = webhook
  const { authorizedTTL = AUTHORIZED_TTL, unauthorizedTTL = UNAUTHORIZED_TTL, timeout = '0s' } = webhook
  const target = reviewTarget(at, connectionInfo.kubeConfigFile ?? '', clock)
  if (!target) throw new ConfigFileError(`${at}: name a kubeconfig`)
  const matches = conditions.length > 0 ? matchConditions(conditions.map(({ expression = '' }) => expression)) : undefined
  return {
    type: 'Webhook',
    name,
    target,
    version: subjectAccessReviewVersion as 'v1' | 'v1beta1',
    authorizedMs: durationMs(authorizedTTL),
    unauthorizedMs: durationMs(unauthorizedTTL),
    timeoutMs: durationMs(timeout),
    onFailure: failurePolicy === 'Deny' ? 'deny' : 'no opinion',
    ...(matches ? { matches } : {}),
  }
}

function byModes(flags: Flags, clock: Clock): AuthorizerSpec[] {
  const modes = flags['authorization-mode']
  const target = reviewTarget('--authorization-webhook-config-file', flags['authorization-webhook-config-file'], clock)
  if (target && !modes.includes('Webhook')) {
    throw new SetupError('--authorization-webhook-config-file is of no use', 'add Webhook to --authorization-mode, or leave the flag out')
  }
  const repeated = modes.find((mode, index) => modes.indexOf(mode) < index)
  if (repeated !== undefined) throw new SetupError(`authorization-mode ${JSON.stringify(repeated)} is named twice`, 'name each mode once')
  return modes.map(mode => {
    if (mode !== 'Webhook') return plainSpec(mode, flags)
    if (!target) {
      throw new SetupError(
        '--authorization-mode=Webhook does not know whom to ask',
        'name a kubeconfig with --authorization-webhook-config-file=FILE',
      )
    }
    return {
      type: 'Webhook',
      target,
      version: flags['authorization-webhook-version'] as 'v1' | 'v1beta1',
      authorizedMs: flags['authorization-webhook-cache-authorized-ttl'],
      unauthorizedMs: flags['authorization-webhook-cache-unauthorized-ttl'],
    }
  })
}

function plainSpec(type: string, flags: Flags): AuthorizerSpec {
  switch (type) {
    case 'Node':
    case 'RBAC':
    case 'AlwaysAllow':
    case 'AlwaysDeny':
      return { type }
    case 'ABAC': {
      const file = flags['authorization-policy-file']
      const text = namedFile('--authorization-policy-file', file)
      if (text === undefined) throw new SetupError('ABAC knows no policies', 'name their file with --authorization-policy-file=FILE')
      return { type, policies: policiesOf(text, file) }
    }
    default:
      throw new SetupError(`authorization-mode ${JSON.stringify(type)} is not a valid mode`, `use ${AUTHORIZER_TYPES.join(', ')}`)
  }
}

function policiesOf(text: string, file: string) {
  try {
    return abacPolicies(text, file)
  } catch (error) {
    throw new ConfigFileError((error as Error).message)
  }
}
