import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Registry } from 'prom-client'
import type { Encryption } from '#apiserver/encryption/encryption.ts'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import { klog } from '#base/log/klog.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import { systemRandom } from '#base/random/system-random.ts'
import type { Clock } from '#base/time/clock.ts'
import { realClock } from '#base/time/real-clock.ts'
import { keepCompacted } from '#store/etcd/keep-compacted.ts'
import { refuseUnfinished } from '#store/snapshot/snapshot.ts'
import type { Store } from '#store/store.ts'
import { checksConsistency } from '../components/checks-consistency.ts'
import { startLoneApiServer } from '../components/lone-api-server.ts'
import { readCommandLine } from '../flags/flag-set.ts'
import { kubeApiserver } from '../flags/kube-apiserver.ts'
import { admissionByFlags } from '../flags/kube-apiserver-admission.ts'
import { auditOf } from '../flags/kube-apiserver-audit.ts'
import { authenticationOptions, frontProxy } from '../flags/kube-apiserver-authentication.ts'
import { authorizationByFlags } from '../flags/kube-apiserver-authorization.ts'
import { jwtAuthentication } from '../flags/kube-apiserver-jwt.ts'
import { firstAddress } from '../machine/addresses.ts'

/** Upstream's own default. */
const DEFAULT_SERVICE_CIDR = '10.0.0.0/24'

const VERSION = 'v1.36.2'

