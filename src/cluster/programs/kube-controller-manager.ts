import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { klog } from '#base/log/klog.ts'
import { certificateAuthority, readCertificateRequest } from '#base/pki/certificate-authority.ts'
import { tokenSigner } from '#base/pki/json-web-token.ts'
import { systemRandom } from '#base/random/system-random.ts'
import type { Clock } from '#base/time/clock.ts'
import { realClock } from '#base/time/real-clock.ts'
import { followDiscovery } from '#client/discovery/discovered-kinds.ts'
import { eventRecorder } from '#client/events/event-recorder.ts'
import { type HttpClient, type HttpClientOptions, httpClient } from '#client/http/http-client.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { leadWhenElected } from '#client/leader/leader-election.ts'
import { readControllerNames } from '#controllers/controllers.ts'
import type { CertificateSigner, ControllerParameters } from '#controllers/runtime/parameters.ts'
import { accountOf, accountToken } from '#controllers/service-accounts.ts'
import { startControllers } from '#controllers/start-controllers.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { readCommandLine } from '../flags/flag-set.ts'
import { kubeControllerManager } from '../flags/kube-controller-manager.ts'

const VERSION = 'v1.36.2'

const line = readCommandLine(kubeControllerManager, process.argv.slice(2), VERSION)
if (line.do === 'print') process.stdout.write(line.text)
else if (line.do === 'refuse') {
  process.stderr.write(line.text)
  process.exitCode = 1
} else {
  for (const warning of line.warnings) process.stderr.write(`Warning: ${warning}\n`)
  await run(line.values).catch((error: unknown) => {
    process.stderr.write(`kube-controller-manager: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  })
}

type Values = Extract<ReturnType<typeof readCommandLine<typeof kubeControllerManager.sections>>, { do: 'run' }>['values']

/** Works until the process is told to end, or the lead is lost. */
async function run(values: Values): Promise<void> {
  const clock = realClock()
  const random = systemRandom()
  const log = klog({ write: text => void process.stderr.write(text), clock, verbosity: values.v, pid: process.pid })
  const connection = connectionOf(values, clock)
  using client = httpClient({ ...connection, ...limitOf(values), userAgent: 'kube-controller-manager' })
  const stop = new AbortController()
  const end = () => {
    if (stop.signal.aborted) process.exit(1)
    stop.abort(new Error('the process was told to end'))
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)

  const enabled = readControllerNames(values.controllers)
  const readMetrics = async (path: string) => JSON.parse(await client.raw(path)) as unknown
  const parameters = { ...parametersOf(values, clock), readMetrics }
  const work = async (signal: AbortSignal) => {
    const kinds = kindRegistry(builtInKinds)
    const informers = newInformers({ client, clock, log })
    const discovery = await followDiscovery({ raw: client.raw, informers, kinds, clock, log })
    const own: HttpClient[] = []
    const running = startControllers({
      client,
      clock,
      random,
      log,
      kinds,
      informers,
      parameters,
      enabled: [...enabled, ...(values['enable-garbage-collector'] ? [] : ['-garbage-collector-controller'])],
      ...(values['use-service-account-credentials']
        ? { clientFor: controller => accountClient(controller, client, connection, clock, own) }
        : {}),
    })
    log.info('the controllers run')
    await new Promise<void>(resolve => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await running.stop()
    await discovery[Symbol.asyncDispose]()
    await informers[Symbol.asyncDispose]()
    for (const one of own) one[Symbol.dispose]()
  }
  if (!values['leader-elect']) await work(stop.signal)
  else {
    using events = eventRecorder({ client, clock, log, component: 'kube-controller-manager' })
    const outcome = await leadWhenElected(
      {
        client,
        clock,
        random,
        log,
        events,
        lease: { namespace: values['leader-elect-resource-namespace'], name: values['leader-elect-resource-name'] },
        identity: `${hostname()}_${random.uuid()}`,
        leaseDurationMs: values['leader-elect-lease-duration'],
        renewDeadlineMs: values['leader-elect-renew-deadline'],
        retryPeriodMs: values['leader-elect-retry-period'],
      },
      work,
      stop.signal,
    )
    if (outcome === 'lost') throw new Error('the lead was lost: another copy has taken over')
  }
  process.exit(0)
}

function connectionOf(values: Values, clock: Clock): HttpClientOptions {
  if (values.kubeconfig === '' && values.master === '') throw new Error('where is the API server? Give --kubeconfig=FILE')
  const options = values.kubeconfig === '' ? { server: values.master, clock } : clientOptionsFromFile(values.kubeconfig, clock)
  return values.master === '' ? options : { ...options, server: values.master }
}

/** A negative rate means none. */
function limitOf(values: Values): Pick<HttpClientOptions, 'limit'> {
  const qps = values['kube-api-qps']
  return qps > 0 ? { limit: { qps, burst: values['kube-api-burst'] } } : {}
}

/** A client that acts as the controller's own account. */
function accountClient(controller: string, client: HttpClient, connection: HttpClientOptions, clock: Clock, own: HttpClient[]): HttpClient {
  const { server, tls } = connection
  const trust = () => {
    const { ca, serverName, insecureSkipVerify } = typeof tls === 'function' ? tls() : (tls ?? {})
    return { ca, serverName, insecureSkipVerify }
  }
  const token = accountToken(client, clock, accountOf(controller))
  const account = httpClient({ server, clock, tls: trust, token, userAgent: `kube-controller-manager/${controller}` })
  own.push(account)
  return account
}

function parametersOf(values: Values, clock: Clock): Partial<ControllerParameters> {
  const rootCA = values['root-ca-file'] === '' ? undefined : textOf(values['root-ca-file'], '--root-ca-file')
  const privateKey = values['service-account-private-key-file']
  const cidrs = values['cluster-cidr'].split(',').filter(cidr => cidr !== '')
  const mask = values['node-cidr-mask-size']
  return {
    rootCA,
    signServiceAccountToken: privateKey === '' ? undefined : legacyTokens(textOf(privateKey, '--service-account-private-key-file')),
    certificateSigner: signerOf(values, clock),
    certificateDurationMs: values['cluster-signing-duration'],
    clusterCIDRs: values['allocate-node-cidrs'] ? cidrs : [],
    nodeCIDRMaskSizeIPv4: values['node-cidr-mask-size-ipv4'] || mask || 24,
    nodeCIDRMaskSizeIPv6: values['node-cidr-mask-size-ipv6'] || mask || 64,
    serviceCIDRs: values['service-cluster-ip-range'].split(',').filter(cidr => cidr !== ''),
    nodeMonitorPeriodMs: values['node-monitor-period'],
    nodeMonitorGracePeriodMs: values['node-monitor-grace-period'],
    nodeStartupGracePeriodMs: values['node-startup-grace-period'],
    nodeEvictionRate: values['node-eviction-rate'],
    secondaryNodeEvictionRate: values['secondary-node-eviction-rate'],
    unhealthyZoneThreshold: values['unhealthy-zone-threshold'],
    largeClusterSizeThreshold: values['large-cluster-size-threshold'],
    terminatedPodLimit: values['terminated-pod-gc-threshold'],
    forceDetachOnTimeout: !values['disable-force-detach-on-timeout'],
    legacyServiceAccountTokenCleanUpPeriodMs: values['legacy-service-account-token-clean-up-period'],
    horizontalPodAutoscalerSyncPeriodMs: values['horizontal-pod-autoscaler-sync-period'],
    horizontalPodAutoscalerTolerance: values['horizontal-pod-autoscaler-tolerance'],
    horizontalPodAutoscalerDownscaleStabilizationMs: values['horizontal-pod-autoscaler-downscale-stabilization'],
    horizontalPodAutoscalerCpuInitializationPeriodMs: values['horizontal-pod-autoscaler-cpu-initialization-period'],
    horizontalPodAutoscalerInitialReadinessDelayMs: values['horizontal-pod-autoscaler-initial-readiness-delay'],
  }
}

function legacyTokens(privateKey: string): ControllerParameters['signServiceAccountToken'] {
  const signer = tokenSigner(privateKey)
  return ({ namespace, serviceAccount, serviceAccountUid, secret }) =>
    signer.sign({
      iss: 'kubernetes/serviceaccount',
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secret,
      'kubernetes.io/serviceaccount/service-account.name': serviceAccount,
      'kubernetes.io/serviceaccount/service-account.uid': serviceAccountUid,
    })
}

/** Each signer may have an authority of its own; the one for all serves where it has none. */
function signerOf(values: Values, clock: Clock): CertificateSigner | undefined {
  const read = (certificate: string, key: string) =>
    certificate === '' || key === ''
      ? undefined
      : certificateAuthority(clock, { certificate: textOf(certificate, 'a signing certificate'), privateKey: textOf(key, 'a signing key') })
  const common = read(values['cluster-signing-cert-file'], values['cluster-signing-key-file'])
  const own = new Map(
    (['kube-apiserver-client', 'kubelet-client', 'kubelet-serving', 'legacy-unknown'] as const).map(name => [
      name,
      read(values[`cluster-signing-${name}-cert-file`], values[`cluster-signing-${name}-key-file`]) ?? common,
    ]),
  )
  if ([...own.values()].every(authority => authority === undefined)) return undefined
  return {
    parse: readCertificateRequest,
    async sign({ requestPem, signerName, usages, durationMs }) {
      const name = signerName.replace('kubernetes.io/', '').replace('kube-apiserver-client-kubelet', 'kubelet-client')
      const authority = own.get(name as 'kubelet-client')
      if (!authority) throw new Error(`no authority signs for ${signerName}: give --cluster-signing-${name}-cert-file and -key-file`)
      const known = (['server', 'client'] as const).filter(usage => usages.includes(`${usage} auth`))
      return authority.sign(requestPem, { usages: known, validSeconds: Math.floor(durationMs / 1000) })
    },
    notAfter: async pem => Date.parse(new X509Certificate(pem).validTo),
  }
}

function textOf(file: string, flag: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${flag}: ${file} cannot be read: ${(error as Error).message}`)
  }
}
