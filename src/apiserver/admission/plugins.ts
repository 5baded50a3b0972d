import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { MutatingAdmissionPolicy } from '#kinds/admissionregistration/v1/mutating-admission-policy.ts'
import { MutatingAdmissionPolicyBinding } from '#kinds/admissionregistration/v1/mutating-admission-policy-binding.ts'
import { MutatingWebhookConfiguration } from '#kinds/admissionregistration/v1/mutating-webhook-configuration.ts'
import { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { ValidatingAdmissionPolicyBinding } from '#kinds/admissionregistration/v1/validating-admission-policy-binding.ts'
import { ValidatingWebhookConfiguration } from '#kinds/admissionregistration/v1/validating-webhook-configuration.ts'
import { LimitRange } from '#kinds/core/v1/limit-range.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { IngressClass } from '#kinds/networking/v1/ingress-class.ts'
import { RuntimeClass } from '#kinds/node/v1/runtime-class.ts'
import { PriorityClass } from '#kinds/scheduling/v1/priority-class.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { type FeatureGates, isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { RbacAuthorizer } from '../authorization/rbac/rbac-authorizer.ts'
import { type ReviewTarget, reviewWebhook } from '../webhooks/review-webhook.ts'
import type { WebhookUsers } from '../webhooks/webhook-users.ts'
import type { AdmissionPlugin } from './admission.ts'
import { alwaysPullImages, denyServiceExternalIPs, extendedResourceToleration, limitPodHardAntiAffinityTopology } from './by-flag.ts'
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  clusterTrustBundleAttest,
  podCertificateSigning,
} from './certificates.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { type EventRateLimitConfiguration, eventRateLimit } from './event-rate-limit.ts'
import { type ImagePolicyConfiguration, imagePolicyMs, imagePolicyWebhook } from './image-policy-webhook.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceAutoProvision, namespaceExists } from './namespace-existence.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeDeclaredFeatureValidator } from './node-declared-feature-validator.ts'
import { nodeRestriction } from './node-restriction.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references-permission.ts'
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'
import { podGroupWorkloadExists } from './pod-group-workload-exists.ts'
import { type PodNodeSelectorConfiguration, podNodeSelector } from './pod-node-selector.ts'
import { podResizeValidator } from './pod-resize-validator.ts'
import type { PodSecurityConfiguration } from './pod-security/configuration.ts'
import { podSecurity } from './pod-security.ts'
import { type PodTolerationRestrictionConfiguration, podTolerationRestriction } from './pod-toleration-restriction.ts'
import { podTopologyLabels } from './pod-topology-labels.ts'
import { mutatingAdmissionPolicy } from './policies/mutating-admission-policy.ts'
import type { PolicyMetrics } from './policies/policy-metrics.ts'
import { validatingAdmissionPolicy } from './policies/validating-admission-policy.ts'
import { priority } from './priority.ts'
import { privilegedContainers } from './privileged-containers.ts'
import type { ResourceQuotaConfiguration } from './resource-quota/configuration.ts'
import { resourceQuota } from './resource-quota.ts'
import { roleEscalation } from './role-escalation.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { podGroupProtection, storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'
import type { Asking } from './webhooks/ask-webhook.ts'
import { mutatingAdmissionWebhook } from './webhooks/mutating-admission-webhook.ts'
import { validatingAdmissionWebhook } from './webhooks/validating-admission-webhook.ts'

/** What flags say of plugins. */
export interface AdmissionChoice {
  readonly enabled?: readonly string[]
  readonly disabled: readonly string[]
  readonly configured?: PluginConfigurations
  /** Refuses privileged containers (no `--allow-privileged`). */
  readonly forbidsPrivileged?: boolean
}

/** What plugins need. The caches are the server's own, so they are there only once it stands. */
export interface AdmissionContext {
  informers(): Informers
  /** Acts as the server itself. */
  client(): Client
  readonly authorizer: Authorizer
  /** Undefined where roles do not decide. */
  rbac(): RbacAuthorizer | undefined
  readonly clock: Clock
  readonly random: Random
  /** The kinds that are served. */
  kinds(): KindRegistry
  /** How webhooks are asked. */
  readonly asking: Asking
  /** Where checks of policies are counted; absent: nowhere. */
  readonly policyMetrics?: PolicyMetrics
  /** Which gates are on, as `--feature-gates` says it. */
  readonly featureGates?: FeatureGates | undefined
}

/** What single plugins were told (`--admission-control-config-file`). */
export interface PluginConfigurations {
  /** Without it there is no such plugin. */
  readonly eventRateLimit?: EventRateLimitConfiguration
  readonly podNodeSelector?: PodNodeSelectorConfiguration
  readonly podSecurity?: PodSecurityConfiguration
  readonly podTolerationRestriction?: PodTolerationRestrictionConfiguration
  readonly resourceQuota?: ResourceQuotaConfiguration
  /** Without it there is no such plugin. */
  readonly imagePolicyWebhook?: { readonly config: ImagePolicyConfiguration; readonly target: ReviewTarget }
  /** Who the server is to the webhooks of configurations. */
  readonly mutatingWebhookUsers?: WebhookUsers
  readonly validatingWebhookUsers?: WebhookUsers
}