const line = readCommandLine(kubeApiserver, process.argv.slice(2), VERSION)
if (line.do === 'print') process.stdout.write(line.text)
else if (line.do === 'refuse') {
  process.stderr.write(line.text)
  process.exitCode = 1
} else {
  for (const warning of line.warnings) process.stderr.write(`Warning: ${warning}\n`)
  await run(line.values, line.given).catch((error: unknown) => {
    process.stderr.write(`kube-apiserver: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  })
}

type Values = Extract<ReturnType<typeof readCommandLine<typeof kubeApiserver.sections>>, { do: 'run' }>['values']

async function run(values: Values, given: ReadonlySet<string>): Promise<void> {
  const clock = realClock()
  const log = klog({ write: text => void process.stderr.write(text), clock, verbosity: values.v, pid: process.pid })
  const random = systemRandom()
  // What is wrong with a file is told before anything is begun.
  const registry = new Registry()
  const parts = { clock, log, registry, serverId: hostname() }
  const jwt = jwtAuthentication(values, given, parts)
  const authorization = authorizationByFlags(values, given, parts)
  const authentication = { ...authenticationOptions(values, clock), jwt: jwt.authenticator }
  const admission = admissionByFlags(values, clock)
  const audit = await auditOf(values, { clock, log, registry })
  const store = await openStore(values, clock, random, log)
  await refuseUnfinished(store)
  const compacting = values['etcd-servers'].length > 0 && values['etcd-compaction-interval'] > 0
  const compaction = compacting ? keepCompacted(store, clock, log, values['etcd-compaction-interval']) : undefined
  const encryption = await openEncryption(values, clock, random, log)
  const bindAddress = values['bind-address']
  const advertiseAddress = values['advertise-address'] || (isUnspecified(bindAddress) ? (firstAddress() ?? '127.0.0.1') : bindAddress)
  const issuers = values['service-account-issuer']
  const signingKeyFile = values['service-account-signing-key-file']
  const running = await startLoneApiServer({
    store,
    clock,
    random,
    log,
    address: bindAddress,
    port: values['secure-port'],
    advertiseAddress,
    tls: {
      certificate: textOf(values['tls-cert-file'], '--tls-cert-file'),
      key: textOf(values['tls-private-key-file'], '--tls-private-key-file'),
    },
    authentication,
    anonymous: jwt.anonymous,
    frontProxy: frontProxy(values),
    authorizers: authorization.authorizers,
    admission,
    serviceCIDRs: values['service-cluster-ip-range'].length > 0 ? values['service-cluster-ip-range'] : [DEFAULT_SERVICE_CIDR],
    nodePortRange: values['service-node-port-range'],
    serviceAccounts:
      issuers.length > 0 && signingKeyFile !== ''
        ? {
            issuers,
            audiences: values['api-audiences'].length > 0 ? values['api-audiences'] : issuers,
            signingKey: textOf(signingKeyFile, '--service-account-signing-key-file'),
            verificationKeys: values['service-account-key-file'].map(file => textOf(file, '--service-account-key-file')),
            maxExpirationSeconds: values['service-account-max-token-expiration'] / 1000,
            keysUrl: values['service-account-jwks-uri'],
            extendsPodTokens: values['service-account-extend-token-expiration'],
          }
        : undefined,
    maxReadsInflight: values['max-requests-inflight'],
    hasPriorityAndFairness: values['enable-priority-and-fairness'],
    requestTimeoutMs: values['request-timeout'],
    maxWritesInflight: values['max-mutating-requests-inflight'],
    publishesEndpoints: values['endpoint-reconciler-type'] !== 'none' && !isLoopback(advertiseAddress),
    kubeletConnection: kubeletConnectionOf(values),
    encryption,
    storageMediaType: values['storage-media-type'],
    // Off unless asked for: clients of this program may compare its discovery with upstream's.
    servesTypernetes: values['runtime-config']['typernetes.dev/v1'] ?? false,
    checksConsistency: checksConsistency(process.env),
    audit,
    registry,
  })
  const following = authorization.follow(running.useAuthorizers)
  log.info('the API server is ready', { address: bindAddress, port: running.port })
  let isEnding = false
  const end = async () => {
    if (isEnding) process.exit(1)
    isEnding = true
    jwt[Symbol.dispose]()
    following[Symbol.dispose]()
    await running.stop()
    await audit?.stop()
    compaction?.[Symbol.dispose]()
    await store.close()
    process.exit(0)
  }
  process.on('SIGTERM', () => void end())
  process.on('SIGINT', () => void end())
}

function kubeletConnectionOf(values: Values): KubeletConnection {
  const certificate = optionalTextOf(values['kubelet-client-certificate'])
  const privateKey = optionalTextOf(values['kubelet-client-key'])
  const authority = optionalTextOf(values['kubelet-certificate-authority'])
  return {
    preferredAddressTypes: values['kubelet-preferred-address-types'],
    ...(certificate && privateKey ? { certificate, privateKey } : {}),
    ...(authority ? { authority } : {}),
  }
}

/** Nobody else reaches the server there: the Service `kubernetes` gets no such endpoint. */
function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

async function openEncryption(values: Values, clock: Clock, random: Random, log: Logger): Promise<Encryption | undefined> {
  const file = values['encryption-provider-config']
  if (file === '') return undefined
  const { encryptionFromFile } = await import('../components/encryption-from-file.ts')
  return encryptionFromFile({ file, reloads: values['encryption-provider-config-automatic-reload'], clock, random, log })
}

async function openStore(values: Values, clock: Clock, random: Random, log: Logger): Promise<Store> {
  const servers = values['etcd-servers']
  if (servers.length > 0) return openEtcd(values, servers, clock, random)
  const directory = values['data-dir']
  if (directory === '') throw new Error('nowhere to keep the cluster: give --data-dir=DIRECTORY')
  const { LmdbStore } = await import('#store/lmdb/lmdb-store.ts')
  const intervalMs = values['etcd-compaction-interval']
  return LmdbStore.open({
    directory,
    clock,
    logger: log,
    retention: { forMs: intervalMs > 0 ? intervalMs : Number.MAX_SAFE_INTEGER },
    onFatal: error => {
      log.error('the store has failed', { error: error.message })
      process.exit(1)
    },
  })
}

async function openEtcd(values: Values, endpoints: readonly string[], clock: Clock, random: Random): Promise<Store> {
  const { EtcdStore } = await import('#store/etcd/etcd-store.ts')
  const authority = optionalTextOf(values['etcd-cafile'])
  if (authority === undefined) return new EtcdStore({ endpoints, clock, random })
  const certificate = textOf(values['etcd-certfile'], '--etcd-certfile')
  const privateKey = textOf(values['etcd-keyfile'], '--etcd-keyfile')
  return new EtcdStore({ endpoints, tls: { authority, certificate, privateKey }, clock, random })
}

function textOf(file: string, flag: string): string {
  if (file === '') throw new Error(`${flag} is needed`)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${flag}: ${file} cannot be read: ${(error as Error).message}`)
  }
}

function optionalTextOf(file: string): string | undefined {
  return file === '' ? undefined : readFileSync(file, 'utf8')
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || address === ''
}
