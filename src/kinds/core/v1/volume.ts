import {
  boolean,
  defaulted,
  inline,
  int32,
  list,
  map,
  message,
  omitempty,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { tagOf } from './container.ts'
import {
  AzureFileVolumeSource,
  CephFSVolumeSource,
  CinderVolumeSource,
  FlexVolumeSource,
  GlusterfsVolumeSource,
  ISCSIVolumeSource,
  RBDVolumeSource,
  ScaleIOVolumeSource,
  StorageOSVolumeSource,
} from './in-tree-volume.ts'
import { KeyToPath } from './key-to-path.ts'
import { LocalObjectReference } from './object-reference.ts'
import { PersistentVolumeClaimTemplate } from './persistent-volume-claim-spec.ts'
import { DownwardAPIVolumeFile, ProjectedVolumeSource } from './projected-volume.ts'
import { PullPolicy } from './pull-policy.ts'
import {
  AWSElasticBlockStoreVolumeSource,
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  GCEPersistentDiskVolumeSource,
  HostPathVolumeSource,
  NFSVolumeSource,
  PhotonPersistentDiskVolumeSource,
  PortworxVolumeSource,
  QuobyteVolumeSource,
  VsphereVirtualDiskVolumeSource,
} from './volume-backend.ts'

export const CSIVolumeSource = message('io.k8s.api.core.v1.CSIVolumeSource', {
  driver: required(1, string),
  readOnly: optional(2, boolean, 'Whether it can only be read.'),
  fsType: optional(3, string, 'The type of the file system.'),
  volumeAttributes: omitempty(4, map(string)),
  nodePublishSecretRef: optional(5, LocalObjectReference),
})
export interface CSIVolumeSource extends StoredOf<typeof CSIVolumeSource> {}

export const ConfigMapVolumeSource = message('io.k8s.api.core.v1.ConfigMapVolumeSource', {
  ...inline(1, LocalObjectReference),
  items: omitempty(2, list(KeyToPath), 'Which keys to which files; all of them if empty.'),
  defaultMode: defaulted(3, int32, 420, 'Permissions of the files.'),
  optional: optional(4, boolean, 'Whether it may be absent.'),
})
export interface ConfigMapVolumeSource extends StoredOf<typeof ConfigMapVolumeSource> {}

export const DownwardAPIVolumeSource = message('io.k8s.api.core.v1.DownwardAPIVolumeSource', {
  items: omitempty(1, list(DownwardAPIVolumeFile)),
  defaultMode: defaulted(2, int32, 420),
})
export interface DownwardAPIVolumeSource extends StoredOf<typeof DownwardAPIVolumeSource> {}

export const EmptyDirVolumeSource = message('io.k8s.api.core.v1.EmptyDirVolumeSource', {
  medium: omitempty(1, string, '`Memory` keeps it in memory.'),
  sizeLimit: optional(2, quantity, 'How large it may grow.'),
})
export interface EmptyDirVolumeSource extends StoredOf<typeof EmptyDirVolumeSource> {}

export const EphemeralVolumeSource = message('io.k8s.api.core.v1.EphemeralVolumeSource', {
  volumeClaimTemplate: optional(1, PersistentVolumeClaimTemplate),
})
export interface EphemeralVolumeSource extends StoredOf<typeof EphemeralVolumeSource> {}

export const GitRepoVolumeSource = message('io.k8s.api.core.v1.GitRepoVolumeSource', {
  repository: required(1, string),
  revision: omitempty(2, string),
  directory: omitempty(3, string),
})
export interface GitRepoVolumeSource extends StoredOf<typeof GitRepoVolumeSource> {}

export const ImageVolumeSource = message(
  'io.k8s.api.core.v1.ImageVolumeSource',
  {
    reference: omitempty(1, string),
    pullPolicy: omitempty(2, PullPolicy),
  },
  {
    applyDefaults(image) {
      image.pullPolicy ||= tagOf(image.reference ?? '') === 'latest' ? 'Always' : 'IfNotPresent'
    },
  },
)
export interface ImageVolumeSource extends StoredOf<typeof ImageVolumeSource> {}

export const PersistentVolumeClaimVolumeSource = message('io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource', {
  claimName: required(1, string, 'The claim.'),
  readOnly: omitempty(2, boolean, 'Whether it can only be read.'),
})
export interface PersistentVolumeClaimVolumeSource extends StoredOf<typeof PersistentVolumeClaimVolumeSource> {}

export const SecretVolumeSource = message('io.k8s.api.core.v1.SecretVolumeSource', {
  secretName: omitempty(1, string, 'The secret.'),
  items: omitempty(2, list(KeyToPath), 'Which keys to which files; all of them if empty.'),
  defaultMode: defaulted(3, int32, 420, 'Permissions of the files.'),
  optional: optional(4, boolean, 'Whether it may be absent.'),
})
export interface SecretVolumeSource extends StoredOf<typeof SecretVolumeSource> {}

export const VolumeSource = message('io.k8s.api.core.v1.VolumeSource', {
  hostPath: optional(1, HostPathVolumeSource),
  emptyDir: optional(2, EmptyDirVolumeSource),
  gcePersistentDisk: optional(3, GCEPersistentDiskVolumeSource),
  awsElasticBlockStore: optional(4, AWSElasticBlockStoreVolumeSource),
  gitRepo: optional(5, GitRepoVolumeSource),
  secret: optional(6, SecretVolumeSource),
  nfs: optional(7, NFSVolumeSource),
  iscsi: optional(8, ISCSIVolumeSource),
  glusterfs: optional(9, GlusterfsVolumeSource),
  persistentVolumeClaim: optional(10, PersistentVolumeClaimVolumeSource),
  rbd: optional(11, RBDVolumeSource),
  flexVolume: optional(12, FlexVolumeSource),
  cinder: optional(13, CinderVolumeSource),
  cephfs: optional(14, CephFSVolumeSource),
  flocker: optional(15, FlockerVolumeSource),
  downwardAPI: optional(16, DownwardAPIVolumeSource),
  fc: optional(17, FCVolumeSource),
  azureFile: optional(18, AzureFileVolumeSource),
  configMap: optional(19, ConfigMapVolumeSource),
  vsphereVolume: optional(20, VsphereVirtualDiskVolumeSource),
  quobyte: optional(21, QuobyteVolumeSource),
  azureDisk: optional(22, AzureDiskVolumeSource),
  photonPersistentDisk: optional(23, PhotonPersistentDiskVolumeSource),
  projected: optional(26, ProjectedVolumeSource),
  portworxVolume: optional(24, PortworxVolumeSource),
  scaleIO: optional(25, ScaleIOVolumeSource),
  storageos: optional(27, StorageOSVolumeSource),
  csi: optional(28, CSIVolumeSource),
  ephemeral: optional(29, EphemeralVolumeSource),
  image: optional(30, ImageVolumeSource),
})
export interface VolumeSource extends StoredOf<typeof VolumeSource> {}

export const Volume = message(
  'io.k8s.api.core.v1.Volume',
  {
    name: required(1, string, 'The name of the volume, a DNS label unique in its pod.'),
    ...inline(2, VolumeSource),
  },
  {
    applyDefaults(volume) {
      if (Object.keys(volume).every(key => key === 'name')) volume.emptyDir = {}
    },
  },
)
export interface Volume extends StoredOf<typeof Volume> {}
