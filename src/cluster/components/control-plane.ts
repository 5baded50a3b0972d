import { ADMISSION_CACHES, defaultAdmission } from '#apiserver/admission/plugins.ts'
import { addressAt, addressRange } from '#apiserver/allocation/service-addresses.ts'
import { serviceAllocation } from '#apiserver/allocation/service-allocation.ts'
import { type ApiServer, createApiServer } from '#apiserver/api-server.ts'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import { boundObjects } from '#apiserver/authentication/bound-objects.ts'
import { serviceAccountTokenAuthenticator, serviceAccountTokenIssuer } from '#apiserver/authentication/service-account-token.ts'
import type { Authorizer } from '#apiserver/authorization/authorizer.ts'
import { authorizerChain } from '#apiserver/authorization/authorizer-chain.ts'
import { nodeAuthorizer } from '#apiserver/authorization/node/node-authorizer.ts'
import { privilegedGroup } from '#apiserver/authorization/privileged-group.ts'
import { rbacAmong, rbacAuthorizer } from '#apiserver/authorization/rbac/rbac-authorizer.ts'
import { behaviours } from '#apiserver/behaviours/behaviours.ts'
import { bootstrap } from '#apiserver/bootstrap/bootstrap.ts'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import { serviceAccountToken } from '#apiserver/subresources/service-account-token.ts'
import { subresources } from '#apiserver/subresources/subresources.ts'
import type { Logger } from '#base/log/logger.ts'
import { tokenSigner, tokenVerifier } from '#base/pki/json-web-token.ts'
import type { KeyPair } from '#base/pki/key-pair.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { eventRecorder } from '#client/events/event-recorder.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers } from '#client/informers/informers.ts'
import type { ControllerParameters } from '#controllers/runtime/parameters.ts'
import { accountOf } from '#controllers/service-accounts.ts'
import { startControllers } from '#controllers/start-controllers.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { builtInKinds, subresourceKinds } from '#kinds/kinds.ts'
import { startScheduler } from '#scheduler/scheduler.ts'
import type { Store } from '#store/store.ts'

export interface ControlPlaneOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Signs and verifies the tokens of service accounts. */
  readonly serviceAccountKeys: KeyPair
  readonly network?: Partial<ControlPlaneNetwork>
  /** Which controllers run, as `--controllers` says it. */
  readonly controllers?: readonly string[]
  readonly parameters?: Partial<ControllerParameters>
  /** How kubelets are reached, for logs, exec and their like. */
  readonly kubeletConnection?: KubeletConnection
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
export const SERVICE_ACCOUNT_ISSUER = 'https://kubernetes.default.svc.cluster.local'

/** API server, controllers and scheduler in one process, over one heap. */
export interface ControlPlane {
  readonly server: ApiServer
  /** Caches that every component of this process shares. */
  readonly informers: Informers
  /** Knows service accounts by their tokens: for the authenticators of a port. */
  readonly serviceAccountTokens: Authenticator
  /** A client that acts as `user` and owns fields as `userAgent`; authorization and admission apply. */
  clientFor(user: UserInfo, userAgent?: string): Client
  stop(): Promise<void>
}

/** Starts a control plane and resolves once it answers and its own roles are there. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { store, clock, random, log } = options
  const network = { ...DEFAULT_NETWORK, ...options.network }
  // What the server asks of its own caches can be answered only once it stands: these parts are completed below.
  const authorizers: Authorizer[] = [privilegedGroup()]
  const own: { client?: Client; informers?: Informers } = {}
  const issuer = serviceAccountTokenIssuer(SERVICE_ACCOUNT_ISSUER, tokenSigner(options.serviceAccountKeys.privateKey), clock, random)
  const objects = lazyBoundObjects(() => own.informers!)
  const authorizer = authorizerChain(authorizers)
  const server = createApiServer({
    store,
    clock,
    random,
    log,
    kinds: [...builtInKinds, ...subresourceKinds],
    authorizer,
    ...(options.kubeletConnection ? { kubeletConnection: options.kubeletConnection } : {}),
    admission: defaultAdmission(
      {
        informers: () => own.informers!,
        client: () => own.client!,
        authorizer,
        rbac: () => rbacAmong(authorizers),
        clock,
        random,
      },
      { enabled: ['NodeRestriction'], disabled: [] },
    ),
    behaviours: [
      ...behaviours,
      serviceAllocation({ ...network, random, client: () => own.client!, services: () => own.informers!.of(Service).list() }),
    ],
    subresources: [...subresources, serviceAccountToken({ issuer, objects, audiences: [SERVICE_ACCOUNT_ISSUER] })],
  })
  const clientFor = (user: UserInfo, userAgent = 't8s') =>
    directClient(server.handler, { userAgent, user: { ...user, groups: [...user.groups, 'system:authenticated'] } })
  const loopback = clientFor({ name: 'system:apiserver', groups: ['system:masters'] }, 'kube-apiserver')
  const shared = informers({ client: loopback, clock, log })
  own.client = loopback
  own.informers = shared
  authorizers.push(nodeAuthorizer(shared), rbacAuthorizer(shared))
  await server.ready()
  await Promise.all([Service, ...ADMISSION_CACHES].map(kind => shared.of(kind).synced()))
  const serviceAddress = addressAt(addressRange(network.serviceCIDRs[0]!), 0n)
  await bootstrap({ client: loopback, log, ...network, serviceAddress })

  const controllers = startControllers({
    client: clientFor({ name: 'system:kube-controller-manager', groups: [] }, 'kube-controller-manager'),
    clientFor: controller => clientFor(serviceAccountOf(controller), 'kube-controller-manager'),
    informers: shared,
    kinds: server.kinds,
    clock,
    random,
    log,
    ...(options.controllers ? { enabled: options.controllers } : {}),
    ...(options.parameters ? { parameters: options.parameters } : {}),
  })
  const schedulerClient = clientFor({ name: 'system:kube-scheduler', groups: [] }, 'kube-scheduler')
  const schedulerEvents = eventRecorder({ client: schedulerClient, clock, log, component: 'default-scheduler' })
  const scheduler = await startScheduler({ client: schedulerClient, informers: shared, clock, random, log, events: schedulerEvents })

  const tokens = {
    issuers: [SERVICE_ACCOUNT_ISSUER],
    audiences: [SERVICE_ACCOUNT_ISSUER],
    verifier: tokenVerifier([options.serviceAccountKeys.publicKey]),
    objects,
    clock,
  }

  return {
    server,
    informers: shared,
    serviceAccountTokens: serviceAccountTokenAuthenticator(tokens),
    clientFor,
    async stop() {
      await scheduler.stop()
      schedulerEvents[Symbol.dispose]()
      await controllers.stop()
      await shared[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

/** Finds bound objects in caches that are there only once the server is. */
function lazyBoundObjects(informers: () => Informers): ReturnType<typeof boundObjects> {
  let found: ReturnType<typeof boundObjects> | undefined
  const get = () => {
    found ??= boundObjects(informers())
    return found
  }
  return {
    find: (kind, namespace, name) => get().find(kind, namespace, name),
    nodeOf: (namespace, pod) => get().nodeOf(namespace, pod),
  }
}

/** Each controller acts as the account that upstream's role is bound to. */
function serviceAccountOf(controller: string): UserInfo {
  const name = `system:serviceaccount:kube-system:${accountOf(controller)}`
  return { name, groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'] }
}
