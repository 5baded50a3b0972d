import { boolean, int64, list, message, omitempty, oneOf, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const AppArmorProfile = message('io.k8s.api.core.v1.AppArmorProfile', {
  type: required(1, oneOf('Unconfined', 'RuntimeDefault', 'Localhost'), "Whose profile it is: the runtime's, one on the node, or none."),
  localhostProfile: optional(2, string, "The profile's name on the node."),
})
export interface AppArmorProfile extends StoredOf<typeof AppArmorProfile> {}

export const Capabilities = message('io.k8s.api.core.v1.Capabilities', {
  add: omitempty(1, list(string), 'Capabilities to add.'),
  drop: omitempty(2, list(string), 'Capabilities to take away.'),
})
export interface Capabilities extends StoredOf<typeof Capabilities> {}

export const SELinuxOptions = message('io.k8s.api.core.v1.SELinuxOptions', {
  user: omitempty(1, string, 'The user of the label.'),
  role: omitempty(2, string, 'The role of the label.'),
  type: omitempty(3, string, 'The type of the label.'),
  level: omitempty(4, string, 'The level of the label.'),
})
export interface SELinuxOptions extends StoredOf<typeof SELinuxOptions> {}

export const SeccompProfile = message('io.k8s.api.core.v1.SeccompProfile', {
  type: required(1, oneOf('Unconfined', 'RuntimeDefault', 'Localhost'), 'Where the profile comes from.'),
  localhostProfile: optional(2, string, "The profile's name on the node."),
})
export interface SeccompProfile extends StoredOf<typeof SeccompProfile> {}

export const WindowsSecurityContextOptions = message('io.k8s.api.core.v1.WindowsSecurityContextOptions', {
  gmsaCredentialSpecName: optional(1, string, "The name of the group managed account's credential spec."),
  gmsaCredentialSpec: optional(2, string, 'The credential spec itself.'),
  runAsUserName: optional(3, string, 'The user that runs the process.'),
  hostProcess: optional(4, boolean, 'Whether it runs on the host itself.'),
})
export interface WindowsSecurityContextOptions extends StoredOf<typeof WindowsSecurityContextOptions> {}

export const SecurityContext = message('io.k8s.api.core.v1.SecurityContext', {
  capabilities: optional(1, Capabilities, 'Capabilities to add and to take away.'),
  privileged: optional(2, boolean, "Whether it has the rights of the node's root."),
  seLinuxOptions: optional(3, SELinuxOptions, 'The SELinux context.'),
  windowsOptions: optional(10, WindowsSecurityContextOptions, 'Details for Windows.'),
  runAsUser: optional(4, int64, 'The user id.'),
  runAsGroup: optional(8, int64, 'The group id.'),
  runAsNonRoot: optional(5, boolean, 'Whether it must not run as root.'),
  readOnlyRootFilesystem: optional(6, boolean, 'Whether its own file system is read-only.'),
  allowPrivilegeEscalation: optional(7, boolean, 'Whether it may gain rights that its parent has not.'),
  procMount: optional(9, oneOf('Default', 'Unmasked'), 'How `/proc` is mounted.'),
  seccompProfile: optional(11, SeccompProfile, 'Which system calls it may make.'),
  appArmorProfile: optional(12, AppArmorProfile, 'The AppArmor profile.'),
})
export interface SecurityContext extends StoredOf<typeof SecurityContext> {}

export const Sysctl = message('io.k8s.api.core.v1.Sysctl', {
  name: required(1, string, 'The setting.'),
  value: required(2, string, 'Its value.'),
})
export interface Sysctl extends StoredOf<typeof Sysctl> {}

export const PodSecurityContext = message('io.k8s.api.core.v1.PodSecurityContext', {
  seLinuxOptions: optional(1, SELinuxOptions, 'The SELinux context.'),
  windowsOptions: optional(8, WindowsSecurityContextOptions, 'Details for Windows.'),
  runAsUser: optional(2, int64, 'The user id of its containers.'),
  runAsGroup: optional(6, int64, 'The group id of its containers.'),
  runAsNonRoot: optional(3, boolean, 'Whether its containers must not run as root.'),
  supplementalGroups: omitempty(4, list(int64), 'Further group ids.'),
  supplementalGroupsPolicy: optional(12, oneOf('Merge', 'Strict'), 'Whether groups of the image count.'),
  fsGroup: optional(5, int64, 'The group that owns its volumes.'),
  sysctls: omitempty(7, list(Sysctl), 'Kernel settings of the pod.'),
  fsGroupChangePolicy: optional(9, oneOf('OnRootMismatch', 'Always'), 'When ownership of volumes is changed.'),
  seccompProfile: optional(10, SeccompProfile, 'Which system calls its containers may make.'),
  appArmorProfile: optional(11, AppArmorProfile, 'The AppArmor profile.'),
  seLinuxChangePolicy: optional(13, oneOf('Recursive', 'MountOption'), 'How volumes are labelled.'),
})
export interface PodSecurityContext extends StoredOf<typeof PodSecurityContext> {}
