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
  path: required(1, string, "The file's path below the mount."),
  fieldRef: optional(2, ObjectFieldSelector, 'A field of the pod.'),
  resourceFieldRef: optional(3, ResourceFieldSelector, 'A resource of a container.'),
  mode: optional(4, int32, 'Permissions of the file.'),
})
export interface DownwardAPIVolumeFile extends StoredOf<typeof DownwardAPIVolumeFile> {}

export const ClusterTrustBundleProjection = message('io.k8s.api.core.v1.ClusterTrustBundleProjection', {
  name: optional(1, string, 'The bundle; instead of a signer.'),
  signerName: optional(2, string, 'Who signs.'),
  labelSelector: optional(3, LabelSelector, 'Which objects are meant, by their labels.'),
  optional: optional(5, boolean, 'Whether it may be absent.'),
  path: required(4, string, "The file, from the volume's root."),
})
export interface ClusterTrustBundleProjection extends StoredOf<typeof ClusterTrustBundleProjection> {}

export const ConfigMapProjection = message('io.k8s.api.core.v1.ConfigMapProjection', {
  ...inline(1, LocalObjectReference),
  items: omitempty(2, list(KeyToPath), 'Which keys become files; all unless said.'),
  optional: optional(4, boolean, 'Whether it may be absent.'),
})
export interface ConfigMapProjection extends StoredOf<typeof ConfigMapProjection> {}

export const DownwardAPIProjection = message('io.k8s.api.core.v1.DownwardAPIProjection', {
  items: omitempty(1, list(DownwardAPIVolumeFile), 'The files, and what is in them.'),
})
export interface DownwardAPIProjection extends StoredOf<typeof DownwardAPIProjection> {}

export const PodCertificateProjection = message('io.k8s.api.core.v1.PodCertificateProjection', {
  signerName: required(1, string, 'Who signs.'),
  keyType: required(2, string, 'The kind of key that is made: `RSA3072`, `ECDSAP256`, `ED25519` and so on.'),
  maxExpirationSeconds: optional(3, int32, 'The longest that the certificate may be good for.'),
  credentialBundlePath: omitempty(4, string, "The file with key and certificates, from the volume's root."),
  keyPath: omitempty(5, string, 'The file with the key alone.'),
  certificateChainPath: omitempty(6, string, 'The file with the certificates alone.'),
  userAnnotations: omitempty(7, map(string), 'What the signer is told besides.'),
})
export interface PodCertificateProjection extends StoredOf<typeof PodCertificateProjection> {}

export const SecretProjection = message('io.k8s.api.core.v1.SecretProjection', {
  ...inline(1, LocalObjectReference),
  items: omitempty(2, list(KeyToPath), 'Which keys become files; all unless said.'),
  optional: optional(4, boolean, 'Whether it may be absent.'),
})
export interface SecretProjection extends StoredOf<typeof SecretProjection> {}

export const ServiceAccountTokenProjection = message('io.k8s.api.core.v1.ServiceAccountTokenProjection', {
  audience: omitempty(1, string, 'For whom the token is meant.'),
  expirationSeconds: defaulted(2, int64, 3600, 'After how many seconds it runs out.'),
  path: required(3, string, "The file's path below the mount."),
})
export interface ServiceAccountTokenProjection extends StoredOf<typeof ServiceAccountTokenProjection> {}

export const VolumeProjection = message('io.k8s.api.core.v1.VolumeProjection', {
  secret: optional(1, SecretProjection, 'The keys of a secret.'),
  downwardAPI: optional(2, DownwardAPIProjection, 'Fields of the pod.'),
  configMap: optional(3, ConfigMapProjection, 'The keys of a config map.'),
  serviceAccountToken: optional(4, ServiceAccountTokenProjection, "A token of the pod's service account."),
  clusterTrustBundle: optional(5, ClusterTrustBundleProjection, 'Certificates to trust.'),
  podCertificate: optional(6, PodCertificateProjection, 'A certificate for the pod.'),
})
export interface VolumeProjection extends StoredOf<typeof VolumeProjection> {}

export const ProjectedVolumeSource = message('io.k8s.api.core.v1.ProjectedVolumeSource', {
  sources: embedded(1, list(VolumeProjection, { nullable: true }), 'What is put into the directory.'),
  defaultMode: defaulted(2, int32, 420, 'Permissions of the files.'),
})
export interface ProjectedVolumeSource extends StoredOf<typeof ProjectedVolumeSource> {}
