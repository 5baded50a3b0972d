import { ADMISSION_CACHES, type AdmissionChoice, defaultAdmission } from '#apiserver/admission/plugins.ts'
import { PolicyMetrics } from '#apiserver/admission/policies/policy-metrics.ts'
import { WebhookMetrics } from '#apiserver/admission/webhooks/webhook-metrics.ts'
import { Aggregation } from '#apiserver/aggregation/aggregation.ts'
import type { FrontProxyCredential } from '#apiserver/aggregation/front-proxy.ts'
import { keepLocalApiServices } from '#apiserver/aggregation/local-api-services.ts'
import { portReservations } from '#apiserver/allocation/port-reservations.ts'
import { addressAt, addressRange } from '#apiserver/allocation/service-addresses.ts'
import { serviceAllocation } from '#apiserver/allocation/service-allocation.ts'
import { type ApiServer, createApiServer } from '#apiserver/api-server.ts'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import { boundObjects } from '#apiserver/authentication/bound-objects.ts'
import { serviceAccountTokenIssuer } from '#apiserver/authentication/service-account-token.ts'
import { behaviours } from '#apiserver/behaviours/behaviours.ts'
import { bootstrap } from '#apiserver/bootstrap/bootstrap.ts'
import { keepFlowSchemaStatus } from '#apiserver/bootstrap/flow-schema-status.ts'
import { conversions } from '#apiserver/crd/webhook-conversion.ts'
import type { Encryption } from '#apiserver/encryption/encryption.ts'
import { type PublishedEndpoints, publishEndpoints } from '#apiserver/endpoints/publish-endpoints.ts'
import type { DocumentRoute } from '#apiserver/http/path-route.ts'
import { tokenIssuerRoute } from '#apiserver/http/token-issuer-route.ts'
import { electLeaders } from '#apiserver/leader-election/elect-leaders.ts'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import { accessReviews } from '#apiserver/reviews/access-reviews.ts'
import { identityReviews } from '#apiserver/reviews/identity-reviews.ts'
import { serviceAccountToken } from '#apiserver/subresources/service-account-token.ts'
import { subresources } from '#apiserver/subresources/subresources.ts'
import type { StorageCodecOptions } from '#apiserver/watch-cache/storage-codec.ts'
import { RESOLVER_CACHES, serviceResolver } from '#apiserver/webhooks/service-resolver.ts'
import { type WebhookClient, webhookClient } from '#apiserver/webhooks/webhook-client.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Series } from '#base/metrics/series.ts'
import { tokenSigner, tokenVerifier } from '#base/pki/json-web-token.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { directClient } from '#client/direct/direct-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { APIService } from '#kinds/apiregistration/v1/api-service.ts'
import { LeaseCandidate } from '#kinds/coordination/v1beta1/lease-candidate.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { subresourceKinds } from '#kinds/kinds.ts'
import { type RuntimeConfig, servedKinds } from '#kinds/served-kinds.ts'
import { typernetesKinds } from '#kinds/typernetes/kinds.ts'
import { type FeatureGates, isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import type { Store } from '#store/store.ts'
import { type AuthenticationOptions, assembleAuthentication } from './authentication.ts'
import { type AuthorizerSpec, assembleAuthorization } from './authorization.ts'

/** What an API server is made with, whether it runs alone or with everything else in one process. */
export interface AssemblyOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Who is asked whether a request may be, in order, once members of `system:masters` were let through. */
  readonly authorizers: readonly AuthorizerSpec[]
  readonly admission: AdmissionChoice
  /** One range, or two of different families. */
  readonly serviceCIDRs: readonly string[]
  readonly nodePortRange: string
  /** Absent: no tokens are issued or known. */
  readonly serviceAccounts: ServiceAccountOptions | undefined
  /** By what clients prove who they are, beside the tokens of service accounts. */
  readonly authentication?: AuthenticationOptions
  /** How values are encrypted at rest; absent: they are not. Ended with the server. */
  readonly encryption?: Encryption | undefined
  /** `--storage-media-type`; JSON unless said otherwise. */
  readonly storageMediaType?: StorageCodecOptions['mediaType']
  /** Serves the group `typernetes.dev` (docs/reference/typernetes.dev.md), which upstream does not have. */
  readonly servesTypernetes?: boolean
  /** See {@link ApiServerOptions.checksConsistency}: on unless said otherwise, so in all tests; programs ask {@link checksConsistency}. */
  readonly checksConsistency?: boolean
  /** Which built-in APIs are served, as `--runtime-config` says it. */
  readonly runtimeConfig?: RuntimeConfig
  /** Which feature gates are on, as `--feature-gates` says it. */
  readonly featureGates?: FeatureGates
  /** What else is to be seen at `/metrics`. */
  readonly metrics?: readonly Series[]
  /** How many seconds events are kept; an hour unless said otherwise. */
  readonly eventSeconds?: number
  /** How the server proves itself to aggregated servers; absent: it does not. */
  readonly frontProxy?: FrontProxyCredential | undefined
  /** How the server reaches kubelets; absent: it does not. */
  readonly kubeletConnection?: KubeletConnection | undefined
}

