import type { AnyKind } from '#machinery/kind/kind.ts'
import { inOtherVersion } from '#machinery/kind/other-version.ts'
import { MutatingAdmissionPolicy } from './admissionregistration/v1/mutating-admission-policy.ts'
import { MutatingAdmissionPolicyBinding } from './admissionregistration/v1/mutating-admission-policy-binding.ts'
import { StorageVersion } from './apiserverinternal/v1alpha1/storage-version.ts'
import { ClusterTrustBundle } from './certificates/v1beta1/cluster-trust-bundle.ts'
import { PodCertificateRequest } from './certificates/v1beta1/pod-certificate-request.ts'
import { LeaseCandidate } from './coordination/v1beta1/lease-candidate.ts'
import { IPAddress } from './networking/v1/ip-address.ts'
import { ServiceCIDR } from './networking/v1/service-cidr.ts'
import { DeviceClass } from './resource/v1/device-class.ts'
import { ResourceClaim } from './resource/v1/resource-claim.ts'
import { ResourceClaimTemplate } from './resource/v1/resource-claim-template.ts'
import { ResourceSlice } from './resource/v1/resource-slice.ts'
import { ResourcePoolStatusRequest } from './resource/v1alpha3/resource-pool-status-request.ts'
import { betaMessages, claimViews, sliceViews, templateViews } from './resource/v1beta1/device-views.ts'
import { DeviceTaintRule } from './resource/v1beta2/device-taint-rule.ts'
import { PodGroup } from './scheduling/v1alpha2/pod-group.ts'
import { Workload } from './scheduling/v1alpha2/workload.ts'
import { VolumeAttributesClass } from './storage/v1/volume-attributes-class.ts'
import { StorageVersionMigration } from './storagemigration/v1beta1/storage-version-migration.ts'

/** Built-in resources of alpha and beta APIs, which are served only where `--runtime-config` asks for them. */
export const optionalKinds: readonly AnyKind[] = [
  StorageVersion,
  ClusterTrustBundle,
  PodCertificateRequest,
  LeaseCandidate,
  ResourcePoolStatusRequest,
  DeviceTaintRule,
  PodGroup,
  Workload,
  StorageVersionMigration,
  inOtherVersion(MutatingAdmissionPolicy, { version: 'v1alpha1' }),
  inOtherVersion(MutatingAdmissionPolicy, { version: 'v1beta1' }),
  inOtherVersion(MutatingAdmissionPolicyBinding, { version: 'v1alpha1' }),
  inOtherVersion(MutatingAdmissionPolicyBinding, { version: 'v1beta1' }),
  inOtherVersion(ClusterTrustBundle, { version: 'v1alpha1' }),
  inOtherVersion(LeaseCandidate, { version: 'v1alpha2' }),
  inOtherVersion(IPAddress, { version: 'v1beta1' }),
  inOtherVersion(ServiceCIDR, { version: 'v1beta1' }),
  inOtherVersion(DeviceTaintRule, { version: 'v1alpha3' }),
  ...[DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice].map(kind => inOtherVersion(kind, { version: 'v1beta2' })),
  inOtherVersion(DeviceClass, { version: 'v1beta1' }),
  inOtherVersion(ResourceClaim, { version: 'v1beta1', messages: betaMessages, conversion: claimViews }),
  inOtherVersion(ResourceClaimTemplate, { version: 'v1beta1', messages: betaMessages, conversion: templateViews }),
  inOtherVersion(ResourceSlice, { version: 'v1beta1', messages: betaMessages, conversion: sliceViews }),
  inOtherVersion(VolumeAttributesClass, { version: 'v1beta1' }),
]