/** The kinds whose caches plugins read: they must have synced before the first write. */
export const ADMISSION_CACHES: readonly AnyKind[] = [
  Namespace,
  Pod,
  LimitRange,
  Node,
  ResourceQuota,
  ServiceAccount,
  PriorityClass,
  StorageClass,
  IngressClass,
  RuntimeClass,
  CSIDriver,
  PersistentVolume,
  PersistentVolumeClaim,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
]

/** Every plugin, in the order in which they run (upstream's `AllOrderedPlugins`). */
function orderedPlugins(
  { informers, client, authorizer, rbac, clock, random, kinds, asking, policyMetrics, featureGates = {} }: AdmissionContext,
  configured: PluginConfigurations,
): readonly AdmissionPlugin[] {
  return [
    namespaceAutoProvision(informers, client),
    namespaceLifecycle(informers),
    namespaceExists(informers),
    limitPodHardAntiAffinityTopology,
    limitRanger(informers),
    serviceAccount(informers, random),
    nodeRestriction(informers, authorizer),
    taintNodesByCondition,
    alwaysPullImages,
    ...imagePolicy(configured, asking),
    podSecurity(informers, configured.podSecurity),
    podNodeSelector(informers, configured.podNodeSelector),
    priority(informers),
    defaultTolerationSeconds(),
    podTolerationRestriction(informers, configured.podTolerationRestriction),
    ...(configured.eventRateLimit ? [eventRateLimit(configured.eventRateLimit, clock)] : []),
    extendedResourceToleration,
    defaultStorageClass(informers),
    storageObjectInUseProtection,
    podGroupProtection,
    ownerReferencesPermissionEnforcement(authorizer, kinds),
    persistentVolumeClaimResize(informers),
    runtimeClass(informers),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    clusterTrustBundleAttest(authorizer),
    podCertificateSigning(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(informers),
    denyServiceExternalIPs,
    podTopologyLabels(informers),
    podGroupWorkloadExists(client),
    ...(isGateOn('NodeDeclaredFeatures', featureGates) ? [nodeDeclaredFeatureValidator(informers)] : []),
    podResizeValidator(informers),
    roleEscalation({ rbac, authorizer }),
    mutatingAdmissionPolicy({ informers, client, kinds, authorizer }),
    mutatingAdmissionWebhook({ ...asking, users: configured.mutatingWebhookUsers }, informers, kinds, authorizer),
    validatingAdmissionPolicy({
      informers,
      client,
      kinds,
      authorizer,
      counting: policyMetrics && { metrics: policyMetrics, monotonic: () => clock.monotonic() },
    }),
    validatingAdmissionWebhook({ ...asking, users: configured.validatingWebhookUsers }, informers, kinds, authorizer),
    resourceQuota({ informers, client, clock, configured: configured.resourceQuota }),
  ]
}

function imagePolicy({ imagePolicyWebhook: configured }: PluginConfigurations, asking: Asking): AdmissionPlugin[] {
  if (!configured) return []
  const { config, target } = configured
  const { webhooks, clock } = asking
  const ask = reviewWebhook(webhooks, target, clock, undefined, imagePolicyMs(config, 'retryBackoff'))
  return [imagePolicyWebhook({ ask, clock, config })]
}

/** The plugins that are on by default, with and without those that flags name (`--enable-` and `--disable-admission-plugins`). */
export function defaultAdmission(context: AdmissionContext, choice: AdmissionChoice = { disabled: [] }): AdmissionPlugin[] {
  const isOn = (name: string) => ALWAYS.has(name) || (choice.enabled?.includes(name) ?? false) || !OPTIONAL.has(name)
  const chosen = orderedPlugins(context, choice.configured ?? {}).filter(
    ({ name }) => isOn(name) && (ALWAYS.has(name) || !choice.disabled.includes(name)),
  )
  return choice.forbidsPrivileged ? [privilegedContainers, ...chosen] : chosen
}

/** Plugins that are on only where a flag says so. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'AlwaysPullImages',
  'DenyServiceExternalIPs',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'ImagePolicyWebhook',
  'LimitPodHardAntiAffinityTopology',
  'NamespaceAutoProvision',
  'NamespaceExists',
  'NodeRestriction',
  'OwnerReferencesPermissionEnforcement',
  'PodNodeSelector',
  'PodTolerationRestriction',
])
/** What upstream does outside of its plugins. */
const ALWAYS: ReadonlySet<string> = new Set(['RoleEscalation', 'PodCertificateRequestSigning'])