export interface ServiceAccountOptions {
  /** The first one issues. */
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  /** PEM. */
  readonly signingKey: string
  /** No token lives longer than this; 0: no limit. */
  readonly maxExpirationSeconds?: number
  /** Where others find the public keys; empty: at this server. */
  readonly keysUrl?: string
  /** Whether the tokens that pods get live for a year. */
  readonly extendsPodTokens?: boolean
  readonly verificationKeys: readonly string[]
}

/** An API server with its authorizers, admission, allocation and reviews, all of which read its own caches. */
export interface AssembledApiServer {
  readonly server: ApiServer
  readonly informers: Informers
  /** Calls webhooks, at URLs and behind Services. */
  readonly webhooks: WebhookClient
  /** Knows who asks: for ports. */
  readonly authenticator: Authenticator
  /** Has others decide what requests may do from now on. */
  useAuthorizers(authorizers: readonly AuthorizerSpec[]): void
  /** A client that acts as `user` and owns fields as `userAgent`; authorization and admission apply. */
  clientFor(user: UserInfo, userAgent?: string): Client
  /** What a port at `address` (host and port) serves beside the API: the keys by which others verify tokens. */
  documentsAt(address: string): readonly DocumentRoute[]
  /** Makes sure of the objects that every server ships. `advertiseAddress` undefined: the Service `kubernetes` has no endpoints. */
  shipObjects(at: { readonly advertiseAddress: string | undefined; readonly securePort: number }): Promise<void>
  stop(): Promise<void>
}

