import { boolean, int64, list, message, omitempty, oneOf, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const AppArmorProfile = message('io.k8s.api.core.v1.AppArmorProfile', {
  type: required(1, oneOf('Unconfined', 'RuntimeDefault', 'Localhost')),
  localhostProfile: optional(2, string),
})
export interface AppArmorProfile extends StoredOf<typeof AppArmorProfile> {}

export const Capabilities = message('io.k8s.api.core.v1.Capabilities', {
  add: omitempty(1, list(string)),
  drop: omitempty(2, list(string)),
})
export interface Capabilities extends StoredOf<typeof Capabilities> {}

export const SELinuxOptions = message('io.k8s.api.core.v1.SELinuxOptions', {
  user: omitempty(1, string),
  role: omitempty(2, string),
  type: omitempty(3, string),
  level: omitempty(4, string),
})
export interface SELinuxOptions extends StoredOf<typeof SELinuxOptions> {}

export const SeccompProfile = message('io.k8s.api.core.v1.SeccompProfile', {
  type: required(1, oneOf('Unconfined', 'RuntimeDefault', 'Localhost')),
  localhostProfile: optional(2, string),
})
export interface SeccompProfile extends StoredOf<typeof SeccompProfile> {}

export const WindowsSecurityContextOptions = message('io.k8s.api.core.v1.WindowsSecurityContextOptions', {
  gmsaCredentialSpecName: optional(1, string),
  gmsaCredentialSpec: optional(2, string),
  runAsUserName: optional(3, string),
  hostProcess: optional(4, boolean),
})
export interface WindowsSecurityContextOptions extends StoredOf<typeof WindowsSecurityContextOptions> {}

export const SecurityContext = message('io.k8s.api.core.v1.SecurityContext', {
  capabilities: optional(1, Capabilities),
  privileged: optional(2, boolean),
  seLinuxOptions: optional(3, SELinuxOptions),
  windowsOptions: optional(10, WindowsSecurityContextOptions),
  runAsUser: optional(4, int64),
  runAsGroup: optional(8, int64),
  runAsNonRoot: optional(5, boolean),
  readOnlyRootFilesystem: optional(6, boolean),
  allowPrivilegeEscalation: optional(7, boolean),
  procMount: optional(9, oneOf('Default', 'Unmasked')),
  seccompProfile: optional(11, SeccompProfile),
  appArmorProfile: optional(12, AppArmorProfile),
})
export interface SecurityContext extends StoredOf<typeof SecurityContext> {}

export const Sysctl = message('io.k8s.api.core.v1.Sysctl', {
  name: required(1, string),
  value: required(2, string),
})
export interface Sysctl extends StoredOf<typeof Sysctl> {}

export const PodSecurityContext = message('io.k8s.api.core.v1.PodSecurityContext', {
  seLinuxOptions: optional(1, SELinuxOptions),
  windowsOptions: optional(8, WindowsSecurityContextOptions),
  runAsUser: optional(2, int64),
  runAsGroup: optional(6, int64),
  runAsNonRoot: optional(3, boolean),
  supplementalGroups: omitempty(4, list(int64)),
  supplementalGroupsPolicy: optional(12, oneOf('Merge', 'Strict')),
  fsGroup: optional(5, int64),
  sysctls: omitempty(7, list(Sysctl)),
  fsGroupChangePolicy: optional(9, oneOf('OnRootMismatch', 'Always')),
  seccompProfile: optional(10, SeccompProfile),
  appArmorProfile: optional(11, AppArmorProfile),
  seLinuxChangePolicy: optional(13, oneOf('Recursive', 'MountOption')),
})
export interface PodSecurityContext extends StoredOf<typeof PodSecurityContext> {}
