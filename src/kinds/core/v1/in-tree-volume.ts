import {
  boolean,
  defaulted,
  int32,
  list,
  map,
  message,
  needed,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { LocalObjectReference } from './object-reference.ts'

export const AzureFileVolumeSource = message('io.k8s.api.core.v1.AzureFileVolumeSource', {
  secretName: required(1, string),
  shareName: required(2, string),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
})
export interface AzureFileVolumeSource extends StoredOf<typeof AzureFileVolumeSource> {}

export const CephFSVolumeSource = message('io.k8s.api.core.v1.CephFSVolumeSource', {
  monitors: required(1, list(string)),
  path: omitempty(2, string),
  user: omitempty(3, string),
  secretFile: omitempty(4, string),
  secretRef: optional(5, LocalObjectReference, 'The secret that holds the credentials.'),
  readOnly: omitempty(6, boolean, 'Whether it can only be read.'),
})
export interface CephFSVolumeSource extends StoredOf<typeof CephFSVolumeSource> {}

export const CinderVolumeSource = message('io.k8s.api.core.v1.CinderVolumeSource', {
  volumeID: required(1, string),
  fsType: omitempty(2, string, 'The type of the file system.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
  secretRef: optional(4, LocalObjectReference, 'The secret that holds the credentials.'),
})
export interface CinderVolumeSource extends StoredOf<typeof CinderVolumeSource> {}

export const FlexVolumeSource = message('io.k8s.api.core.v1.FlexVolumeSource', {
  driver: required(1, string),
  fsType: omitempty(2, string, 'The type of the file system.'),
  secretRef: optional(3, LocalObjectReference, 'The secret that holds the credentials.'),
  readOnly: omitempty(4, boolean, 'Whether it can only be read.'),
  options: omitempty(5, map(string)),
})
export interface FlexVolumeSource extends StoredOf<typeof FlexVolumeSource> {}

export const GlusterfsVolumeSource = message('io.k8s.api.core.v1.GlusterfsVolumeSource', {
  endpoints: required(1, string),
  path: required(2, string),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
})
export interface GlusterfsVolumeSource extends StoredOf<typeof GlusterfsVolumeSource> {}

export const ISCSIVolumeSource = message('io.k8s.api.core.v1.ISCSIVolumeSource', {
  targetPortal: required(1, string),
  iqn: required(2, string),
  lun: required(3, int32),
  iscsiInterface: defaulted(4, string, 'default', '', 'value'),
  fsType: omitempty(5, string, 'The type of the file system.'),
  readOnly: omitempty(6, boolean, 'Whether it can only be read.'),
  portals: omitempty(7, list(string)),
  chapAuthDiscovery: omitempty(8, boolean),
  chapAuthSession: omitempty(11, boolean),
  secretRef: optional(10, LocalObjectReference, 'The secret that holds the credentials.'),
  initiatorName: optional(12, string),
})
export interface ISCSIVolumeSource extends StoredOf<typeof ISCSIVolumeSource> {}

export const RBDVolumeSource = message('io.k8s.api.core.v1.RBDVolumeSource', {
  monitors: required(1, list(string)),
  image: required(2, string),
  fsType: omitempty(3, string, 'The type of the file system.'),
  pool: defaulted(4, string, 'rbd', '', 'value'),
  user: defaulted(5, string, 'admin', '', 'value'),
  keyring: defaulted(6, string, '/etc/ceph/keyring', '', 'value'),
  secretRef: optional(7, LocalObjectReference, 'The secret that holds the credentials.'),
  readOnly: omitempty(8, boolean, 'Whether it can only be read.'),
})
export interface RBDVolumeSource extends StoredOf<typeof RBDVolumeSource> {}

export const ScaleIOVolumeSource = message('io.k8s.api.core.v1.ScaleIOVolumeSource', {
  gateway: required(1, string),
  system: required(2, string),
  secretRef: needed(3, LocalObjectReference, 'The secret that holds the credentials.'),
  sslEnabled: omitempty(4, boolean),
  protectionDomain: omitempty(5, string),
  storagePool: omitempty(6, string),
  storageMode: defaulted(7, string, 'ThinProvisioned', '', 'value'),
  volumeName: omitempty(8, string, 'The volume that this is about.'),
  fsType: defaulted(9, string, 'xfs', 'The type of the file system.', 'value'),
  readOnly: omitempty(10, boolean, 'Whether it can only be read.'),
})
export interface ScaleIOVolumeSource extends StoredOf<typeof ScaleIOVolumeSource> {}

export const StorageOSVolumeSource = message('io.k8s.api.core.v1.StorageOSVolumeSource', {
  volumeName: omitempty(1, string, 'The volume that this is about.'),
  volumeNamespace: omitempty(2, string),
  fsType: omitempty(3, string, 'The type of the file system.'),
  readOnly: omitempty(4, boolean, 'Whether it can only be read.'),
  secretRef: optional(5, LocalObjectReference, 'The secret that holds the credentials.'),
})
export interface StorageOSVolumeSource extends StoredOf<typeof StorageOSVolumeSource> {}
