import {
  boolean,
  defaulted,
  embedded,
  inline,
  int32,
  int64,
  list,
  map,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { ObjectFieldSelector, ResourceFieldSelector } from './env-var.ts'
import { KeyToPath } from './key-to-path.ts'
import { LocalObjectReference } from './object-reference.ts'

export const DownwardAPIVolumeFile = message('io.k8s.api.core.v1.DownwardAPIVolumeFile', {
  path: required(1, string),
  fieldRef: optional(2, ObjectFieldSelector),
  resourceFieldRef: optional(3, ResourceFieldSelector),
  mode: optional(4, int32),
})
export interface DownwardAPIVolumeFile extends StoredOf<typeof DownwardAPIVolumeFile> {}

export const ClusterTrustBundleProjection = message('io.k8s.api.core.v1.ClusterTrustBundleProjection', {
  name: optional(1, string),
  signerName: optional(2, string, 'Who signs.'),
  labelSelector: optional(3, LabelSelector, 'Which objects are meant, by their labels.'),
  optional: optional(5, boolean),
  path: required(4, string),
})
export interface ClusterTrustBundleProjection extends StoredOf<typeof ClusterTrustBundleProjection> {}

export const ConfigMapProjection = message('io.k8s.api.core.v1.ConfigMapProjection', {
  ...inline(1, LocalObjectReference),
  items: omitempty(2, list(KeyToPath)),
  optional: optional(4, boolean),
})
export interface ConfigMapProjection extends StoredOf<typeof ConfigMapProjection> {}

export const DownwardAPIProjection = message('io.k8s.api.core.v1.DownwardAPIProjection', {
  items: omitempty(1, list(DownwardAPIVolumeFile)),
})
export interface DownwardAPIProjection extends StoredOf<typeof DownwardAPIProjection> {}

export const PodCertificateProjection = message('io.k8s.api.core.v1.PodCertificateProjection', {
  signerName: required(1, string, 'Who signs.'),
  keyType: required(2, string),
  maxExpirationSeconds: optional(3, int32),
  credentialBundlePath: omitempty(4, string),
  keyPath: omitempty(5, string),
  certificateChainPath: omitempty(6, string),
  userAnnotations: omitempty(7, map(string)),
})
export interface PodCertificateProjection extends StoredOf<typeof PodCertificateProjection> {}

export const SecretProjection = message('io.k8s.api.core.v1.SecretProjection', {
  ...inline(1, LocalObjectReference),
  items: omitempty(2, list(KeyToPath)),
  optional: optional(4, boolean),
})
export interface SecretProjection extends StoredOf<typeof SecretProjection> {}

export const ServiceAccountTokenProjection = message('io.k8s.api.core.v1.ServiceAccountTokenProjection', {
  audience: omitempty(1, string),
  expirationSeconds: defaulted(2, int64, 3600, 'After how many seconds it runs out.'),
  path: required(3, string),
})
export interface ServiceAccountTokenProjection extends StoredOf<typeof ServiceAccountTokenProjection> {}

export const VolumeProjection = message('io.k8s.api.core.v1.VolumeProjection', {
  secret: optional(1, SecretProjection),
  downwardAPI: optional(2, DownwardAPIProjection),
  configMap: optional(3, ConfigMapProjection),
  serviceAccountToken: optional(4, ServiceAccountTokenProjection),
  clusterTrustBundle: optional(5, ClusterTrustBundleProjection),
  podCertificate: optional(6, PodCertificateProjection),
})
export interface VolumeProjection extends StoredOf<typeof VolumeProjection> {}

export const ProjectedVolumeSource = message('io.k8s.api.core.v1.ProjectedVolumeSource', {
  sources: embedded(1, list(VolumeProjection, { nullable: true })),
  defaultMode: defaulted(2, int32, 420),
})
export interface ProjectedVolumeSource extends StoredOf<typeof ProjectedVolumeSource> {}
