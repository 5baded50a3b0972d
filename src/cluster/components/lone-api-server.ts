import { createHash } from 'node:crypto'
import { ADMISSION_CACHES, defaultAdmission } from '#apiserver/admission/plugins.ts'
import { addressAt, addressRange } from '#apiserver/allocation/service-addresses.ts'
import { serviceAllocation } from '#apiserver/allocation/service-allocation.ts'
import { type ApiServer, createApiServer } from '#apiserver/api-server.ts'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import { authenticatorChain } from '#apiserver/authentication/authenticator-chain.ts'
import { boundObjects } from '#apiserver/authentication/bound-objects.ts'
import { clientCertificateAuthenticator } from '#apiserver/authentication/client-certificate.ts'
import {
  serviceAccountTokenAuthenticator,
  serviceAccountTokenCheck,
  serviceAccountTokenIssuer,
} from '#apiserver/authentication/service-account-token.ts'
import { tokenCache } from '#apiserver/authentication/token-cache.ts'
import { tokenFileAuthenticator } from '#apiserver/authentication/token-file.ts'
import { alwaysAllow, alwaysDeny } from '#apiserver/authorization/always.ts'
import type { Authorizer } from '#apiserver/authorization/authorizer.ts'
import { authorizerChain } from '#apiserver/authorization/authorizer-chain.ts'
import { nodeAuthorizer } from '#apiserver/authorization/node/node-authorizer.ts'
import { privilegedGroup } from '#apiserver/authorization/privileged-group.ts'
import { rbacAmong, rbacAuthorizer } from '#apiserver/authorization/rbac/rbac-authorizer.ts'
import { behaviours } from '#apiserver/behaviours/behaviours.ts'
import { bootstrap } from '#apiserver/bootstrap/bootstrap.ts'
import { tokenIssuerRoute } from '#apiserver/http/token-issuer-route.ts'
import type { KubeletConnection } from '#apiserver/node-streams/kubelet-connection.ts'
import { accessReviews } from '#apiserver/reviews/access-reviews.ts'
import { identityReviews } from '#apiserver/reviews/identity-reviews.ts'
import { serviceAccountToken } from '#apiserver/subresources/service-account-token.ts'
import { subresources } from '#apiserver/subresources/subresources.ts'
import type { Logger } from '#base/log/logger.ts'
import { certificateVerifier } from '#base/pki/client-certificate.ts'
import { tokenSigner, tokenVerifier } from '#base/pki/json-web-token.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers } from '#client/informers/informers.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { builtInKinds, subresourceKinds } from '#kinds/kinds.ts'
import type { Store } from '#store/store.ts'

/** An API server that runs alone, with what upstream's flags say. Texts of files, not their names. */
export interface LoneApiServerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly address: string
  readonly port: number
  readonly advertiseAddress: string
  readonly tls: { readonly certificate: string; readonly key: string }
  readonly clientCa: string | undefined
  readonly tokenFile: string | undefined
  readonly allowsAnonymous: boolean
  /** Names of `--authorization-mode`. */
  readonly authorizationModes: readonly string[]
  readonly admission: { readonly enabled: readonly string[]; readonly disabled: readonly string[] }
  readonly serviceCIDRs: readonly string[]
  readonly nodePortRange: string
  readonly serviceAccounts:
    | {
        /** The first one issues. */
        readonly issuers: readonly string[]
        readonly audiences: readonly string[]
        readonly signingKey: string
        readonly verificationKeys: readonly string[]
      }
    | undefined
  readonly maxReadsInflight: number
  readonly maxWritesInflight: number
  readonly publishesEndpoints: boolean
  readonly kubeletConnection?: KubeletConnection
}

export interface LoneApiServer {
  readonly server: ApiServer
  readonly port: number
  stop(): Promise<void>
}

