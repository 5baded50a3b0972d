import type { Logger } from '#base/log/logger.ts'
import type { Client } from '#client/client.ts'
import type { ServedBeside } from '../authorization/rbac/bootstrap-policy.ts'
import { reconcilePolicy } from '../authorization/rbac/reconcile-policy.ts'
import { type ExtensionAuthentication, ensureExtensionAuthentication } from './extension-authentication.ts'
import { ensureFlowControl } from './flow-control.ts'
import { ensureKubernetesService, type KubernetesServiceOptions } from './kubernetes-service.ts'
import { ensureLegacyTokenTracking } from './legacy-token-tracking.ts'
import { ensureNamespaces } from './namespaces.ts'
import { ensurePriorityClasses } from './priority-classes.ts'
import { ensureServiceCIDR } from './service-cidr.ts'

export interface BootstrapOptions extends KubernetesServiceOptions, ServedBeside {
  /** Acts as the server itself, in `system:masters`. */
  readonly client: Client
  /** `--service-cluster-ip-range`, one or two. */
  readonly serviceCIDRs: readonly string[]
  readonly log: Logger
  /** Whether tokens of service accounts that are kept in secrets are known: since when, in milliseconds since the epoch, is noted down. */
  readonly tracksLegacyTokensFrom?: number | undefined
  /** What aggregated servers are told of how clients are known. */
  readonly authentication?: ExtensionAuthentication | undefined
}

/** Makes sure of the objects that every server ships: what is missing is created, the rest is as upstream reconciles it. Safe to run at every start. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { client, serviceCIDRs, authentication = {}, tracksLegacyTokensFrom } = options
  await ensureNamespaces(client)
  await Promise.all([
    reconcilePolicy(client, options),
    ensurePriorityClasses(client),
    ensureFlowControl(client),
    ensureServiceCIDR(client, serviceCIDRs),
    ensureExtensionAuthentication(client, authentication),
    ...(tracksLegacyTokensFrom === undefined ? [] : [ensureLegacyTokenTracking(client, tracksLegacyTokensFrom)]),
  ])
  await ensureKubernetesService(client, options)
}
