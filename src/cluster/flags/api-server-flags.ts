import { isAbsolute } from 'node:path'
import type { Registry } from 'prom-client'
import type { AdmissionChoice } from '#apiserver/admission/plugins.ts'
import type { Audit } from '#apiserver/audit/audit.ts'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import type { AnonymousAccess } from '#apiserver/http/identification.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import { SetupError } from '../setup-error.ts'
import { type FlagValues, readCommandLine } from './flag-set.ts'
import { kubeApiserver } from './kube-apiserver.ts'
import { admissionByFlags } from './kube-apiserver-admission.ts'
import { auditOf } from './kube-apiserver-audit.ts'
import { jwtAuthentication } from './kube-apiserver-jwt.ts'

/** Flags of kube-apiserver that the API server of `t8s up` takes: who comes in, what is recorded, what is admitted. The rest is the cluster's own. */
const TAKEN = /^(audit-.+|oidc-.+|authentication-config|anonymous-auth|admission-control-config-file|(enable|disable)-admission-plugins)$/
/** Their values are files, which the cluster's process reads from wherever it was started. */
const FILES =
  /^(audit-policy-file|audit-log-path|audit-webhook-config-file|oidc-ca-file|authentication-config|admission-control-config-file)$/

/** Flags that were given, with the defaults of all others. */
export interface ApiServerFlags {
  readonly values: FlagValues<typeof kubeApiserver.sections>
  readonly given: ReadonlySet<string>
}

/** Reads flags written as `name=value`. Throws {@link SetupError} for one that is unknown, has a wrong value, or is not taken here. */
export function readApiServerFlags(texts: readonly string[]): ApiServerFlags {
  const line = readCommandLine(
    kubeApiserver,
    texts.map(text => `--${text.replace(/^--/, '')}`),
    '',
  )
  if (line.do !== 'run') {
    const why = line.text.split('\n', 1)[0]!.replace(/^Error: /, '')
    throw new SetupError(`--apiserver-flag: ${why}`, 'write it as NAME=VALUE, as kube-apiserver takes it')
  }
  for (const name of line.given) {
    if (!TAKEN.test(name))
      throw new SetupError(
        `--apiserver-flag=${name} is not for this cluster`,
        'it takes audit-…, oidc-…, authentication-config, anonymous-auth, admission-control-config-file and enable- or disable-admission-plugins',
      )
    const value = line.values[name as keyof typeof line.values]
    if (FILES.test(name) && typeof value === 'string' && value !== '' && value !== '-' && !isAbsolute(value))
      throw new SetupError(`--apiserver-flag=${name}=${value} is a relative path`, 'write it from the root of the file system on')
  }
  return { values: line.values, given: line.given }
}

/** What those flags make of an API server. */
export interface ApiServerByFlags extends AsyncDisposable {
  readonly audit: Audit | undefined
  readonly jwt: Authenticator | undefined
  readonly anonymous: AnonymousAccess
  readonly admission: AdmissionChoice
}

/** Reads the files that flags name. Rejects with a SetupError or a ConfigFileError that names the place. */
export async function apiServerByFlags(
  { values, given }: ApiServerFlags,
  parts: { readonly clock: Clock; readonly log: Logger; readonly registry: Registry; readonly serverId: string },
): Promise<ApiServerByFlags> {
  const admission = admissionByFlags(values, parts.clock)
  const jwt = jwtAuthentication(values, given, parts)
  const audit = await auditOf(values, parts)
  return {
    audit,
    jwt: jwt.authenticator,
    anonymous: jwt.anonymous,
    // Nodes must not change what is others', whatever else is asked for.
    admission: { ...admission, enabled: ['NodeRestriction', ...(admission.enabled ?? [])] },
    async [Symbol.asyncDispose]() {
      jwt[Symbol.dispose]()
      await audit?.stop()
    },
  }
}