/** Starts an API server and resolves once it listens; `/readyz` says ok once the objects that every server ships are there. */
export async function startLoneApiServer(options: LoneApiServerOptions): Promise<LoneApiServer> {
  const { store, clock, random, log, serviceAccounts } = options
  const authorizers: Authorizer[] = [privilegedGroup()]
  const own: { client?: Client; informers?: Informers; objects?: ReturnType<typeof boundObjects> } = {}
  const objects: ReturnType<typeof boundObjects> = {
    find: (kind, namespace, name) => own.objects!.find(kind, namespace, name),
    nodeOf: (namespace, pod) => own.objects!.nodeOf(namespace, pod),
  }
  const tokens = serviceAccounts && {
    issuers: serviceAccounts.issuers,
    audiences: serviceAccounts.audiences,
    verifier: tokenVerifier(serviceAccounts.verificationKeys),
    objects,
    clock,
  }
  const authorizer = authorizerChain(authorizers)
  const reviews = [
    ...accessReviews(authorizer),
    ...identityReviews(tokens ? serviceAccountTokenCheck(tokens) : async () => undefined, serviceAccounts?.audiences ?? []),
  ]
  const tokenSubresource = serviceAccounts && [
    serviceAccountToken({
      issuer: serviceAccountTokenIssuer(serviceAccounts.issuers[0]!, tokenSigner(serviceAccounts.signingKey), clock, random),
      objects,
      audiences: serviceAccounts.audiences,
    }),
  ]
  const server = createApiServer({
    store,
    clock,
    random,
    log,
    kinds: [...builtInKinds, ...subresourceKinds],
    authorizer,
    admission: defaultAdmission(
      { informers: () => own.informers!, client: () => own.client!, authorizer, rbac: () => rbacAmong(authorizers), clock, random },
      options.admission,
    ),
    behaviours: [
      ...behaviours,
      serviceAllocation({
        serviceCIDRs: options.serviceCIDRs,
        nodePortRange: options.nodePortRange,
        random,
        client: () => own.client!,
        services: () => own.informers!.of(Service).list(),
      }),
    ],
    subresources: [...subresources, ...(tokenSubresource ?? [])],
    reviews,
    ...(options.kubeletConnection ? { kubeletConnection: options.kubeletConnection } : {}),
  })
  const hold = server.holdReadiness('the objects that every server ships are not there yet')
  const loopback = directClient(server.handler, {
    user: { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] },
    userAgent: 'kube-apiserver/v1.36',
  })
  own.client = loopback
  own.informers = informers({ client: loopback, clock, log })
  own.objects = boundObjects(own.informers)
  authorizers.push(...options.authorizationModes.map(mode => authorizerOf(mode, own.informers!)))
  await server.ready()
  await Promise.all(ADMISSION_CACHES.map(kind => own.informers!.of(kind).synced()))
  const listening = await server.listen({
    address: options.address,
    port: options.port,
    tls: { ...options.tls, ...(options.clientCa ? { clientCa: options.clientCa } : {}) },
    authenticator: authenticatorChain(authenticatorsOf(options, tokens && serviceAccountTokenAuthenticator(tokens)), log),
    allowsAnonymous: options.allowsAnonymous,
    advertised: `${options.advertiseAddress}:${options.port}`,
    documents: tokens
      ? [
          tokenIssuerRoute({
            issuer: tokens.issuers[0]!,
            keysUrl: `https://${options.advertiseAddress}:${options.port}/openid/v1/jwks`,
            keySet: tokens.verifier.keySet,
          }),
        ]
      : [],
    maxReadsInflight: options.maxReadsInflight,
    maxWritesInflight: options.maxWritesInflight,
  })
  await own.informers.of(Service).synced()
  await bootstrap({
    client: loopback,
    log,
    serviceCIDRs: options.serviceCIDRs,
    serviceAddress: addressAt(addressRange(options.serviceCIDRs[0]!), 0n),
    advertiseAddress: options.publishesEndpoints ? options.advertiseAddress : undefined,
    securePort: listening.port,
  })
  hold.release()
  return {
    server,
    port: listening.port,
    async stop() {
      await own.informers?.[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

function authorizerOf(mode: string, shared: Informers): Authorizer {
  switch (mode) {
    case 'RBAC':
      return rbacAuthorizer(shared)
    case 'Node':
      return nodeAuthorizer(shared)
    case 'AlwaysDeny':
      return alwaysDeny
    default:
      return alwaysAllow
  }
}

function authenticatorsOf(options: LoneApiServerOptions, serviceAccountTokens: Authenticator | undefined): Authenticator[] {
  const { clock } = options
  const digest = (text: string) => createHash('sha256').update(text).digest('base64')
  return [
    ...(options.clientCa ? [clientCertificateAuthenticator(certificateVerifier(options.clientCa), clock)] : []),
    ...(options.tokenFile ? [tokenFileAuthenticator(options.tokenFile, digest)] : []),
    ...(serviceAccountTokens ? [tokenCache(serviceAccountTokens, clock, digest)] : []),
  ]
}
