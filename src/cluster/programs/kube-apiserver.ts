import { hostname } from 'node:os'
import { Registry } from 'prom-client'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import { sleep } from '#base/time/clock.ts'
import type { ServiceAccountOptions } from '../components/assembled-api-server.ts'
import { checksConsistency } from '../components/checks-consistency.ts'
import { startLoneApiServer } from '../components/lone-api-server.ts'
import type { FlagValues } from '../flags/flag-set.ts'
import { kubeApiserver } from '../flags/kube-apiserver.ts'
import { admissionByFlags } from '../flags/kube-apiserver-admission.ts'
import { auditOf } from '../flags/kube-apiserver-audit.ts'
import { authenticationOptions, frontProxy } from '../flags/kube-apiserver-authentication.ts'
import { authorizationByFlags } from '../flags/kube-apiserver-authorization.ts'
import { jwtAuthentication } from '../flags/kube-apiserver-jwt.ts'
import { openEncryption, openStore } from '../flags/kube-apiserver-store.ts'
import { namedFile, neededFile } from '../flags/named-file.ts'
import { runProgram, untilToldToEnd } from '../frame/run-program.ts'
import { servingTls } from '../frame/serving-tls.ts'
import { firstAddress } from '../machine/addresses.ts'

/** Upstream's own default. */
const DEFAULT_SERVICE_CIDR = '10.0.0.0/24'

type Flags = FlagValues<typeof kubeApiserver.sections>

void runProgram(kubeApiserver, async context => {
  const { flags, given, flagTexts, log, clock, random, signal } = context
  // What is wrong with a file is told before anything is begun.
  const registry = new Registry()
  const parts = { clock, log, registry, serverId: hostname() }
  using jwt = jwtAuthentication(flags, given, parts)
  const authorization = authorizationByFlags(flags, given, parts)
  const authentication = { ...authenticationOptions(flags, clock), jwt: jwt.authenticator }
  const admission = { ...admissionByFlags(flags, clock), forbidsPrivileged: !flags['allow-privileged'] }
  const { 'typernetes.dev/v1': servesTypernetes = false, ...runtimeConfig } = flags['runtime-config']
  const serviceAccounts = serviceAccountsOf(flags)
  const advertiseAddress = advertisedAddress(flags)
  const tls = await servingTls(flags, { name: 'apiserver', dnsNames: OWN_NAMES, ipAddresses: [advertiseAddress] }, clock)
  const audit = await auditOf(flags, { clock, log, registry })
  await using opened = await openStore(flags, context)
  const running = await startLoneApiServer({
    store: opened.store,
    clock,
    random,
    log,
    address: flags['bind-address'],
    port: flags['secure-port'],
    advertiseAddress,
    tls,
    flags: flagTexts,
    authentication,
    anonymous: jwt.anonymous,
    frontProxy: frontProxy(flags),
    authorizers: authorization.authorizers,
    admission,
    serviceCIDRs: flags['service-cluster-ip-range'].length > 0 ? flags['service-cluster-ip-range'] : [DEFAULT_SERVICE_CIDR],
    nodePortRange: flags['service-node-port-range'],
    serviceAccounts,
    maxReadsInflight: flags['max-requests-inflight'],
    hasPriorityAndFairness: flags['enable-priority-and-fairness'],
    requestTimeoutMs: flags['request-timeout'],
    watchMs: flags['min-request-timeout'] * 1000,
    eventSeconds: Math.ceil(flags['event-ttl'] / 1000),
    maxWritesInflight: flags['max-mutating-requests-inflight'],
    goawayChance: flags['goaway-chance'],
    corsAllowedOrigins: flags['cors-allowed-origins'],
    publishesEndpoints: flags['endpoint-reconciler-type'] !== 'none' && !isLoopback(advertiseAddress),
    kubeletConnection: kubeletConnectionOf(flags),
    encryption: await openEncryption(flags, context),
    storageMediaType: flags['storage-media-type'],
    // Off unless asked for: clients of this program may compare its discovery with upstream's.
    servesTypernetes,
    checksConsistency: checksConsistency(process.env),
    runtimeConfig,
    featureGates: flags['feature-gates'],
    audit,
    registry,
  })
  const following = authorization.follow(running.useAuthorizers)
  log.info('the API server is ready', { address: flags['bind-address'], port: running.port })
  await untilToldToEnd(signal)
  if (flags['shutdown-delay-duration'] > 0) {
    running.server.holdReadiness('the server is going down')
    await sleep(clock, flags['shutdown-delay-duration'])
  }
  following[Symbol.dispose]()
  await running.stop()
  await audit?.stop()
})

/** Under which names pods and people know it, for a certificate of its own. */
const OWN_NAMES = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']

function serviceAccountsOf(flags: Flags): ServiceAccountOptions | undefined {
  const issuers = flags['service-account-issuer']
  const signingKey = namedFile('--service-account-signing-key-file', flags['service-account-signing-key-file'])
  if (issuers.length === 0 || signingKey === undefined) return undefined
  return {
    issuers,
    audiences: flags['api-audiences'].length > 0 ? flags['api-audiences'] : issuers,
    signingKey,
    verificationKeys: flags['service-account-key-file'].map(file => neededFile('--service-account-key-file', file)),
    maxExpirationSeconds: flags['service-account-max-token-expiration'] / 1000,
    keysUrl: flags['service-account-jwks-uri'],
    extendsPodTokens: flags['service-account-extend-token-expiration'],
  }
}

function kubeletConnectionOf(flags: Flags): KubeletConnection {
  const certificate = namedFile('--kubelet-client-certificate', flags['kubelet-client-certificate'])
  const privateKey = namedFile('--kubelet-client-key', flags['kubelet-client-key'])
  const authority = namedFile('--kubelet-certificate-authority', flags['kubelet-certificate-authority'])
  return {
    preferredAddressTypes: flags['kubelet-preferred-address-types'],
    dialMs: flags['kubelet-timeout'],
    ...(certificate && privateKey ? { certificate, privateKey } : {}),
    ...(authority ? { authority } : {}),
  }
}

/** Where others reach this server. */
function advertisedAddress(flags: Flags): string {
  const { 'advertise-address': advertised, 'bind-address': bound } = flags
  const isUnspecified = bound === '0.0.0.0' || bound === '::' || bound === ''
  return advertised || (isUnspecified ? (firstAddress() ?? '127.0.0.1') : bound)
}

/** Nobody else reaches the server there: the Service `kubernetes` gets no such endpoint. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
