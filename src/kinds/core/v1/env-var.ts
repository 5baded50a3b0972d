import {
  boolean,
  defaulted,
  embedded,
  inline,
  message,
  omitempty,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { LocalObjectReference } from './object-reference.ts'

export const ConfigMapKeySelector = message(
  'io.k8s.api.core.v1.ConfigMapKeySelector',
  {
    ...inline(1, LocalObjectReference),
    key: required(2, string, 'The key.'),
    optional: optional(3, boolean, 'Whether it may be absent.'),
  },
  { mapType: 'atomic' },
)
export interface ConfigMapKeySelector extends StoredOf<typeof ConfigMapKeySelector> {}

export const FileKeySelector = message(
  'io.k8s.api.core.v1.FileKeySelector',
  {
    volumeName: required(1, string, 'The volume that this is about.'),
    path: required(2, string, "The file, from the volume's root."),
    key: required(3, string, 'The key within the file.'),
    optional: optional(4, boolean, 'Whether it may be absent.'),
  },
  { mapType: 'atomic' },
)
export interface FileKeySelector extends StoredOf<typeof FileKeySelector> {}

export const ObjectFieldSelector = message(
  'io.k8s.api.core.v1.ObjectFieldSelector',
  {
    apiVersion: defaulted(1, string, 'v1', 'The version of the pod that the path is about.', 'value'),
    fieldPath: required(2, string, 'The path of the field.'),
  },
  { mapType: 'atomic' },
)
export interface ObjectFieldSelector extends StoredOf<typeof ObjectFieldSelector> {}

export const ResourceFieldSelector = message(
  'io.k8s.api.core.v1.ResourceFieldSelector',
  {
    containerName: omitempty(1, string, 'The container.'),
    resource: required(2, string, 'The resource: `limits.cpu`, …'),
    divisor: embedded(3, quantity, 'The unit in which the value is given.'),
  },
  { mapType: 'atomic' },
)
export interface ResourceFieldSelector extends StoredOf<typeof ResourceFieldSelector> {}

export const SecretKeySelector = message(
  'io.k8s.api.core.v1.SecretKeySelector',
  {
    ...inline(1, LocalObjectReference),
    key: required(2, string, 'The key.'),
    optional: optional(3, boolean, 'Whether it may be absent.'),
  },
  { mapType: 'atomic' },
)
export interface SecretKeySelector extends StoredOf<typeof SecretKeySelector> {}

export const EnvVarSource = message('io.k8s.api.core.v1.EnvVarSource', {
  fieldRef: optional(1, ObjectFieldSelector, 'A field of the pod.'),
  resourceFieldRef: optional(2, ResourceFieldSelector, 'A resource of a container.'),
  configMapKeyRef: optional(3, ConfigMapKeySelector, 'A key of a config map.'),
  secretKeyRef: optional(4, SecretKeySelector, 'A key of a secret.'),
  fileKeyRef: optional(5, FileKeySelector, 'A key of a file in a volume.'),
})
export interface EnvVarSource extends StoredOf<typeof EnvVarSource> {}

export const EnvVar = message('io.k8s.api.core.v1.EnvVar', {
  name: required(1, string, 'The name of the variable.'),
  value: omitempty(2, string, 'Its value; `$(NAME)` stands for an earlier variable.'),
  valueFrom: optional(3, EnvVarSource, 'Where the value is taken from.'),
})
export interface EnvVar extends StoredOf<typeof EnvVar> {}

export const ConfigMapEnvSource = message('io.k8s.api.core.v1.ConfigMapEnvSource', {
  ...inline(1, LocalObjectReference),
  optional: optional(2, boolean, 'Whether it may be absent.'),
})
export interface ConfigMapEnvSource extends StoredOf<typeof ConfigMapEnvSource> {}

export const SecretEnvSource = message('io.k8s.api.core.v1.SecretEnvSource', {
  ...inline(1, LocalObjectReference),
  optional: optional(2, boolean, 'Whether it may be absent.'),
})
export interface SecretEnvSource extends StoredOf<typeof SecretEnvSource> {}

export const EnvFromSource = message('io.k8s.api.core.v1.EnvFromSource', {
  prefix: omitempty(1, string, 'What is put before every name.'),
  configMapRef: optional(2, ConfigMapEnvSource, 'A config map.'),
  secretRef: optional(3, SecretEnvSource, 'A secret.'),
})
export interface EnvFromSource extends StoredOf<typeof EnvFromSource> {}
