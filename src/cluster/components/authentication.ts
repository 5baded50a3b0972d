import { createHash } from 'node:crypto'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import { authenticatorChain } from '#apiserver/authentication/authenticator-chain.ts'
import { bootstrapTokenAuthenticator } from '#apiserver/authentication/bootstrap-token.ts'
import { clientCertificateAuthenticator } from '#apiserver/authentication/client-certificate.ts'
import { forAudiences } from '#apiserver/authentication/for-audiences.ts'
import { lastUsedLabel } from '#apiserver/authentication/last-used-label.ts'
import { legacyServiceAccountTokenAuthenticator } from '#apiserver/authentication/legacy-service-account-token.ts'
import { type RequestHeaderOptions, requestHeaderAuthenticator } from '#apiserver/authentication/request-header.ts'
import { type ServiceAccountTokenOptions, serviceAccountTokenAuthenticator } from '#apiserver/authentication/service-account-token.ts'
import { tokenCache } from '#apiserver/authentication/token-cache.ts'
import { tokenFileAuthenticator } from '#apiserver/authentication/token-file.ts'
import { webhookTokenAuthenticator } from '#apiserver/authentication/webhook-token.ts'
import type { TokenCheck } from '#apiserver/reviews/identity-reviews.ts'
import { type ReviewTarget, reviewWebhook } from '#apiserver/webhooks/review-webhook.ts'
import type { WebhookClient } from '#apiserver/webhooks/webhook-client.ts'
import type { Logger } from '#base/log/logger.ts'
import { certificateVerifier } from '#base/pki/client-certificate.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Secret } from '#kinds/core/v1/secret.ts'

/** By what clients may prove who they are, beside the tokens of service accounts. Texts of files, not their names. */
export interface AuthenticationOptions {
  /** The authorities of client certificates, as PEM. */
  readonly clientCa?: string | undefined
  /** Proxies in front, known by the authorities in `clientCa` (PEM). */
  readonly requestHeader?: (Omit<RequestHeaderOptions, 'verifier' | 'clock'> & { readonly clientCa: string }) | undefined
  /** Lines of `token,user,uid,"groups"`. */
  readonly tokenFile?: string | undefined
  /** Knows the tokens of issuers outside of the cluster. */
  readonly jwt?: Authenticator | undefined
  /** Who knows further tokens, and how long what it says counts. */
  readonly tokenWebhook?: { readonly target: ReviewTarget; readonly version: 'v1' | 'v1beta1'; readonly keptMs: number } | undefined
  /** Whether secrets in kube-system are tokens by which nodes join. */
  readonly bootstrapTokens?: boolean | undefined
}

/** What the authenticators of a server stand on. */
export interface AuthenticationParts {
  readonly clock: Clock
  readonly log: Logger
  /** Absent: no tokens of service accounts are known. */
  readonly serviceAccounts: ServiceAccountTokenOptions | undefined
  informers(): Informers
  client(): Client
  readonly webhooks: WebhookClient
}

/** How a server finds out who asks. */
export interface Authentication {
  /** For the server's ports: the first that knows the sender decides. */
  readonly authenticator: Authenticator
  /** For TokenReviews: every authenticator of tokens is asked. */
  readonly checkToken: TokenCheck
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64')

/** The authenticators in upstream's order: proxies, certificates, then tokens, of which good ones are remembered for ten seconds. */
export function assembleAuthentication(options: AuthenticationOptions, parts: AuthenticationParts): Authentication {
  const { clock, log } = parts
  const { clientCa, requestHeader } = options
  const tokens = tokenCache(authenticatorChain(tokenAuthenticators(options, parts), log), clock, digest)
  return {
    authenticator: authenticatorChain(
      [
        ...(requestHeader
          ? [requestHeaderAuthenticator({ ...requestHeader, verifier: certificateVerifier(requestHeader.clientCa), clock })]
          : []),
        ...(clientCa ? [clientCertificateAuthenticator(certificateVerifier(clientCa), clock)] : []),
        tokens,
      ],
      log,
    ),
    checkToken: (bearerToken, audiences) =>
      tokens.authenticate({ bearerToken, ...(audiences.length > 0 ? { audiences } : {}), headers: {} }),
  }
}

function tokenAuthenticators(options: AuthenticationOptions, parts: AuthenticationParts): Authenticator[] {
  const { clock, log, serviceAccounts, informers, client, webhooks } = parts
  const { tokenWebhook } = options
  const own = serviceAccounts?.audiences ?? []
  const secret = (namespace: string, name: string) => informers().of(Secret).get(namespace, name)
  return [
    ...(options.tokenFile ? [forAudiences(own, tokenFileAuthenticator(options.tokenFile, digest))] : []),
    ...(serviceAccounts
      ? [
          legacyServiceAccountTokenAuthenticator({ ...serviceAccounts, secret, digest, used: lastUsedLabel(client, clock, log) }),
          serviceAccountTokenAuthenticator(serviceAccounts),
        ]
      : []),
    ...(options.bootstrapTokens
      ? [forAudiences(own, bootstrapTokenAuthenticator({ secret: name => secret('kube-system', name), clock, digest }))]
      : []),
    ...(options.jwt ? [forAudiences(own, options.jwt)] : []),
    ...(tokenWebhook
      ? [
          webhookTokenAuthenticator({
            ...tokenWebhook,
            ask: reviewWebhook(webhooks, tokenWebhook.target, clock),
            clock,
            digest,
            audiences: own,
          }),
        ]
      : []),
  ]
}
