import type { AnyKind } from '#machinery/kind/kind.ts'
import { StorageVersion } from './apiserverinternal/v1alpha1/storage-version.ts'
import { ClusterTrustBundle } from './certificates/v1beta1/cluster-trust-bundle.ts'
import { PodCertificateRequest } from './certificates/v1beta1/pod-certificate-request.ts'
import { ResourcePoolStatusRequest } from './resource/v1alpha3/resource-pool-status-request.ts'
import { DeviceTaintRule } from './resource/v1beta2/device-taint-rule.ts'
import { PodGroup } from './scheduling/v1alpha2/pod-group.ts'
import { StorageVersionMigration } from './storagemigration/v1beta1/storage-version-migration.ts'

/** Built-in resources of alpha and beta APIs, which are served only where `--runtime-config` asks for them. */
export const optionalKinds: readonly AnyKind[] = [
  StorageVersion,
  ClusterTrustBundle,
  PodCertificateRequest,
  ResourcePoolStatusRequest,
  DeviceTaintRule,
  PodGroup,
  StorageVersionMigration,
]