/** Puts an API server together and resolves once it can answer. */
export async function assembleApiServer(options: AssemblyOptions): Promise<AssembledApiServer> {
  const { store, clock, random, log, serviceAccounts } = options
  const served = servedKinds(options.runtimeConfig ?? {})
  if (served.unknown.length > 0)
    log.warn('--runtime-config asks for APIs that this server does not have', { apis: served.unknown.join(',') })
  // What the server asks of its own caches can be answered only once it stands: these parts are completed below.
  const own: {
    client?: Client
    informers?: Informers
    objects?: ReturnType<typeof boundObjects>
    aggregation?: Aggregation
    endpoints?: PublishedEndpoints
    elections?: AsyncDisposable
  } = {}
  const objects: ReturnType<typeof boundObjects> = {
    find: (kind, namespace, name) => own.objects!.find(kind, namespace, name),
    nodeOf: (namespace, pod) => own.objects!.nodeOf(namespace, pod),
    accountOf: (namespace, pod) => own.objects!.accountOf(namespace, pod),
  }
  const resolver = serviceResolver(() => own.informers!, random)
  const webhooks = webhookClient({ resolver, clock })
  const authorization = assembleAuthorization({ clock, log, webhooks, informers: () => own.informers! })
  const { authorizer } = authorization
  const webhookMetrics = new WebhookMetrics()
  const policyMetrics = new PolicyMetrics()
  const tokens = serviceAccounts && { ...serviceAccounts, verifier: tokenVerifier(serviceAccounts.verificationKeys), objects, clock }
  const { authenticator, checkToken } = assembleAuthentication(options.authentication ?? {}, {
    clock,
    log,
    serviceAccounts: tokens,
    informers: () => own.informers!,
    client: () => own.client!,
    webhooks,
  })
  const server: ApiServer = createApiServer({
    store,
    clock,
    random,
    log,
    ...(options.checksConsistency === undefined ? {} : { checksConsistency: options.checksConsistency }),
    kinds: [...served.kinds, ...(options.servesTypernetes ? typernetesKinds : []), ...subresourceKinds],
    authorizer,
    admission: defaultAdmission(
      {
        informers: () => own.informers!,
        client: () => own.client!,
        authorizer,
        rbac: authorization.rbac,
        clock,
        random,
        kinds: () => server.kinds,
        asking: { webhooks, clock, random, log, metrics: webhookMetrics },
        policyMetrics,
        featureGates: options.featureGates,
      },
      options.admission,
    ),
    behaviours: [
      ...behaviours(options.eventSeconds),
      serviceAllocation({
        ...options,
        client: () => own.client!,
        services: () => own.informers!.of(Service).list(),
        reservations: store.revisionNow ? undefined : portReservations(store),
      }),
    ],
    conversion: conversions({ webhooks, random }),
    metrics: [webhookMetrics, policyMetrics, ...(options.metrics ?? [])],
    ...(options.featureGates ? { featureGates: options.featureGates } : {}),
    aggregation: () => own.aggregation,
    subresources: [...subresources, ...(serviceAccounts ? [tokenSubresource(serviceAccounts, objects, options)] : [])],
    reviews: [...accessReviews(authorizer), ...identityReviews(checkToken, serviceAccounts?.audiences ?? [])],
    ...(options.kubeletConnection ? { kubeletConnection: options.kubeletConnection } : {}),
    ...(options.encryption ? { encryption: options.encryption } : {}),
    ...(options.storageMediaType ? { storageMediaType: options.storageMediaType } : {}),
  })
  const clientFor = (user: UserInfo, userAgent = 't8s') =>
    directClient(server.handler, { userAgent, user: { ...user, groups: [...user.groups, 'system:authenticated'] } })
  const client = clientFor({ name: 'system:apiserver', groups: ['system:masters'] }, 'kube-apiserver')
  const informers = newInformers({ client, clock, log })
  own.client = client
  own.informers = informers
  own.objects = boundObjects(informers)
  authorization.use(options.authorizers)
  await server.ready()
  await Promise.all([Service, APIService, ...RESOLVER_CACHES, ...ADMISSION_CACHES].map(kind => informers.of(kind).synced()))
  const aggregation = new Aggregation({ client, informers, resolver, clock, log, credential: options.frontProxy })
  own.aggregation = aggregation
  const localApiServices = keepLocalApiServices({ client, informers, kinds: server.kinds, clock, log })
  const flowSchemaStatus = keepFlowSchemaStatus({ client, informers, clock, log })
  return {
    server,
    informers,
    webhooks,
    clientFor,
    authenticator,
    useAuthorizers: authorization.use,
    documentsAt: address =>
      tokens
        ? [
            tokenIssuerRoute({
              issuer: tokens.issuers[0]!,
              keysUrl: tokens.keysUrl || `https://${address}/openid/v1/jwks`,
              keySet: tokens.verifier.keySet,
            }),
          ]
        : [],
    async shipObjects(at) {
      const serviceAddress = addressAt(addressRange(options.serviceCIDRs[0]!), 0n)
      const { advertiseAddress, securePort } = at
      await bootstrap({
        client,
        log,
        serviceCIDRs: options.serviceCIDRs,
        serviceAddress,
        securePort,
        authentication: options.authentication,
        servesTypernetes: options.servesTypernetes,
        optional: served.kinds,
        tracksLegacyTokensFrom: serviceAccounts ? clock.now() : undefined,
      })
      await localApiServices.registered()
      if (served.kinds.includes(LeaseCandidate) && isGateOn('CoordinatedLeaderElection', options.featureGates ?? {}))
        own.elections = electLeaders({ client, informers, clock, random, log })
      if (advertiseAddress !== undefined)
        own.endpoints = await publishEndpoints({ store, client, clock, log, advertiseAddress, securePort })
    },
    async stop() {
      await own.elections?.[Symbol.asyncDispose]()
      await own.endpoints?.stop()
      webhooks[Symbol.dispose]()
      await localApiServices[Symbol.asyncDispose]()
      await aggregation[Symbol.asyncDispose]()
      await flowSchemaStatus[Symbol.asyncDispose]()
      await informers[Symbol.asyncDispose]()
      await server.stop()
      options.encryption?.stop()
    },
  }
}

function tokenSubresource(accounts: ServiceAccountOptions, objects: ReturnType<typeof boundObjects>, { clock, random }: AssemblyOptions) {
  const issuer = serviceAccountTokenIssuer(accounts.issuers[0]!, tokenSigner(accounts.signingKey), clock, random)
  return serviceAccountToken({ ...accounts, issuer, objects })
}
