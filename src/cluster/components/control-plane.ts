import type { AdmissionChoice } from '#apiserver/admission/plugins.ts'
import type { FrontProxyCredential } from '#apiserver/aggregation/front-proxy.ts'
import type { Encryption } from '#apiserver/encryption/encryption.ts'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import type { Logger } from '#base/log/logger.ts'
import type { KeyPair } from '#base/pki/key-pair.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { eventRecorder } from '#client/events/event-recorder.ts'
import type { ControllerParameters } from '#controllers/runtime/parameters.ts'
import { accountOf } from '#controllers/service-accounts.ts'
import { startControllers } from '#controllers/start-controllers.ts'
import type { RuntimeConfig } from '#kinds/served-kinds.ts'
import type { FeatureGates } from '#machinery/feature-gates/feature-gates.ts'
import { answerReviews } from '#scheduler/explain/answer-reviews.ts'
import type { Scheduler } from '#scheduler/scheduler.ts'
import { startScheduler } from '#scheduler/scheduler.ts'
import type { Store } from '#store/store.ts'
import { controllerMetrics } from '../frame/controller-metrics.ts'
import { schedulerMetrics } from '../frame/scheduler-metrics.ts'
import { type AssembledApiServer, assembleApiServer } from './assembled-api-server.ts'
import type { AuthenticationOptions } from './authentication.ts'
import { type RunningPart, runElected } from './elected.ts'

export interface ControlPlaneOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Signs and verifies the tokens of service accounts. */
  readonly serviceAccountKeys: KeyPair
  readonly network?: Partial<ControlPlaneNetwork>
  /** By what clients prove who they are, beside the tokens of service accounts. */
  readonly authentication?: AuthenticationOptions
  /** Which admission plugins are in force, and what they were told; absent: upstream's, and NodeRestriction. */
  readonly admission?: AdmissionChoice
  /** How values are encrypted at rest; absent: they are not. */
  readonly encryption?: Encryption
  /** How the API server reaches kubelets; absent: it does not. */
  readonly kubeletConnection?: KubeletConnection
  /** How the API server proves itself to aggregated servers. */
  readonly frontProxy?: FrontProxyCredential
  /** Whether {@link ControlPlane.stop} rejects if a cache differs from the store; on unless said otherwise. */
  readonly checksConsistency?: boolean
  /** Which built-in APIs are served, as `--runtime-config` says it. */
  readonly runtimeConfig?: RuntimeConfig
  /** Which of upstream's gates are on, as `--feature-gates` says it, in API server, controllers and scheduler. */
  readonly featureGates?: FeatureGates
  /** Which controllers run, as `--controllers` says it. */
  readonly controllers?: readonly string[]
  readonly parameters?: Partial<ControllerParameters>
  /** Who this server is among several: controllers and scheduler then run in one of them at a time. Absent: it is the only one. */
  readonly identity?: string
  /** Opens the server's ports, before it is counted among the cluster's. */
  open?(assembled: AssembledApiServer): Promise<void>
}

/** The addresses of a cluster's Services and of its API server. */
export interface ControlPlaneNetwork {
  /** One range, or two of different families. */
  readonly serviceCIDRs: readonly string[]
  readonly nodePortRange: string
  /** Where pods reach the API server; absent: the Service `kubernetes` has no endpoints. */
  readonly advertiseAddress: string | undefined
  readonly securePort: number
}

const DEFAULT_NETWORK: ControlPlaneNetwork = {
  serviceCIDRs: ['10.96.0.0/16'],
  nodePortRange: '30000-32767',
  advertiseAddress: undefined,
  securePort: 6443,
}

/** Who issues service-account tokens, and for whom if nobody else is named. */
const SERVICE_ACCOUNT_ISSUER = 'https://kubernetes.default.svc.cluster.local'

/** API server, controllers and scheduler in one process, over one heap. `informers` are shared by every component of the process. */
export type ControlPlane = Omit<AssembledApiServer, 'shipObjects'>

