import {
  boolean,
  defaulted,
  int32,
  list,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'

export const AWSElasticBlockStoreVolumeSource = message('io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource', {
  volumeID: required(1, string, 'The id of the volume at its provider.'),
  fsType: omitempty(2, string, 'The type of the file system.'),
  partition: omitempty(3, int32, 'The partition that is mounted.'),
  readOnly: omitempty(4, boolean, 'Whether it can only be read.'),
})
export interface AWSElasticBlockStoreVolumeSource extends StoredOf<typeof AWSElasticBlockStoreVolumeSource> {}

export const AzureDiskVolumeSource = message('io.k8s.api.core.v1.AzureDiskVolumeSource', {
  diskName: required(1, string, 'The name of the disk.'),
  diskURI: required(2, string, 'The URI of the disk.'),
  cachingMode: defaulted(3, oneOf('None', 'ReadOnly', 'ReadWrite'), 'ReadWrite', 'How the host caches it.'),
  fsType: defaulted(4, string, 'ext4', 'The type of the file system.'),
  readOnly: defaulted(5, boolean, false, 'Whether it can only be read.'),
  kind: defaulted(
    6,
    oneOf('Shared', 'Dedicated', 'Managed'),
    'Shared',
    'How the disk is kept: in an account that is shared, or its own, or managed.',
  ),
})
export interface AzureDiskVolumeSource extends StoredOf<typeof AzureDiskVolumeSource> {}

export const FCVolumeSource = message('io.k8s.api.core.v1.FCVolumeSource', {
  targetWWNs: omitempty(1, list(string), 'The names of the targets.'),
  lun: optional(2, int32, 'The number of the unit.'),
  fsType: omitempty(3, string, 'The type of the file system.'),
  readOnly: omitempty(4, boolean, 'Whether it can only be read.'),
  wwids: omitempty(5, list(string), 'The ids of the volume: either these, or targets and a unit.'),
})
export interface FCVolumeSource extends StoredOf<typeof FCVolumeSource> {}

export const FlockerVolumeSource = message('io.k8s.api.core.v1.FlockerVolumeSource', {
  datasetName: omitempty(1, string, 'The name of the dataset.'),
  datasetUUID: omitempty(2, string, 'The UUID of the dataset.'),
})
export interface FlockerVolumeSource extends StoredOf<typeof FlockerVolumeSource> {}

export const GCEPersistentDiskVolumeSource = message('io.k8s.api.core.v1.GCEPersistentDiskVolumeSource', {
  pdName: required(1, string, 'The name of the disk.'),
  fsType: omitempty(2, string, 'The type of the file system.'),
  partition: omitempty(3, int32, 'The partition that is mounted.'),
  readOnly: omitempty(4, boolean, 'Whether it can only be read.'),
})
export interface GCEPersistentDiskVolumeSource extends StoredOf<typeof GCEPersistentDiskVolumeSource> {}

export const HostPathVolumeSource = message('io.k8s.api.core.v1.HostPathVolumeSource', {
  path: required(1, string, 'The path on the node.'),
  type: defaulted(
    2,
    oneOf('', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'),
    '',
    'What must be there.',
  ),
})
export interface HostPathVolumeSource extends StoredOf<typeof HostPathVolumeSource> {}

export const NFSVolumeSource = message('io.k8s.api.core.v1.NFSVolumeSource', {
  server: required(1, string, 'The address of the server.'),
  path: required(2, string, 'The path on the server.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
})
export interface NFSVolumeSource extends StoredOf<typeof NFSVolumeSource> {}

export const PhotonPersistentDiskVolumeSource = message('io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource', {
  pdID: required(1, string, 'The id of the disk.'),
  fsType: omitempty(2, string, 'The type of the file system.'),
})
export interface PhotonPersistentDiskVolumeSource extends StoredOf<typeof PhotonPersistentDiskVolumeSource> {}

export const PortworxVolumeSource = message('io.k8s.api.core.v1.PortworxVolumeSource', {
  volumeID: required(1, string, 'The id of the volume at its provider.'),
  fsType: omitempty(2, string, 'The type of the file system.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
})
export interface PortworxVolumeSource extends StoredOf<typeof PortworxVolumeSource> {}

export const QuobyteVolumeSource = message('io.k8s.api.core.v1.QuobyteVolumeSource', {
  registry: required(1, string, "Addresses of the registry's servers, with commas between."),
  volume: required(2, string, 'The name of the volume.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
  user: omitempty(4, string, 'The user as whom it is mounted.'),
  group: omitempty(5, string, 'The group as which it is mounted.'),
  tenant: omitempty(6, string, 'The tenant that owns it.'),
})
export interface QuobyteVolumeSource extends StoredOf<typeof QuobyteVolumeSource> {}

export const VsphereVirtualDiskVolumeSource = message('io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource', {
  volumePath: required(1, string, 'The path of the disk.'),
  fsType: omitempty(2, string, 'The type of the file system.'),
  storagePolicyName: omitempty(3, string, 'The name of its storage policy.'),
  storagePolicyID: omitempty(4, string, 'The id of its storage policy.'),
})
export interface VsphereVirtualDiskVolumeSource extends StoredOf<typeof VsphereVirtualDiskVolumeSource> {}
