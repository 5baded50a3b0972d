import { bootstrapSignerController } from './bootstrap-signer.ts'
import {
  certificateSigningRequestApprovingController,
  certificateSigningRequestCleanerController,
  certificateSigningRequestSigningController,
} from './certificates.ts'
import { clusterRoleAggregationController } from './clusterrole-aggregation.ts'
import { clusterTrustBundlePublisherController } from './clustertrustbundle-publisher.ts'
import { cronJobController } from './cronjob.ts'
import { daemonSetController } from './daemonset.ts'
import { deploymentController } from './deployment.ts'
import { deviceTaintEvictionController } from './device-taint-eviction.ts'
import { disruptionController } from './disruption.ts'
import { endpointsController } from './endpoints.ts'
import { endpointSliceController } from './endpointslice.ts'
import { endpointSliceMirroringController } from './endpointslice-mirroring.ts'
import { ephemeralVolumeController } from './ephemeral-volume.ts'
import { garbageCollectorController } from './garbage-collector.ts'
import { horizontalPodAutoscalerController } from './horizontalpodautoscaler.ts'
import { jobController } from './job.ts'
import { legacyServiceAccountTokenCleanerController } from './legacy-serviceaccount-token-cleaner.ts'
import { namespaceController } from './namespace.ts'
import { nodeIpamController } from './node-ipam.ts'
import { nodeLifecycleController } from './node-lifecycle.ts'
import { persistentVolumeAttachDetachController } from './persistentvolume-attach-detach.ts'
import { persistentVolumeBinderController } from './persistentvolume-binder.ts'
import { persistentVolumeExpanderController } from './persistentvolume-expander.ts'
import { podGarbageCollectorController } from './pod-garbage-collector.ts'
import { podCertificateRequestCleanerController } from './podcertificaterequest-cleaner.ts'
import { podGroupProtectionController } from './podgroup-protection.ts'
import { replicaSetController } from './replicaset.ts'
import { replicationControllerController } from './replicationcontroller.ts'
import { resourceClaimController } from './resourceclaim.ts'
import { resourcePoolStatusRequestController } from './resourcepoolstatusrequest.ts'
import { resourceQuotaController } from './resourcequota.ts'
import { rootCACertificatePublisherController } from './root-ca-certificate-publisher.ts'
import type { Controller } from './runtime/controller.ts'
import { seLinuxWarningController } from './selinux-warning.ts'
import { serviceCidrController } from './service-cidr.ts'
import { serviceAccountController } from './serviceaccount.ts'
import { serviceAccountTokenController } from './serviceaccount-token.ts'
import { statefulSetController } from './statefulset.ts'
import { storageVersionMigratorController } from './storage-version-migrator.ts'
import { storageVersionGarbageCollectorController } from './storageversion-garbage-collector.ts'
import { taintEvictionController } from './taint-eviction.ts'
import { tokenCleanerController } from './token-cleaner.ts'
import { ttlController } from './ttl.ts'
import { ttlAfterFinishedController } from './ttl-after-finished.ts'
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicy-status.ts'
import {
  persistentVolumeClaimProtectionController,
  persistentVolumeProtectionController,
  volumeAttributesClassProtectionController,
} from './volume-protection.ts'

/** Every controller, in the order in which they start, under upstream's names. */
export const controllers: readonly Controller[] = [
  serviceAccountTokenController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  replicationControllerController,
  podGarbageCollectorController,
  resourceQuotaController,
  namespaceController,
  serviceAccountController,
  garbageCollectorController,
  daemonSetController,
  jobController,
  deploymentController,
  replicaSetController,
  horizontalPodAutoscalerController,
  disruptionController,
  statefulSetController,
  cronJobController,
  certificateSigningRequestSigningController,
  certificateSigningRequestApprovingController,
  certificateSigningRequestCleanerController,
  podCertificateRequestCleanerController,
  ttlController,
  bootstrapSignerController,
  tokenCleanerController,
  nodeIpamController,
  nodeLifecycleController,
  taintEvictionController,
  persistentVolumeBinderController,
  persistentVolumeAttachDetachController,
  persistentVolumeExpanderController,
  clusterRoleAggregationController,
  persistentVolumeClaimProtectionController,
  persistentVolumeProtectionController,
  volumeAttributesClassProtectionController,
  podGroupProtectionController,
  ttlAfterFinishedController,
  rootCACertificatePublisherController,
  clusterTrustBundlePublisherController,
  ephemeralVolumeController,
  storageVersionGarbageCollectorController,
  resourceClaimController,
  deviceTaintEvictionController,
  resourcePoolStatusRequestController,
  legacyServiceAccountTokenCleanerController,
  validatingAdmissionPolicyStatusController,
  serviceCidrController,
  storageVersionMigratorController,
  seLinuxWarningController,
]

