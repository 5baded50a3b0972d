import { type ApiServer, createApiServer } from '#apiserver/api-server.ts'
import type { Authorizer } from '#apiserver/authorization/authorizer.ts'
import { authorizerChain } from '#apiserver/authorization/authorizer-chain.ts'
import { nodeAuthorizer } from '#apiserver/authorization/node/node-authorizer.ts'
import { privilegedGroup } from '#apiserver/authorization/privileged-group.ts'
import { rbacAuthorizer } from '#apiserver/authorization/rbac/rbac-authorizer.ts'
import { reconcilePolicy } from '#apiserver/authorization/rbac/reconcile-policy.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { eventRecorder } from '#client/events/event-recorder.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers } from '#client/informers/informers.ts'
import type { ControllerParameters } from '#controllers/runtime/parameters.ts'
import { startControllers } from '#controllers/start-controllers.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { startScheduler } from '#scheduler/scheduler.ts'
import type { Store } from '#store/store.ts'

export interface ControlPlaneOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly parameters?: Partial<ControllerParameters>
}

/** API server, controllers and scheduler in one process, over one heap. */
export interface ControlPlane {
  readonly server: ApiServer
  /** Caches that every component of this process shares. */
  readonly informers: Informers
  /** A client that acts as `user`; authorization and admission apply. */
  clientFor(user: UserInfo): Client
  stop(): Promise<void>
}

/** Starts a control plane and resolves once it answers and its own roles are there. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { store, clock, random, log } = options
  const authorizers: Authorizer[] = [privilegedGroup()]
  const server = createApiServer({ store, clock, random, log, kinds: builtInKinds, authorizer: authorizerChain(authorizers) })
  const clientFor = (user: UserInfo) =>
    directClient(server.handler, { user: { ...user, groups: [...user.groups, 'system:authenticated'] } })
  const loopback = clientFor({ name: 'system:apiserver', groups: ['system:masters'] })
  const shared = informers({ client: loopback, clock, log })
  authorizers.push(nodeAuthorizer(shared), rbacAuthorizer(shared))
  await server.ready()
  await reconcilePolicy(loopback)

  const controllers = startControllers({
    client: clientFor({ name: 'system:kube-controller-manager', groups: [] }),
    clientFor: controller => clientFor(serviceAccountOf(controller)),
    informers: shared,
    kinds: server.kinds,
    clock,
    random,
    log,
    ...(options.parameters ? { parameters: options.parameters } : {}),
  })
  const schedulerClient = clientFor({ name: 'system:kube-scheduler', groups: [] })
  const schedulerEvents = eventRecorder({ client: schedulerClient, clock, log, component: 'default-scheduler' })
  const scheduler = await startScheduler({ client: schedulerClient, informers: shared, clock, random, log, events: schedulerEvents })

  return {
    server,
    informers: shared,
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

/** Each controller acts as the account that upstream's role is bound to. */
function serviceAccountOf(controller: string): UserInfo {
  const name = ACCOUNT_NAMES[controller] ?? controller
  return { name: `system:serviceaccount:kube-system:${name}`, groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'] }
}

/** The controllers whose account has another name than they have (kube-controller-manager's `--controllers` came later than the accounts). */
const ACCOUNT_NAMES: Readonly<Record<string, string>> = {
  'replicationcontroller-controller': 'replication-controller',
  'daemonset-controller': 'daemon-set-controller',
  'serviceaccount-controller': 'service-account-controller',
  'garbage-collector-controller': 'generic-garbage-collector',
  'pod-garbage-collector-controller': 'pod-garbage-collector',
  'node-lifecycle-controller': 'node-controller',
  'node-ipam-controller': 'node-controller',
  'taint-eviction-controller': 'node-controller',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'endpoints-controller': 'endpoint-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'persistentvolume-binder-controller': 'persistent-volume-binder',
  'persistentvolume-attach-detach-controller': 'attachdetach-controller',
  'persistentvolume-expander-controller': 'expand-controller',
  'persistentvolumeclaim-protection-controller': 'pvc-protection-controller',
  'persistentvolume-protection-controller': 'pv-protection-controller',
  'resourceclaim-controller': 'resource-claim-controller',
  'bootstrap-signer-controller': 'bootstrap-signer',
  'token-cleaner-controller': 'token-cleaner',
  'legacy-serviceaccount-token-cleaner-controller': 'legacy-service-account-token-cleaner',
  'service-cidr-controller': 'service-cidrs-controller',
  'service-lb-controller': 'service-controller',
  'node-route-controller': 'route-controller',
}
