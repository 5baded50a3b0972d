import {
  certificateSigningRequestApprovingController,
  certificateSigningRequestCleanerController,
  certificateSigningRequestSigningController,
} from './certificates.ts'
import { clusterRoleAggregationController } from './clusterrole-aggregation.ts'
import { cronJobController } from './cronjob.ts'
import { daemonSetController } from './daemonset.ts'
import { deploymentController } from './deployment.ts'
import { disruptionController } from './disruption.ts'
import { endpointsController } from './endpoints.ts'
import { endpointSliceController } from './endpointslice.ts'
import { endpointSliceMirroringController } from './endpointslice-mirroring.ts'
import { ephemeralVolumeController } from './ephemeral-volume.ts'
import { garbageCollectorController } from './garbage-collector.ts'
import { horizontalPodAutoscalerController } from './horizontalpodautoscaler.ts'
import { jobController } from './job.ts'
import { namespaceController } from './namespace.ts'
import { nodeIpamController } from './node-ipam.ts'
import { nodeLifecycleController } from './node-lifecycle.ts'
import { persistentVolumeBinderController } from './persistentvolume-binder.ts'
import { podGarbageCollectorController } from './pod-garbage-collector.ts'
import { replicaSetController } from './replicaset.ts'
import { replicationControllerController } from './replicationcontroller.ts'
import { resourceQuotaController } from './resourcequota.ts'
import { rootCACertificatePublisherController } from './root-ca-certificate-publisher.ts'
import type { Controller } from './runtime/controller.ts'
import { serviceCidrController } from './service-cidr.ts'
import { serviceAccountController } from './serviceaccount.ts'
import { serviceAccountTokenController } from './serviceaccount-token.ts'
import { statefulSetController } from './statefulset.ts'
import { taintEvictionController } from './taint-eviction.ts'
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
  ttlController,
  nodeIpamController,
  nodeLifecycleController,
  taintEvictionController,
  persistentVolumeBinderController,
  clusterRoleAggregationController,
  persistentVolumeClaimProtectionController,
  persistentVolumeProtectionController,
  volumeAttributesClassProtectionController,
  ttlAfterFinishedController,
  rootCACertificatePublisherController,
  ephemeralVolumeController,
  validatingAdmissionPolicyStatusController,
  serviceCidrController,
]

/** Those that run only when they are asked for by name: `*` does not mean them. */
export const disabledByDefault: ReadonlySet<string> = new Set([
  'bootstrap-signer-controller',
  'token-cleaner-controller',
  'selinux-warning-controller',
])

/** Whether `--controllers` asks for the controller: its name, or `*` and not its name with a `-` before it. */
export function isEnabled(name: string, enabled: readonly string[]): boolean {
  if (enabled.includes(name)) return true
  if (enabled.includes(`-${name}`)) return false
  return enabled.includes('*') && !disabledByDefault.has(name)
}
