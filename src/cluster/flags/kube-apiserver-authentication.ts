import type { FrontProxyCredential } from '#apiserver/aggregation/front-proxy.ts'
import { certificatesOf } from '#base/pki/client-certificate.ts'
import type { Clock } from '#base/time/clock.ts'
import type { AuthenticationOptions } from '../components/authentication.ts'
import { SetupError } from '../setup-error.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeApiserver } from './kube-apiserver.ts'
import { namedFile } from './named-file.ts'
import { reviewTarget } from './review-target.ts'

type Flags = FlagValues<typeof kubeApiserver.sections>

/** By what clients may prove who they are, as the flags of kube-apiserver say. Throws a SetupError that names the flag. */
export function authenticationOptions(flags: Flags, clock: Clock): AuthenticationOptions {
  return {
    clientCa: authorities('--client-ca-file', flags['client-ca-file']),
    requestHeader: requestHeader(flags),
    tokenFile: namedFile('--token-auth-file', flags['token-auth-file']),
    tokenWebhook: tokenWebhook(flags, clock),
    bootstrapTokens: flags['enable-bootstrap-token-auth'],
  }
}

function tokenWebhook(flags: Flags, clock: Clock): AuthenticationOptions['tokenWebhook'] {
  const target = reviewTarget('--authentication-token-webhook-config-file', flags['authentication-token-webhook-config-file'], clock)
  const version = flags['authentication-token-webhook-version'] as 'v1' | 'v1beta1'
  return target && { target, version, keptMs: flags['authentication-token-webhook-cache-ttl'] }
}

/** How the server proves itself to aggregated servers. Throws a SetupError that names the flag. */
export function frontProxy(flags: Flags): FrontProxyCredential | undefined {
  const certificate = namedFile('--proxy-client-cert-file', flags['proxy-client-cert-file'])
  const privateKey = namedFile('--proxy-client-key-file', flags['proxy-client-key-file'])
  if (certificate && privateKey) return { certificate, privateKey }
  if (certificate || privateKey) {
    throw new SetupError('--proxy-client-cert-file and --proxy-client-key-file go together', 'give both, or neither')
  }
  return undefined
}

function requestHeader(flags: Flags): AuthenticationOptions['requestHeader'] {
  const clientCa = authorities('--requestheader-client-ca-file', flags['requestheader-client-ca-file'])
  if (clientCa === undefined) return undefined
  const usernameHeaders = flags['requestheader-username-headers']
  if (usernameHeaders.every(name => name.trim() === '')) {
    throw new SetupError('--requestheader-username-headers is empty', 'name the header with the user, such as X-Remote-User')
  }
  return {
    clientCa,
    allowedNames: flags['requestheader-allowed-names'],
    usernameHeaders,
    uidHeaders: flags['requestheader-uid-headers'],
    groupHeaders: flags['requestheader-group-headers'],
    extraHeaderPrefixes: flags['requestheader-extra-headers-prefix'],
  }
}

/** Certificates of a file: one that has none would silently let nobody in. */
function authorities(flag: string, file: string): string | undefined {
  const text = namedFile(flag, file)
  if (text !== undefined && certificatesOf(text).length === 0) {
    throw new SetupError(`${flag}: ${file} holds no certificate`, 'give a file of PEM certificates (-----BEGIN CERTIFICATE-----)')
  }
  return text
}