/** Starts a control plane and resolves once it answers and its own objects are there. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { store, clock, random, log, serviceAccountKeys, kubeletConnection } = options
  const network = { ...DEFAULT_NETWORK, ...options.network }
  let scheduling: Scheduler | undefined
  const counting = { scheduler: schedulerMetrics(() => scheduling), controllers: controllerMetrics() }
  const assembled = await assembleApiServer({
    store,
    clock,
    random,
    log,
    authorizers: [{ type: 'Node' }, { type: 'RBAC' }],
    admission: options.admission ?? { enabled: ['NodeRestriction'], disabled: [] },
    serviceCIDRs: network.serviceCIDRs,
    nodePortRange: network.nodePortRange,
    serviceAccounts: {
      issuers: [SERVICE_ACCOUNT_ISSUER],
      audiences: [SERVICE_ACCOUNT_ISSUER],
      signingKey: serviceAccountKeys.privateKey,
      verificationKeys: [serviceAccountKeys.publicKey],
    },
    kubeletConnection,
    frontProxy: options.frontProxy,
    ...(options.authentication ? { authentication: options.authentication } : {}),
    servesTypernetes: true,
    metrics: [...counting.scheduler.series, ...counting.controllers.series],
    ...(options.runtimeConfig ? { runtimeConfig: options.runtimeConfig } : {}),
    ...(options.featureGates ? { featureGates: options.featureGates } : {}),
    encryption: options.encryption,
    ...(options.checksConsistency === undefined ? {} : { checksConsistency: options.checksConsistency }),
  })
  const { server, informers, clientFor, shipObjects } = assembled
  const hold = server.holdReadiness('the objects that every server ships are not there yet')
  await options.open?.(assembled)
  await shipObjects(network)
  hold.release()

  const controllers = async () =>
    startControllers({
      client: clientFor({ name: 'system:kube-controller-manager', groups: [] }, 'kube-controller-manager'),
      clientFor: controller => clientFor(serviceAccountOf(controller), 'kube-controller-manager'),
      informers,
      kinds: server.kinds,
      clock,
      random,
      log,
      ...(options.featureGates ? { featureGates: options.featureGates } : {}),
      ...(options.controllers ? { enabled: options.controllers } : {}),
      ...(options.parameters ? { parameters: options.parameters } : {}),
      metrics: counting.controllers.counted,
    })
  const scheduler = async () => {
    const client = clientFor({ name: 'system:kube-scheduler', groups: [] }, 'kube-scheduler')
    const events = eventRecorder({ client, clock, log, component: 'default-scheduler' })
    const { featureGates = {} } = options
    const metrics = counting.scheduler.counted
    const running = await startScheduler({ client, informers, clock, random, log, events, featureGates, metrics })
    scheduling = running
    const answering = await answerReviews({ client, informers, scheduler: running, clock, log })
    return {
      async stop() {
        await answering?.[Symbol.asyncDispose]()
        await running.stop()
        scheduling = undefined
        events[Symbol.dispose]()
      },
    }
  }
  const parts = options.identity
    ? [elected(options.identity, 'kube-controller-manager', controllers), elected(options.identity, 'kube-scheduler', scheduler)]
    : [await controllers(), await scheduler()]
  return {
    ...assembled,
    async stop() {
      await Promise.all(parts.map(part => part.stop()))
      await assembled.stop()
    },
  }

  function elected(identity: string, component: string, start: () => Promise<RunningPart>): RunningPart {
    const client = clientFor({ name: 'system:apiserver', groups: ['system:masters'] }, component)
    return runElected({ client, clock, random, log, lease: { namespace: 'kube-system', name: component }, identity }, start)
  }
}

/** Each controller acts as the account that upstream's role is bound to. */
function serviceAccountOf(controller: string): UserInfo {
  const name = `system:serviceaccount:kube-system:${accountOf(controller)}`
  return { name, groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'] }
}
