import {
  type AnySchema,
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

// Volumes that a pod names itself, or that a persistent volume stands for: there the secret may be in any namespace.

export const azureFileFields = {
  secretName: required(1, string, 'The secret.'),
  shareName: required(2, string, 'The name of the share.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
}
export const AzureFileVolumeSource = message('io.k8s.api.core.v1.AzureFileVolumeSource', azureFileFields)
export interface AzureFileVolumeSource extends StoredOf<typeof AzureFileVolumeSource> {}

export const cephFSFields = <Secret extends AnySchema>(secret: Secret) => ({
  monitors: required(1, list(string), 'The addresses of the monitors.'),
  path: omitempty(2, string, 'The directory that is mounted; all of it unless said.'),
  user: omitempty(3, string, "The user's name at the monitors."),
  secretFile: omitempty(4, string, "The file with the user's key."),
  secretRef: optional(5, secret, 'The secret that holds the credentials.'),
  readOnly: omitempty(6, boolean, 'Whether it can only be read.'),
})
export const CephFSVolumeSource = message('io.k8s.api.core.v1.CephFSVolumeSource', cephFSFields(LocalObjectReference))
export interface CephFSVolumeSource extends StoredOf<typeof CephFSVolumeSource> {}

export const cinderFields = <Secret extends AnySchema>(secret: Secret) => ({
  volumeID: required(1, string, 'The id of the volume at its provider.'),
  fsType: omitempty(2, string, 'The type of the file system.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
  secretRef: optional(4, secret, 'The secret that holds the credentials.'),
})
export const CinderVolumeSource = message('io.k8s.api.core.v1.CinderVolumeSource', cinderFields(LocalObjectReference))
export interface CinderVolumeSource extends StoredOf<typeof CinderVolumeSource> {}

export const flexFields = <Secret extends AnySchema>(secret: Secret) => ({
  driver: required(1, string, 'The driver.'),
  fsType: omitempty(2, string, 'The type of the file system.'),
  secretRef: optional(3, secret, 'The secret that holds the credentials.'),
  readOnly: omitempty(4, boolean, 'Whether it can only be read.'),
  options: omitempty(5, map(string), 'Further options.'),
})
export const FlexVolumeSource = message('io.k8s.api.core.v1.FlexVolumeSource', flexFields(LocalObjectReference))
export interface FlexVolumeSource extends StoredOf<typeof FlexVolumeSource> {}

export const glusterfsFields = {
  endpoints: required(1, string, 'The Endpoints object that names the servers.'),
  path: required(2, string, 'The name of the volume.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
}
export const GlusterfsVolumeSource = message('io.k8s.api.core.v1.GlusterfsVolumeSource', glusterfsFields)
export interface GlusterfsVolumeSource extends StoredOf<typeof GlusterfsVolumeSource> {}

export const iscsiFields = <Secret extends AnySchema>(secret: Secret) => ({
  targetPortal: required(1, string, "The portal's address."),
  iqn: required(2, string, 'The name of the target.'),
  lun: required(3, int32, 'The number of the unit.'),
  iscsiInterface: defaulted(4, string, 'default', 'The interface to use.', 'value'),
  fsType: omitempty(5, string, 'The type of the file system.'),
  readOnly: omitempty(6, boolean, 'Whether it can only be read.'),
  portals: omitempty(7, list(string), 'Further portals.'),
  chapAuthDiscovery: omitempty(8, boolean, 'Whether discovery is authenticated.'),
  chapAuthSession: omitempty(11, boolean, 'Whether the session is authenticated.'),
  secretRef: optional(10, secret, 'The secret that holds the credentials.'),
  initiatorName: optional(12, string, 'The name of the initiator.'),
})
export const ISCSIVolumeSource = message('io.k8s.api.core.v1.ISCSIVolumeSource', iscsiFields(LocalObjectReference))
export interface ISCSIVolumeSource extends StoredOf<typeof ISCSIVolumeSource> {}

export const rbdFields = <Secret extends AnySchema>(secret: Secret) => ({
  monitors: required(1, list(string), 'The addresses of the monitors.'),
  image: required(2, string, 'The image of the device.'),
  fsType: omitempty(3, string, 'The type of the file system.'),
  pool: defaulted(4, string, 'rbd', 'The pool of the device.', 'value'),
  user: defaulted(5, string, 'admin', "The user's name at the monitors.", 'value'),
  keyring: defaulted(6, string, '/etc/ceph/keyring', 'The file with the keys.', 'value'),
  secretRef: optional(7, secret, 'The secret that holds the credentials.'),
  readOnly: omitempty(8, boolean, 'Whether it can only be read.'),
})
export const RBDVolumeSource = message('io.k8s.api.core.v1.RBDVolumeSource', rbdFields(LocalObjectReference))
export interface RBDVolumeSource extends StoredOf<typeof RBDVolumeSource> {}

export const scaleIOFields = <Secret extends AnySchema>(secret: Secret) => ({
  gateway: required(1, string, 'The address of the gateway.'),
  system: required(2, string, 'The name of the storage system.'),
  secretRef: needed(3, secret, 'The secret that holds the credentials.'),
  sslEnabled: omitempty(4, boolean, 'Whether TLS is used.'),
  protectionDomain: omitempty(5, string, 'The protection domain.'),
  storagePool: omitempty(6, string, 'The pool.'),
  storageMode: defaulted(7, string, 'ThinProvisioned', 'How the storage is provisioned.', 'value'),
  volumeName: omitempty(8, string, 'The volume that this is about.'),
  fsType: defaulted(9, string, 'xfs', 'The type of the file system.', 'value'),
  readOnly: omitempty(10, boolean, 'Whether it can only be read.'),
})
export const ScaleIOVolumeSource = message('io.k8s.api.core.v1.ScaleIOVolumeSource', scaleIOFields(LocalObjectReference))
export interface ScaleIOVolumeSource extends StoredOf<typeof ScaleIOVolumeSource> {}

export const storageOSFields = <Secret extends AnySchema>(secret: Secret) => ({
  volumeName: omitempty(1, string, 'The volume that this is about.'),
  volumeNamespace: omitempty(2, string, 'The namespace of the volume in StorageOS; that of the pod if it is not said.'),
  fsType: omitempty(3, string, 'The type of the file system.'),
  readOnly: omitempty(4, boolean, 'Whether it can only be read.'),
  secretRef: optional(5, secret, 'The secret that holds the credentials.'),
})
export const StorageOSVolumeSource = message('io.k8s.api.core.v1.StorageOSVolumeSource', storageOSFields(LocalObjectReference))
export interface StorageOSVolumeSource extends StoredOf<typeof StorageOSVolumeSource> {}
