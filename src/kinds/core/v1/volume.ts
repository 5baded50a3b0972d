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
  driver: required(1, string, 'The driver.'),
  readOnly: optional(2, boolean, 'Whether it can only be read.'),
  fsType: optional(3, string, 'The type of the file system.'),
  volumeAttributes: omitempty(4, map(string), 'What the driver is told of the volume.'),
  nodePublishSecretRef: optional(5, LocalObjectReference, 'The secret for mounting.'),
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
  items: omitempty(1, list(DownwardAPIVolumeFile), 'The files, and what is in them.'),
  defaultMode: defaulted(2, int32, 420, 'Permissions of the files.'),
})
export interface DownwardAPIVolumeSource extends StoredOf<typeof DownwardAPIVolumeSource> {}

export const EmptyDirVolumeSource = message('io.k8s.api.core.v1.EmptyDirVolumeSource', {
  medium: omitempty(1, string, '`Memory` keeps it in memory.'),
  sizeLimit: optional(2, quantity, 'How large it may grow.'),
})
export interface EmptyDirVolumeSource extends StoredOf<typeof EmptyDirVolumeSource> {}

export const EphemeralVolumeSource = message('io.k8s.api.core.v1.EphemeralVolumeSource', {
  volumeClaimTemplate: optional(1, PersistentVolumeClaimTemplate, 'The claim that is made with the pod, and goes with it.'),
})
export interface EphemeralVolumeSource extends StoredOf<typeof EphemeralVolumeSource> {}

export const GitRepoVolumeSource = message('io.k8s.api.core.v1.GitRepoVolumeSource', {
  repository: required(1, string, 'The URL of the repository.'),
  revision: omitempty(2, string, 'The commit.'),
  directory: omitempty(3, string, 'The directory within the volume; `.` is the volume itself.'),
})
export interface GitRepoVolumeSource extends StoredOf<typeof GitRepoVolumeSource> {}

export const ImageVolumeSource = message(
  'io.k8s.api.core.v1.ImageVolumeSource',
  {
    reference: omitempty(1, string, 'The image or artifact that is mounted.'),
    pullPolicy: omitempty(2, PullPolicy, 'When it is pulled.'),
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
  hostPath: optional(1, HostPathVolumeSource, 'A path on the node.'),
  emptyDir: optional(2, EmptyDirVolumeSource, 'A directory that lives as long as the pod.'),
  gcePersistentDisk: optional(3, GCEPersistentDiskVolumeSource, 'A disk of GCE.'),
  awsElasticBlockStore: optional(4, AWSElasticBlockStoreVolumeSource, 'A disk of AWS.'),
  gitRepo: optional(5, GitRepoVolumeSource, 'A git repository. Out of use.'),
  secret: optional(6, SecretVolumeSource, 'The keys of a secret.'),
  nfs: optional(7, NFSVolumeSource, 'An NFS share.'),
  iscsi: optional(8, ISCSIVolumeSource, 'An iSCSI disk.'),
  glusterfs: optional(9, GlusterfsVolumeSource, 'A Gluster volume.'),
  persistentVolumeClaim: optional(10, PersistentVolumeClaimVolumeSource, 'A claim in the same namespace.'),
  rbd: optional(11, RBDVolumeSource, 'A Rados device.'),
  flexVolume: optional(12, FlexVolumeSource, 'A volume of a plugin on the node.'),
  cinder: optional(13, CinderVolumeSource, 'A volume of OpenStack.'),
  cephfs: optional(14, CephFSVolumeSource, 'A Ceph file system.'),
  flocker: optional(15, FlockerVolumeSource, 'A Flocker volume.'),
  downwardAPI: optional(16, DownwardAPIVolumeSource, 'Fields of the pod.'),
  fc: optional(17, FCVolumeSource, 'A Fibre Channel disk.'),
  azureFile: optional(18, AzureFileVolumeSource, 'A share of Azure.'),
  configMap: optional(19, ConfigMapVolumeSource, 'The keys of a config map.'),
  vsphereVolume: optional(20, VsphereVirtualDiskVolumeSource, 'A disk of vSphere.'),
  quobyte: optional(21, QuobyteVolumeSource, 'A Quobyte volume.'),
  azureDisk: optional(22, AzureDiskVolumeSource, 'A disk of Azure.'),
  photonPersistentDisk: optional(23, PhotonPersistentDiskVolumeSource, 'A Photon disk.'),
  projected: optional(26, ProjectedVolumeSource, 'Several sources in one directory.'),
  portworxVolume: optional(24, PortworxVolumeSource, 'A Portworx volume.'),
  scaleIO: optional(25, ScaleIOVolumeSource, 'A ScaleIO volume.'),
  storageos: optional(27, StorageOSVolumeSource, 'A StorageOS volume.'),
  csi: optional(28, CSIVolumeSource, 'A volume of a CSI driver.'),
  ephemeral: optional(29, EphemeralVolumeSource, 'A claim that lives as long as the pod.'),
  image: optional(30, ImageVolumeSource, 'The files of an image.'),
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
