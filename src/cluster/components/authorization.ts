import { type AbacPolicy, abacAuthorizer } from '#apiserver/authorization/abac/abac-authorizer.ts'
import { alwaysAllow, alwaysDeny } from '#apiserver/authorization/always.ts'
import type { Authorizer } from '#apiserver/authorization/authorizer.ts'
import { authorizerChain } from '#apiserver/authorization/authorizer-chain.ts'
import { nodeAuthorizer } from '#apiserver/authorization/node/node-authorizer.ts'
import { privilegedGroup } from '#apiserver/authorization/privileged-group.ts'
import { type RbacAuthorizer, rbacAmong, rbacAuthorizer } from '#apiserver/authorization/rbac/rbac-authorizer.ts'
import { type WebhookAuthorizerOptions, webhookAuthorizer } from '#apiserver/authorization/webhook-authorizer.ts'
import { type ReviewTarget, reviewWebhook } from '#apiserver/webhooks/review-webhook.ts'
import type { WebhookClient } from '#apiserver/webhooks/webhook-client.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Informers } from '#client/informers/informer.ts'

/** An authorizer by its type and, of a webhook, whom it asks. */
export type AuthorizerSpec =
  | { readonly type: 'Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny' }
  | { readonly type: 'ABAC'; readonly policies: readonly AbacPolicy[] }
  | WebhookSpec

export interface WebhookSpec extends Omit<WebhookAuthorizerOptions, 'ask' | 'clock' | 'log'> {
  readonly type: 'Webhook'
  readonly target: ReviewTarget
  readonly timeoutMs?: number
}

export interface AuthorizationParts {
  readonly clock: Clock
  readonly log: Logger
  readonly webhooks: WebhookClient
  informers(): Informers
}

/** Who decides what a request may do. */
export interface Authorization {
  readonly authorizer: Authorizer
  rbac(): RbacAuthorizer | undefined
  /** Has others decide from now on; what is under way is decided by those before. */
  use(specs: readonly AuthorizerSpec[]): void
}

/** Members of `system:masters` may do everything; of all others nothing is allowed before {@link Authorization.use} says who decides. */
export function assembleAuthorization(parts: AuthorizationParts): Authorization {
  const masters = privilegedGroup()
  // These keep indexes of the server's caches: there is one of each, whichever chain they are part of.
  const kept = new Map<string, Authorizer>()
  const keep = (type: string, make: () => Authorizer) => {
    const known = kept.get(type) ?? make()
    kept.set(type, known)
    return known
  }
  const authorizerOf = (spec: AuthorizerSpec): Authorizer => {
    const { clock, log, webhooks, informers } = parts
    switch (spec.type) {
      case 'Webhook':
        return webhookAuthorizer({ ...spec, ask: reviewWebhook(webhooks, spec.target, clock, spec.timeoutMs), clock, log })
      case 'RBAC':
        return keep('RBAC', () => rbacAuthorizer(informers()))
      case 'Node':
        return keep('Node', () => nodeAuthorizer(informers()))
      case 'ABAC':
        return abacAuthorizer(spec.policies)
      case 'AlwaysDeny':
        return alwaysDeny
      case 'AlwaysAllow':
        return alwaysAllow
    }
  }
  let current: readonly Authorizer[] = [masters]
  return {
    authorizer: authorizerChain(() => current),
    rbac: () => rbacAmong(current),
    use(specs) {
      current = [masters, ...specs.map(authorizerOf)]
    },
  }
}