/** Those that run only when they are asked for by name: `*` does not mean them. */
export const disabledByDefault: ReadonlySet<string> = new Set([
  'bootstrap-signer-controller',
  'token-cleaner-controller',
  'selinux-warning-controller',
])

/** Older names, which `--controllers` takes as well (kubeadm writes some of them). */
const ALIASES: Readonly<Record<string, string>> = {
  'serviceaccount-token': 'serviceaccount-token-controller',
  endpoint: 'endpoints-controller',
  endpointslice: 'endpointslice-controller',
  endpointslicemirroring: 'endpointslice-mirroring-controller',
  replicationcontroller: 'replicationcontroller-controller',
  podgc: 'pod-garbage-collector-controller',
  resourcequota: 'resourcequota-controller',
  namespace: 'namespace-controller',
  serviceaccount: 'serviceaccount-controller',
  garbagecollector: 'garbage-collector-controller',
  daemonset: 'daemonset-controller',
  job: 'job-controller',
  deployment: 'deployment-controller',
  replicaset: 'replicaset-controller',
  horizontalpodautoscaling: 'horizontal-pod-autoscaler-controller',
  disruption: 'disruption-controller',
  statefulset: 'statefulset-controller',
  cronjob: 'cronjob-controller',
  csrsigning: 'certificatesigningrequest-signing-controller',
  csrapproving: 'certificatesigningrequest-approving-controller',
  csrcleaner: 'certificatesigningrequest-cleaner-controller',
  ttl: 'ttl-controller',
  bootstrapsigner: 'bootstrap-signer-controller',
  tokencleaner: 'token-cleaner-controller',
  nodeipam: 'node-ipam-controller',
  nodelifecycle: 'node-lifecycle-controller',
  'persistentvolume-binder': 'persistentvolume-binder-controller',
  attachdetach: 'persistentvolume-attach-detach-controller',
  'persistentvolume-expander': 'persistentvolume-expander-controller',
  'clusterrole-aggregation': 'clusterrole-aggregation-controller',
  'pvc-protection': 'persistentvolumeclaim-protection-controller',
  'pv-protection': 'persistentvolume-protection-controller',
  'ttl-after-finished': 'ttl-after-finished-controller',
  'root-ca-cert-publisher': 'root-ca-certificate-publisher-controller',
  'ephemeral-volume': 'ephemeral-volume-controller',
  'resource-claim-controller': 'resourceclaim-controller',
  'legacy-service-account-token-cleaner': 'legacy-serviceaccount-token-cleaner-controller',
}

/** Controllers that upstream's list has and that run in the cloud controller manager. */
const ELSEWHERE: ReadonlySet<string> = new Set(['service-lb-controller', 'node-route-controller', 'cloud-node-lifecycle-controller'])

/** What `--controllers` means by its entries: older names become today's. Throws at a name that no controller has. */
export function readControllerNames(entries: readonly string[]): readonly string[] {
  return entries.map(entry => {
    if (entry === '*') return entry
    const minus = entry.startsWith('-') ? '-' : ''
    const given = entry.slice(minus.length)
    const name = ALIASES[given] ?? given
    if (!ELSEWHERE.has(name) && !controllers.some(controller => controller.name === name))
      throw new Error(`"${given}" is not in the list of known controllers`)
    return minus + name
  })
}

/** Whether `--controllers` asks for the controller: its name, or `*` and not its name with a `-` before it. */
export function isEnabled(name: string, enabled: readonly string[]): boolean {
  if (enabled.includes(name)) return true
  if (enabled.includes(`-${name}`)) return false
  return enabled.includes('*') && !disabledByDefault.has(name)
}
