import {
  boolean,
  defaulted,
  inline,
  list,
  map,
  message,
  nullable,
  omitempty,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import {
  azureFileFields,
  cephFSFields,
  cinderFields,
  flexFields,
  glusterfsFields,
  iscsiFields,
  rbdFields,
  scaleIOFields,
  storageOSFields,
} from './in-tree-volume.ts'
import { NodeSelector } from './node-selector.ts'
import { ObjectReference, SecretReference } from './object-reference.ts'
import { PersistentVolumeAccessMode } from './persistent-volume-access-mode.ts'
import { PersistentVolumeMode } from './persistent-volume-mode.ts'
import { PersistentVolumeReclaimPolicy } from './persistent-volume-reclaim-policy.ts'
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

export const AzureFilePersistentVolumeSource = message('io.k8s.api.core.v1.AzureFilePersistentVolumeSource', {
  ...azureFileFields,
  secretNamespace: nullable(4, string, 'The namespace of the secret; that of the claim if it is not said.'),
})
export interface AzureFilePersistentVolumeSource extends StoredOf<typeof AzureFilePersistentVolumeSource> {}

export const CSIPersistentVolumeSource = message('io.k8s.api.core.v1.CSIPersistentVolumeSource', {
  driver: required(1, string, 'The driver.'),
  volumeHandle: required(2, string, 'How the driver calls the volume; never changes.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
  fsType: omitempty(4, string, 'The type of the file system.'),
  volumeAttributes: omitempty(5, map(string), 'What the driver is told of the volume.'),
  controllerPublishSecretRef: optional(6, SecretReference, 'The secret for attaching.'),
  nodeStageSecretRef: optional(7, SecretReference, 'The secret for making it ready on the node.'),
  nodePublishSecretRef: optional(8, SecretReference, 'The secret for mounting.'),
  controllerExpandSecretRef: optional(9, SecretReference, 'The secret for making it larger.'),
  nodeExpandSecretRef: optional(10, SecretReference, 'The secret for making it larger on the node.'),
})
export interface CSIPersistentVolumeSource extends StoredOf<typeof CSIPersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = message('io.k8s.api.core.v1.CephFSPersistentVolumeSource', cephFSFields(SecretReference))
export interface CephFSPersistentVolumeSource extends StoredOf<typeof CephFSPersistentVolumeSource> {}

export const CinderPersistentVolumeSource = message('io.k8s.api.core.v1.CinderPersistentVolumeSource', cinderFields(SecretReference))
export interface CinderPersistentVolumeSource extends StoredOf<typeof CinderPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = message('io.k8s.api.core.v1.FlexPersistentVolumeSource', flexFields(SecretReference))
export interface FlexPersistentVolumeSource extends StoredOf<typeof FlexPersistentVolumeSource> {}

export const GlusterfsPersistentVolumeSource = message('io.k8s.api.core.v1.GlusterfsPersistentVolumeSource', {
  ...glusterfsFields,
  endpointsNamespace: optional(4, string, 'The namespace of the Endpoints object; that of the claim if it is not said.'),
})
export interface GlusterfsPersistentVolumeSource extends StoredOf<typeof GlusterfsPersistentVolumeSource> {}

export const ISCSIPersistentVolumeSource = message('io.k8s.api.core.v1.ISCSIPersistentVolumeSource', iscsiFields(SecretReference))
export interface ISCSIPersistentVolumeSource extends StoredOf<typeof ISCSIPersistentVolumeSource> {}

export const LocalVolumeSource = message('io.k8s.api.core.v1.LocalVolumeSource', {
  path: required(1, string, 'The path on the node, of a directory or a device.'),
  fsType: optional(2, string, 'The type of the file system.'),
})
export interface LocalVolumeSource extends StoredOf<typeof LocalVolumeSource> {}

export const RBDPersistentVolumeSource = message('io.k8s.api.core.v1.RBDPersistentVolumeSource', rbdFields(SecretReference))
export interface RBDPersistentVolumeSource extends StoredOf<typeof RBDPersistentVolumeSource> {}

export const ScaleIOPersistentVolumeSource = message('io.k8s.api.core.v1.ScaleIOPersistentVolumeSource', scaleIOFields(SecretReference))
export interface ScaleIOPersistentVolumeSource extends StoredOf<typeof ScaleIOPersistentVolumeSource> {}

export const StorageOSPersistentVolumeSource = message(
  'io.k8s.api.core.v1.StorageOSPersistentVolumeSource',
  storageOSFields(ObjectReference),
)
export interface StorageOSPersistentVolumeSource extends StoredOf<typeof StorageOSPersistentVolumeSource> {}

export const PersistentVolumeSource = message('io.k8s.api.core.v1.PersistentVolumeSource', {
  gcePersistentDisk: optional(1, GCEPersistentDiskVolumeSource, 'A disk of GCE.'),
  awsElasticBlockStore: optional(2, AWSElasticBlockStoreVolumeSource, 'A disk of AWS.'),
  hostPath: optional(3, HostPathVolumeSource, 'A path on the node.'),
  glusterfs: optional(4, GlusterfsPersistentVolumeSource, 'A Gluster volume.'),
  nfs: optional(5, NFSVolumeSource, 'An NFS share.'),
  rbd: optional(6, RBDPersistentVolumeSource, 'A Rados device.'),
  iscsi: optional(7, ISCSIPersistentVolumeSource, 'An iSCSI disk.'),
  cinder: optional(8, CinderPersistentVolumeSource, 'A volume of OpenStack.'),
  cephfs: optional(9, CephFSPersistentVolumeSource, 'A Ceph file system.'),
  fc: optional(10, FCVolumeSource, 'A Fibre Channel disk.'),
  flocker: optional(11, FlockerVolumeSource, 'A Flocker volume.'),
  flexVolume: optional(12, FlexPersistentVolumeSource, 'A volume of a plugin on the node.'),
  azureFile: optional(13, AzureFilePersistentVolumeSource, 'A share of Azure.'),
  vsphereVolume: optional(14, VsphereVirtualDiskVolumeSource, 'A disk of vSphere.'),
  quobyte: optional(15, QuobyteVolumeSource, 'A Quobyte volume.'),
  azureDisk: optional(16, AzureDiskVolumeSource, 'A disk of Azure.'),
  photonPersistentDisk: optional(17, PhotonPersistentDiskVolumeSource, 'A Photon disk.'),
  portworxVolume: optional(18, PortworxVolumeSource, 'A Portworx volume.'),
  scaleIO: optional(19, ScaleIOPersistentVolumeSource, 'A ScaleIO volume.'),
  local: optional(20, LocalVolumeSource, 'A disk or directory of one node.'),
  storageos: optional(21, StorageOSPersistentVolumeSource, 'A StorageOS volume.'),
  csi: optional(22, CSIPersistentVolumeSource, 'A volume of a CSI driver.'),
})
export interface PersistentVolumeSource extends StoredOf<typeof PersistentVolumeSource> {}

export const VolumeNodeAffinity = message('io.k8s.api.core.v1.VolumeNodeAffinity', {
  required: optional(1, NodeSelector, 'What a node has to be like to reach the volume.'),
})
export interface VolumeNodeAffinity extends StoredOf<typeof VolumeNodeAffinity> {}

export const PersistentVolumeSpec = message('io.k8s.api.core.v1.PersistentVolumeSpec', {
  capacity: omitempty(1, map(quantity), 'How much storage it has.'),
  ...inline(2, PersistentVolumeSource),
  accessModes: omitempty(3, list(PersistentVolumeAccessMode), 'From where the volume can be mounted, and how.'),
  claimRef: optional(4, ObjectReference, 'The claim that it is bound to.'),
  persistentVolumeReclaimPolicy: defaulted(
    5,
    PersistentVolumeReclaimPolicy,
    'Retain',
    'What becomes of the volume when its claim is gone.',
    'value',
  ),
  storageClassName: omitempty(6, string, 'The storage class.'),
  mountOptions: omitempty(7, list(string), 'Options of the mount.'),
  volumeMode: defaulted(8, PersistentVolumeMode, 'Filesystem', 'Whether the volume has a file system or is a bare block device.'),
  nodeAffinity: optional(9, VolumeNodeAffinity, 'From which nodes it can be reached.'),
  volumeAttributesClassName: optional(10, string, 'The class of the attributes that the volume has.'),
})
export interface PersistentVolumeSpec extends StoredOf<typeof PersistentVolumeSpec> {}
